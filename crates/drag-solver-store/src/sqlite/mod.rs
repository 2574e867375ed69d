//! A store in one SQLite file.

mod access;
mod budgets;
mod calls;
mod challenges;
mod file;
mod keys;
mod options;
mod owners;
mod problem;
mod purchases;
mod records;
mod schema;
mod store;
mod upkeep;
mod values;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use self::access::{AT_THE_READER, How, Inner};
use self::file::StoreFile;
pub use self::options::SqliteOptions;
use self::problem::problem;
use self::writer::Writer;
use crate::key::new_key;
use crate::{Clock, StoreError};

/// A store in one SQLite file, which several processes of one machine can share.
///
/// It is opened in WAL mode: beside the file `FILE` there are `FILE-wal` and `FILE-shm`, and a file
/// `FILE-owner-..` for each process that has it open. All of them belong together. A file system that is shared by
/// several machines will not do: SQLite's locks do not work there.
///
/// What many calls write at the same time is written in one transaction, by a thread of its own. Of a
/// purchase, and of the job that it came to, the disk is asked to keep it before anything else happens; of
/// other things the system is.
///
/// Clones are the same store. When the last one is dropped, what is still to be written is written.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

impl SqliteStore {
    /// Opens the store in the file `path`, or makes it. Blocks for some milliseconds; while another process writes,
    /// for at most [`busy_timeout`](SqliteOptions::busy_timeout).
    ///
    /// # Errors
    ///
    /// A file that is no store, is damaged or was written by a newer version; a folder that there is not. A
    /// store that can be read and not written opens: it says what it knows, and takes up nothing until it
    /// can be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteOptions::default())
    }

    /// The same with other options.
    pub fn open_with(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let open = || {
            let opened = StoreFile::open(path, options)?;
            let (file, reader) = (opened.file.clone(), Arc::clone(&opened.reader));
            let (ops, thread) = upkeep::start(opened)?;
            Ok(Self(Arc::new(Inner {
                owner: file.owner,
                clock: file.options.clock.clone(),
                how: How::Thread {
                    file,
                    ops: Some(ops),
                    thread: Some(thread),
                    reader: Some(reader),
                    at_the_reader: Arc::new(Semaphore::new(AT_THE_READER)),
                },
            })))
        };
        open().map_err(|error: StoreError| error.of_file(path))
    }

    /// A store in memory: for tests, also on a paused clock, as each call is done when it returns.
    ///
    /// # Errors
    ///
    /// There is no memory left.
    pub fn in_memory(clock: Clock) -> Result<Self, StoreError> {
        let mut db = Connection::open_in_memory().map_err(problem)?;
        db.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut db)?;
        let owner = new_key();
        owners::renew(&db, owner, clock.now(), Timestamp::MAX).map_err(problem)?;
        Ok(Self(Arc::new(Inner {
            owner,
            clock,
            how: How::Inline(Mutex::new(Writer::in_memory(db))),
        })))
    }

    /// The file; `None` if it is in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path()
    }
}

#[cfg(test)]
impl SqliteStore {
    /// The key of the claim on a challenge of a store in memory.
    pub(crate) fn claim_of(&self, id: &str) -> i64 {
        let How::Inline(writer) = &self.0.how else {
            panic!("it is in a file");
        };
        let claim = self.0.inline(writer, |db| {
            db.query_row("SELECT claim FROM challenges WHERE id = ?", [id], |row| {
                row.get(0)
            })
        });
        claim.unwrap()
    }
}

#[cfg(feature = "postgres")]
impl SqliteStore {
    /// Whether another process has the file open.
    pub(crate) async fn is_shared(&self) -> Result<bool, StoreError> {
        let here = self.0.here();
        let shared = self.0.write(false, move |db| {
            here.sweep(db)?;
            db.prepare_cached("SELECT 1 FROM owners WHERE key <> ? AND lease_until > ?")?
                .exists([here.owner, here.now.as_millisecond()])
        });
        shared.await
    }

    /// What a statement finds.
    pub(crate) async fn rows<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.read(read).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(f, "SqliteStore({})", path.display()),
            None => f.write_str("SqliteStore(in memory)"),
        }
    }
}
