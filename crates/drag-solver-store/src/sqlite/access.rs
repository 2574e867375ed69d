//! How a store is written and read: by a thread and by another connection, or in memory, at once.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::file::{StoreFile, lock};
use super::owners::Here;
use super::problem::problem;
use super::writer::{Op, Writer};
use crate::clock::after;
use crate::{Clock, StoreError};

pub(super) struct Inner {
    /// The key of this process.
    pub(super) owner: i64,
    pub(super) clock: Clock,
    pub(super) how: How,
}

/// One reads, and the next is at hand. Thousands of calls that read at once would be hundreds of threads that wait for
/// their turn, each with a stack and an allocator's memory of its own.
pub(super) const AT_THE_READER: usize = 2;

/// How it is written.
pub(super) enum How {
    /// By a thread, and read by another connection.
    Thread {
        file: StoreFile,
        ops: Option<Sender<Op>>,
        thread: Option<JoinHandle<()>>,
        reader: Option<Arc<Mutex<Connection>>>,
        /// Those who may wait for the reader in a thread.
        at_the_reader: Arc<Semaphore>,
    },
    /// In memory, at once.
    Inline(Mutex<Writer>),
}

impl Inner {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Who writes now.
    pub(super) fn here(&self) -> Here {
        let now = self.now();
        let (lease_until, path) = match &self.how {
            How::Thread { file, .. } => (
                Some(after(now, file.options.lease)),
                Some(file.path.clone()),
            ),
            // No other process can see it.
            How::Inline(_) => (None, None),
        };
        Here {
            owner: self.owner,
            now,
            lease_until,
            path,
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match &self.how {
            How::Thread { file, .. } => Some(&file.path),
            How::Inline(_) => None,
        }
    }

    /// Has something written, and says what came of it. `durable` is what has to survive a power cut when it is done.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        durable: bool,
        run: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let written = self.submit(durable, false, run).await;
        written.map_err(|error| self.of_file(error))
    }

    /// The same, which is written whether or not what this returns is waited for. A fact is tried until it is written.
    pub(super) fn submit<T: Send + 'static, F>(
        &self,
        durable: bool,
        is_fact: bool,
        mut run: F,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + use<T, F>
    where
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let slot = Arc::new(Mutex::new(None));
        let result = Arc::clone(&slot);
        let op = Op {
            durable,
            is_fact,
            run: Box::new(move |db| {
                let value = run(db)?;
                *lock(&slot) = Some(value);
                Ok(())
            }),
            done: Some(Box::new(move |ended| {
                // The caller may be gone.
                let _ = sender.send(ended);
            })),
        };
        match &self.how {
            How::Thread { ops, .. } => {
                if let Some(ops) = ops {
                    // The thread ends with the store, and not before.
                    let _ = ops.send(op);
                }
            }
            How::Inline(writer) => lock(writer).write(vec![op]),
        }
        async move {
            receiver
                .await
                .unwrap_or_else(|_| Err(StoreError::closed()))?;
            let value = lock(&result).take();
            value.ok_or_else(StoreError::closed)
        }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reader, at_the_reader) = match &self.how {
            How::Inline(writer) => return self.inline(writer, run),
            How::Thread {
                reader,
                at_the_reader,
                ..
            } => (
                reader.clone().ok_or_else(StoreError::closed)?,
                Arc::clone(at_the_reader),
            ),
        };
        let turn = at_the_reader
            .acquire_owned()
            .await
            .map_err(|_| StoreError::closed())?;
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            run(&lock(&reader))
        });
        let read = work.await.map_err(|_| StoreError::closed())?;
        read.map_err(|error| self.of_file(problem(error)))
    }

    pub(super) fn inline<T>(
        &self,
        writer: &Mutex<Writer>,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let writer = lock(writer);
        let db = writer.db().ok_or_else(StoreError::closed)?;
        run(db).map_err(|error| self.of_file(problem(error)))
    }

    pub(super) fn of_file(&self, error: StoreError) -> StoreError {
        match self.path() {
            Some(path) => error.of_file(path),
            None => error,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let How::Thread {
            ops,
            thread,
            reader,
            ..
        } = &mut self.how
        {
            // First what reads: the last connection tidies up, if it can write.
            drop(reader.take());
            drop(ops.take());
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;
    use crate::{SqliteStore, Store as _};

    #[test]
    fn however_many_read_few_threads_wait() {
        let threads = Arc::new(AtomicUsize::new(0));
        let started = Arc::clone(&threads);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_start(move || {
                started.fetch_add(1, Ordering::Relaxed);
            })
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("drags.db")).unwrap();
        let How::Thread { reader, .. } = &store.0.how else {
            unreachable!("it is a file");
        };
        let busy = lock(reader.as_ref().unwrap());
        runtime.block_on(async {
            let mut reads = join_all((0..200).map(|_| store.find("unknown")));
            assert!((&mut reads).now_or_never().is_none());
        });
        drop(busy);
        drop(runtime); // each thread has ended, and so was counted
        assert_eq!(threads.load(Ordering::Relaxed), AT_THE_READER);
    }
}
