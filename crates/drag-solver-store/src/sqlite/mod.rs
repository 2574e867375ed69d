//! A store in one SQLite file.

mod budgets;
mod challenges;
mod owners;
mod schema;
mod upkeep;
mod values;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use drag_solver_core::{Usd, async_trait};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::oneshot;

use self::budgets::Account;
use self::owners::Owner;
use self::writer::{Op, Writer};
use crate::key::new_key;
use crate::{
    BudgetState, ChallengeRecord, Charge, Clock, Fact, Limit, NewPurchase, Opening, Pruned, Query,
    Retention, Shortage, Spending, SpendingQuery, Store, StoreError, StoreErrorKind, TakenUp,
};

/// How long one process waits for another that writes.
const BUSY: Duration = Duration::from_secs(5);

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

struct Inner {
    owner: Owner,
    path: Option<PathBuf>,
    clock: Clock,
    how: How,
}

/// How the file is written.
enum How {
    /// By a thread, and read by another connection.
    Thread {
        ops: Option<Sender<Op>>,
        thread: Option<JoinHandle<()>>,
        reader: Arc<Mutex<Connection>>,
    },
    /// In memory, at once.
    Inline(Mutex<Writer>),
    /// Not at all.
    ReadOnly {
        reader: Arc<Mutex<Connection>>,
        why: StoreError,
    },
}

/// How a [`SqliteStore`] is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long a process that hangs keeps what it has taken up. Default: 15 s. One that has ended keeps it no
    /// longer than it lives.
    pub lease: Duration,
    /// How long things are kept. They are forgotten when the store is opened, and once an hour. `None`: for
    /// ever, until [`Store::prune`] is called. Default: [`Retention::default`].
    pub retention: Option<Retention>,
    /// What time it is. Default: the system's clock.
    pub clock: Clock,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            retention: Some(Retention::default()),
            clock: Clock::system(),
        }
    }
}

impl SqliteOptions {
    drag_solver_core::setters! { lease: Duration }

    /// Replaces how long things are kept.
    #[must_use]
    pub fn retention(mut self, retention: impl Into<Option<Retention>>) -> Self {
        self.retention = retention.into();
        self
    }

    /// Replaces the clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

impl SqliteStore {
    /// Opens the store in the file `path`, or makes it. Blocks for some milliseconds.
    ///
    /// # Errors
    ///
    /// A file that is no store, is damaged or was written by a newer version; a folder that there is not. A
    /// store that can be read and not written opens: it says what it knows, and takes up nothing.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteOptions::default())
    }

    /// The same with other options.
    pub fn open_with(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, StoreError> {
        let path = path.as_ref();
        open(path, options).map_err(|error| error.of_file(path))
    }

    /// A store in memory: for tests, also on a paused clock, as each call is done when it returns.
    ///
    /// # Errors
    ///
    /// There is no memory left.
    pub fn in_memory(clock: Clock) -> Result<Self, StoreError> {
        let mut db = Connection::open_in_memory().map_err(problem)?;
        schema::migrate(&mut db)?;
        let owner = Owner::alone(new_key());
        owners::renew(&db, owner.key, Timestamp::MAX).map_err(problem)?;
        Ok(Self(Arc::new(Inner {
            owner,
            path: None,
            clock,
            how: How::Inline(Mutex::new(Writer::new(db))),
        })))
    }

    /// The file; `None` if it is in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }
}

fn open(path: &Path, options: SqliteOptions) -> Result<SqliteStore, StoreError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut db = Connection::open(&path).map_err(problem)?;
    db.busy_timeout(BUSY).map_err(problem)?;
    let reader = |db| Arc::new(Mutex::new(db));
    let read_only = |why: StoreError| {
        let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let db = db.map_err(problem)?;
        db.busy_timeout(BUSY).map_err(problem)?;
        schema::check_as_it_is(&db)?;
        let how = How::ReadOnly {
            reader: reader(db),
            why: why.of_file(&path),
        };
        Ok((Owner::alone(new_key()), how))
    };
    let (owner, how) = match prepare(&mut db, &path, &options) {
        Ok(owner) => {
            let other = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY);
            let other = other.map_err(problem)?;
            other.busy_timeout(BUSY).map_err(problem)?;
            let (ops, thread) = upkeep::start(db, owner.key, &options)?;
            let how = How::Thread {
                ops: Some(ops),
                thread: Some(thread),
                reader: reader(other),
            };
            (owner, how)
        }
        Err(why) if cannot_write(&why) => read_only(why)?,
        Err(why) => return Err(why),
    };
    Ok(SqliteStore(Arc::new(Inner {
        owner,
        path: Some(path),
        clock: options.clock,
        how,
    })))
}

