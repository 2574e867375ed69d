//! The file, and the connections to it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::owners::Owner;
use super::problem::{of_existing_file, problem};
use super::{SqliteOptions, owners, schema};
use crate::clock::after;
use crate::key::new_key;
use crate::{StoreError, StoreErrorKind};

/// How long until the mode of a file is changed again that other processes open at the same moment.
const MODE_RETRY: Duration = Duration::from_millis(2);

/// After how many pages in FILE-wal they are copied into the file, which waits for the disk again.
const CHECKPOINT: u32 = 4_000;

/// A store's file.
#[derive(Clone, Debug)]
pub(super) struct StoreFile {
    pub(super) path: PathBuf,
    pub(super) options: SqliteOptions,
    /// The key of this process.
    pub(super) owner: i64,
}

/// A file that can be read, and as a rule also written.
pub(super) struct Opened {
    pub(super) file: StoreFile,
    /// Replaced as soon as the file can be written.
    pub(super) reader: Arc<Mutex<Connection>>,
    /// `None` while it cannot be written.
    pub(super) writer: Option<(Connection, Owner)>,
}

impl StoreFile {
    /// Opens it, for reading only where writing is impossible for now.
    pub(super) fn open(path: &Path, options: SqliteOptions) -> Result<Opened, StoreError> {
        let file = Self {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            options,
            owner: new_key(),
        };
        match file.writer() {
            Ok(writer) => Ok(Opened {
                reader: Arc::new(Mutex::new(file.reader().map_err(problem)?)),
                writer: Some(writer),
                file,
            }),
            Err(why) if is_for_now(why.kind()) => {
                tracing::warn!(error = %why, path = %file.path.display(), "the store can only be read");
                let reader = Arc::new(Mutex::new(file.reader_as_it_is(why)?));
                Ok(Opened {
                    reader,
                    writer: None,
                    file,
                })
            }
            Err(why) => Err(why),
        }
    }

    /// A connection that writes, with the file ready for that and this process known to others that have it
    /// open.
    fn writer(&self) -> Result<(Connection, Owner), StoreError> {
        match self.prepare() {
            Err(error) if self.path.is_file() => Err(of_existing_file(error)),
            prepared => prepared,
        }
    }

    fn prepare(&self) -> Result<(Connection, Owner), StoreError> {
        let mut db = self
            .configured(Connection::open(&self.path))
            .map_err(problem)?;
        schema::refuse_foreign(&db)?;
        // Before there is a table, or it has no effect.
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL")
            .map_err(problem)?;
        self.use_wal(&db).map_err(problem)?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)
            .map_err(problem)?;
        db.pragma_update(None, "synchronous", "NORMAL")
            .map_err(problem)?;
        db.pragma_update(None, "foreign_keys", true)
            .map_err(problem)?;
        db.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut db)?;
        let owner = Owner::new(self.owner, &self.path).map_err(no_lock)?;
        let now = self.options.clock.now();
        owners::renew(&db, owner.key, now, after(now, self.options.lease)).map_err(problem)?;
        owners::sweep(&db, &self.path, owner.key).map_err(problem)?;
        Ok((db, owner))
    }

    /// Tries again what failed when the store was opened; from then on, reads see what is written.
    pub(super) fn writer_again(
        &self,
        reader: &Mutex<Connection>,
    ) -> Result<(Connection, Owner), StoreError> {
        let writer = self.writer()?;
        *lock(reader) = self.reader().map_err(problem)?;
        Ok(writer)
    }

    /// Waits for other processes that do the same: SQLite itself does not, in this one case.
    fn use_wal(&self, db: &Connection) -> rusqlite::Result<()> {
        let begun = Instant::now();
        loop {
            let mode = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| {
                row.get::<_, String>(0)
            });
            match mode {
                Err(error)
                    if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                        && begun.elapsed() < self.options.busy_timeout =>
                {
                    std::thread::sleep(MODE_RETRY);
                }
                ended => return ended.map(drop),
            }
        }
    }

    fn reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        self.configured(Connection::open_with_flags(&self.path, flags))
    }

    /// A connection to a file that cannot be written for the reason `why`.
    fn reader_as_it_is(&self, why: StoreError) -> Result<Connection, StoreError> {
        let reader = self.reader().map_err(problem);
        let checked = reader.and_then(|db| schema::is_current(&db).map(|current| (db, current)));
        let checked = match checked {
            // Beside a file in a folder that cannot be written, SQLite cannot make what it shares with others.
            Err(error) if is_for_now(error.kind()) && !self.has_wal() => {
                let db = self.immutable_reader().map_err(problem);
                db.and_then(|db| schema::is_current(&db).map(|current| (db, current)))
            }
            checked => checked,
        };
        match checked {
            Ok((db, true)) => Ok(db),
            Err(error) if !is_for_now(error.kind()) => Err(error),
            Ok((_, false)) | Err(_) => Err(why),
        }
    }

    fn has_wal(&self) -> bool {
        let mut name = self.path.as_os_str().to_owned();
        name.push("-wal");
        std::fs::metadata(name).is_ok_and(|wal| wal.len() > 0)
    }

    /// Reads the file as one that is not written: without locks, and without files beside it.
    fn immutable_reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let path = self.path.to_string_lossy();
        let path = path
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23");
        let uri = format!("file:{path}?immutable=1");
        self.configured(Connection::open_with_flags(uri, flags))
    }

    /// Waits for other processes that write.
    fn configured(&self, db: rusqlite::Result<Connection>) -> rusqlite::Result<Connection> {
        let db = db?;
        db.busy_timeout(self.options.busy_timeout)?;
        Ok(db)
    }

    /// A connection for what takes long.
    pub(super) fn connection(&self) -> rusqlite::Result<Connection> {
        self.configured(Connection::open(&self.path))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it may be different when it is tried again.
fn is_for_now(kind: StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::ReadOnly | StoreErrorKind::Unavailable)
}

fn no_lock(error: io::Error) -> StoreError {
    let (kind, message) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            StoreErrorKind::Unavailable,
            "the disk is full: free some room",
        ),
        _ => (
            StoreErrorKind::ReadOnly,
            "the folder of the store cannot be written",
        ),
    };
    StoreError::new(kind, message).with_source(error)
}
