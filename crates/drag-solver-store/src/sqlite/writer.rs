//! Who writes: one thread for all calls of this process, which writes what has come together meanwhile at
//! once. So many calls share a sync of the disk.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result};

use super::file::{Opened, StoreFile};
use super::owners::Owner;
use super::problem::{is_of_the_file, problem};
use crate::StoreError;

/// The most that is written in one transaction.
const MAX_BATCH: usize = 512;

/// How long until what could not be written is tried again, at the latest.
const RETRY: Duration = Duration::from_secs(1);

/// Writes something: another time, too, if the transaction failed.
type Run = Box<dyn FnMut(&Connection) -> Result<()> + Send>;

/// Hears how it ended; of a fact, of the first try.
type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Something to be written, alone or together with others.
pub(super) struct Op {
    /// Whether it has to survive a power cut when it is done.
    pub(super) durable: bool,
    /// Whether it has happened already, and is tried until it is written.
    pub(super) is_fact: bool,
    pub(super) run: Run,
    pub(super) done: Option<Done>,
}

impl Op {
    fn end(&mut self, result: Result<(), StoreError>) {
        if let Some(done) = self.done.take() {
            done(result);
        }
    }
}

/// What was not written, and why: the file cannot be written for now.
type Unwritten = (Vec<Op>, StoreError);

/// Writes to one connection.
pub(super) struct Writer {
    /// The file, with what reads it; `None` of a store in memory. It is dropped before what writes.
    file: Option<(StoreFile, Arc<Mutex<Connection>>)>,
    /// `None` while the file cannot be written.
    db: Option<Connection>,
    owner: Option<Owner>,
    /// Facts that could not be written, in order.
    backlog: VecDeque<Op>,
    /// What the connection is set to.
    syncs: bool,
    /// Whether the last try failed.
    is_failing: bool,
}

impl Writer {
    pub(super) fn in_memory(db: Connection) -> Self {
        Self {
            db: Some(db),
            file: None,
            owner: None,
            backlog: VecDeque::new(),
            syncs: false,
            is_failing: false,
        }
    }

    pub(super) fn new(opened: Opened) -> Self {
        let (db, owner) = opened.writer.unzip();
        Self {
            db,
            file: Some((opened.file, opened.reader)),
            owner,
            backlog: VecDeque::new(),
            syncs: false,
            is_failing: false,
        }
    }

    pub(super) fn db(&self) -> Option<&Connection> {
        self.db.as_ref()
    }

    /// Works until there is no sender left. `idle` is called first, and then now and then.
    pub(super) fn work(
        &mut self,
        ops: &Receiver<Op>,
        every: Duration,
        mut idle: impl FnMut(&Connection),
    ) {
        let mut idled: Option<Instant> = None;
        loop {
            if idled.is_none_or(|last| last.elapsed() >= every) {
                idled = Some(Instant::now());
                if let Ok(db) = self.ready() {
                    idle(db);
                }
            }
            let wait = if self.backlog.is_empty() {
                every
            } else {
                RETRY.min(every)
            };
            let first = match ops.recv_timeout(wait) {
                Ok(op) => Some(op),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let batch = first.into_iter().chain(ops.try_iter()).take(MAX_BATCH);
            self.write(batch.collect());
        }
        self.write(Vec::new());
        if !self.backlog.is_empty() {
            let facts = self.backlog.len();
            tracing::error!(
                facts,
                "the store is closed, and could not write all that has happened"
            );
        }
    }

    /// The connection, if the file can be written by now.
    fn ready(&mut self) -> Result<&Connection, StoreError> {
        if let (None, Some((file, reader))) = (&self.db, &self.file) {
            let (db, owner) = file.writer_again(reader)?;
            (self.db, self.owner, self.syncs) = (Some(db), Some(owner), false);
        }
        self.db.as_ref().ok_or_else(StoreError::closed)
    }

    /// Writes what is behind first, so that facts stay in order; then these.
    pub(super) fn write(&mut self, ops: Vec<Op>) {
        let mut waiting = std::mem::take(&mut self.backlog);
        waiting.extend(ops);
        while !waiting.is_empty() {
            let next = waiting.len().min(MAX_BATCH);
            let batch = waiting.drain(..next).collect();
            if let Err((unwritten, error)) = self.write_batch(batch) {
                self.refuse(unwritten.into_iter().chain(waiting), &error);
                return;
            }
            if std::mem::take(&mut self.is_failing) {
                tracing::info!("the store can be written again");
            }
        }
    }

    fn write_batch(&mut self, mut batch: Vec<Op>) -> Result<(), Unwritten> {
        if let Err(error) = self.ready() {
            return Err((batch, error));
        }
        match self.transaction(&mut batch) {
            Ok(()) => {
                for op in &mut batch {
                    op.end(Ok(()));
                }
                return Ok(());
            }
            Err(error) if is_of_the_file(&error) => return Err((batch, problem(error))),
            Err(_) => {}
        }
        // One of them is at fault: the others are written without it.
        let mut left = batch.into_iter();
        while let Some(op) = left.next() {
            let mut alone = [op];
            let result = self.transaction(&mut alone);
            let [mut op] = alone;
            match result {
                Err(error) if is_of_the_file(&error) => {
                    return Err(([op].into_iter().chain(left).collect(), problem(error)));
                }
                Err(error) if op.is_fact => {
                    tracing::error!(%error, "the store dropped what it can never write");
                    op.end(Err(problem(error)));
                }
                ended => op.end(ended.map_err(problem)),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, unwritten: impl Iterator<Item = Op>, error: &StoreError) {
        for mut op in unwritten {
            op.end(Err(error.clone()));
            if op.is_fact {
                self.backlog.push_back(op);
            }
        }
        let waiting = self.backlog.len();
        if std::mem::replace(&mut self.is_failing, true) {
            tracing::debug!(%error, waiting, "the store still cannot be written");
        } else {
            tracing::warn!(%error, waiting, "the store cannot be written");
        }
    }

    fn transaction(&mut self, ops: &mut [Op]) -> Result<()> {
        let Some(db) = &self.db else {
            return Err(rusqlite::Error::InvalidQuery); // `ready` was not asked
        };
        if let Some(max_pages) = self.max_pages() {
            let pages = max_pages.load(Ordering::Relaxed);
            db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        let durable = ops.iter().any(|op| op.durable);
        if durable != self.syncs {
            let mode = if durable { "FULL" } else { "NORMAL" };
            db.pragma_update(None, "synchronous", mode)?;
            self.syncs = durable;
        }
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let written = ops.iter_mut().try_for_each(|op| (op.run)(db));
        let ended = written.and_then(|()| db.prepare_cached("COMMIT")?.execute([]).map(drop));
        if ended.is_err() && !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        ended
    }

    fn max_pages(&self) -> Option<&AtomicU32> {
        let (file, _) = self.file.as_ref()?;
        file.options.max_pages.as_deref()
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