fn cannot_write(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::ReadOnly | StoreErrorKind::Unavailable
    )
}

/// Makes the file ready for being written, and this process known to others that have it open.
fn prepare(db: &mut Connection, path: &Path, options: &SqliteOptions) -> Result<Owner, StoreError> {
    schema::refuse_foreign(db)?;
    // Before there is a table, or it has no effect.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .map_err(problem)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        .map_err(problem)?;
    db.pragma_update(None, "synchronous", "NORMAL")
        .map_err(problem)?;
    db.pragma_update(None, "foreign_keys", true)
        .map_err(problem)?;
    db.set_prepared_statement_cache_capacity(64);
    schema::migrate(db)?;
    let owner = Owner::new(new_key(), path).map_err(|error| {
        StoreError::new(
            StoreErrorKind::ReadOnly,
            "the folder of the store cannot be written",
        )
        .with_source(error)
    })?;
    let (now, lease) = (options.clock.now(), options.lease);
    owners::renew(db, owner.key, upkeep::lease_until(now, lease)).map_err(problem)?;
    owners::sweep(db, path, owner.key).map_err(problem)?;
    Ok(owner)
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Has something written, and says what came of it.
    async fn write<T: Send + 'static>(
        &self,
        durable: bool,
        mut run: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let slot = Arc::new(Mutex::new(None));
        let result = Arc::clone(&slot);
        let op = Op {
            durable,
            is_fact: false,
            run: Box::new(move |db| {
                let value = run(db)?;
                *lock(&slot) = Some(value);
                Ok(())
            }),
            done: Some(Box::new(move |ended| {
                // Whoever asked may be gone.
                let _ = sender.send(ended);
            })),
        };
        self.submit(op);
        receiver.await.map_err(|_| closed())??;
        let value = lock(&result).take();
        value.ok_or_else(closed)
    }

    fn submit(&self, mut op: Op) {
        match &self.how {
            How::Thread { ops, .. } => {
                if let Some(ops) = ops {
                    // The thread ends with the store, and not before.
                    let _ = ops.send(op);
                }
            }
            How::Inline(writer) => lock(writer).write(vec![op]),
            How::ReadOnly { why, .. } => {
                if let Some(done) = op.done.take() {
                    done(Err(why.clone()));
                }
            }
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let reader = match &self.how {
            How::Inline(writer) => return run(lock(writer).db()).map_err(problem),
            How::Thread { reader, .. } | How::ReadOnly { reader, .. } => Arc::clone(reader),
        };
        let work = tokio::task::spawn_blocking(move || run(&lock(&reader)));
        let read = work.await.map_err(|_| closed())?;
        read.map_err(|error| self.of_file(problem(error)))
    }

    fn of_file(&self, error: StoreError) -> StoreError {
        match &self.path {
            Some(path) => error.of_file(path),
            None => error,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let How::Thread { ops, thread, .. } = &mut self.how {
            drop(ops.take());
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn take_up(&self, opening: &Opening) -> Result<TakenUp, StoreError> {
        let (opening, owner, now) = (opening.clone(), self.0.owner.key, self.0.now());
        let path = self.0.path.clone();
        let taken = self.0.write(false, move |db| {
            let taken = challenges::take_up(db, &opening, owner, now)?;
            let (TakenUp::Held, Some(path)) = (&taken, &path) else {
                return Ok(taken);
            };
            owners::sweep(db, path, owner)?;
            challenges::take_up(db, &opening, owner, now)
        });
        taken.await.map_err(|error| self.0.of_file(error))
    }

    async fn begin_purchase(&self, purchase: NewPurchase) -> Result<(), StoreError> {
        let now = self.0.now();
        let begun = self.0.write(true, move |db| {
            challenges::begin_purchase(db, &purchase, now)
        });
        if begun.await.map_err(|error| self.0.of_file(error))? {
            return Ok(());
        }
        Err(StoreError::new(
            StoreErrorKind::ClaimLost,
            "another call has taken the challenge over",
        ))
    }

    fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>> {
        let now = self.0.now();
        let (sender, receiver) = oneshot::channel();
        let durable = matches!(fact, Fact::Bought { .. } | Fact::Found { .. });
        self.0.submit(Op {
            durable,
            is_fact: true,
            run: Box::new(move |db| {
                challenges::record(db, &fact, now)?;
                budgets::record(db, &fact, now)
            }),
            done: Some(Box::new(move |ended| {
                let _ = sender.send(ended);
            })),
        });
        async move { receiver.await.unwrap_or_else(|_| Err(closed())) }.boxed()
    }

    async fn find(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let (id, now) = (id.to_owned(), self.0.now());
        self.0.read(move |db| challenges::find(db, &id, now)).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<ChallengeRecord>, StoreError> {
        let (query, now) = (query.clone(), self.0.now());
        self.0
            .read(move |db| challenges::list(db, &query, now))
            .await
    }

    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        let (owner, now, path) = (self.0.owner.key, self.0.now(), self.0.path.clone());
        let (budget, limits) = (budget.to_owned(), limits.to_vec());
        let reserved = self.0.write(false, move |db| {
            let account = Account {
                db,
                budget: &budget,
                now,
            };
            let shortage = account.reserve(key, owner, amount, &limits)?;
            let (Some(shortage), Some(path)) = (shortage, &path) else {
                return Ok(shortage);
            };
            if shortage.reserved == Usd::ZERO {
                return Ok(Some(shortage));
            }
            owners::sweep(db, path, owner)?;
            account.reserve(key, owner, amount, &limits)
        });
        let shortage = reserved.await.map_err(|error| self.0.of_file(error))?;
        Ok(shortage.map_or(Ok(()), Err))
    }

    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        let (charge, limits, now) = (charge.clone(), limits.to_vec(), self.0.now());
        let charged = self.0.write(true, move |db| {
            let budget = &charge.budget;
            Account { db, budget, now }.charge(&charge, &limits)
        });
        let shortage = charged.await.map_err(|error| self.0.of_file(error))?;
        Ok(shortage.map_or(Ok(()), Err))
    }

    async fn budget(&self, budget: &str, since: &[Timestamp]) -> Result<BudgetState, StoreError> {
        let (budget, since, now) = (budget.to_owned(), since.to_vec(), self.0.now());
        let state = move |db: &Connection| {
            let budget = &budget;
            Account { db, budget, now }.state(&since)
        };
        self.0.read(state).await
    }

    async fn spending(&self, query: &SpendingQuery) -> Result<Vec<Spending>, StoreError> {
        let query = query.clone();
        self.0.read(move |db| budgets::spending(db, &query)).await
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        let (retention, now) = (*retention, self.0.now());
        let before = self.0.read(upkeep::file_size).await?;
        let mut pruned = self
            .0
            .write(false, move |db| upkeep::forget(db, &retention, now))
            .await
            .map_err(|error| self.0.of_file(error))?;
        self.0.shrink().await?;
        let after = self.0.read(upkeep::file_size).await?;
        pruned.bytes = before.saturating_sub(after);
        Ok(pruned)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let flushed = self.0.write(true, |_| Ok(())).await;
        flushed.map_err(|error| self.0.of_file(error))
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.path {
            Some(path) => write!(f, "SqliteStore({})", path.display()),
            None => f.write_str("SqliteStore(in memory)"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store is closed")
}

/// What an error of SQLite means for whoever uses the store.
fn problem(error: rusqlite::Error) -> StoreError {
    problem_ref(&error).with_source(error)
}

fn problem_ref(error: &rusqlite::Error) -> StoreError {
    let (kind, what) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (
            StoreErrorKind::Unavailable,
            "the disk is full: free some room".to_owned(),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            StoreErrorKind::Unavailable,
            format!("another process has it locked, for more than {BUSY:?}"),
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            StoreErrorKind::ReadOnly,
            "it cannot be written: look at the permissions of the file and of its folder"
                .to_owned(),
        ),
        Some(ErrorCode::CannotOpen) => (
            StoreErrorKind::Unavailable,
            "it cannot be opened: is there such a folder, and may it be written?".to_owned(),
        ),
        Some(ErrorCode::NotADatabase) => (
            StoreErrorKind::Corrupt,
            "it is no SQLite file: name another one, or a new one".to_owned(),
        ),
        Some(ErrorCode::DatabaseCorrupt) => (
            StoreErrorKind::Corrupt,
            "the file is damaged: copy it, and save what can be saved with `sqlite3 FILE .recover`"
                .to_owned(),
        ),
        Some(_) => (StoreErrorKind::Unavailable, error.to_string()),
        // A value that no store writes.
        None => (
            StoreErrorKind::Corrupt,
            format!("the file holds what no store writes: {error}"),
        ),
    };
    StoreError::new(kind, what)
}
