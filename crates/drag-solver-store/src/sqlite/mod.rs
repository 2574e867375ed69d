//! A store in one SQLite file.

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
mod upkeep;
mod values;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use drag_solver_core::{Usd, Verdict, async_trait};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use self::budgets::Account;
use self::file::StoreFile;
pub use self::options::SqliteOptions;
use self::problem::problem;
use self::writer::{Op, Writer};
use crate::key::new_key;
use crate::{
    Accepted, BudgetState, CallRecord, ChallengeRecord, Charge, Clock, Fact, KeyLimits, KeyRecord,
    Limit, NewPurchase, Opening, Pruned, Query, Reported, Retention, Shortage, Spending,
    SpendingQuery, Store, StoreError, StoreErrorKind, TakenUp,
};

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
    /// The key of this process.
    owner: i64,
    clock: Clock,
    how: How,
}

/// One reads, and the next is at hand. Thousands of calls that read at once would be hundreds of threads that wait for
/// their turn, each with a stack and an allocator's memory of its own.
const AT_THE_READER: usize = 2;

/// How it is written.
enum How {
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
        let (own, now) = (self.0.owner, self.0.now());
        let shared = self.0.write(false, {
            let path = self.0.path().map(Path::to_owned);
            move |db| {
                if let Some(path) = &path {
                    owners::sweep(db, path, own)?;
                }
                db.prepare_cached("SELECT 1 FROM owners WHERE key <> ? AND lease_until > ?")?
                    .exists([own, now.as_millisecond()])
            }
        });
        shared.await.map_err(|error| self.0.of_file(error))
    }

    /// What a statement finds.
    pub(crate) async fn rows<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.read(read).await
    }
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When the lease of this process ends that is renewed now; `None` if no other process can see it.
    fn lease_until(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.how {
            How::Thread { file, .. } => Some(upkeep::lease_until(now, file.options.lease)),
            How::Inline(_) => None,
        }
    }

    fn path(&self) -> Option<&Path> {
        match &self.how {
            How::Thread { file, .. } => Some(&file.path),
            How::Inline(_) => None,
        }
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
                // The caller may be gone.
                let _ = sender.send(ended);
            })),
        };
        self.submit(op);
        receiver.await.map_err(|_| closed())??;
        let value = lock(&result).take();
        value.ok_or_else(closed)
    }

    fn submit(&self, op: Op) {
        match &self.how {
            How::Thread { ops, .. } => {
                if let Some(ops) = ops {
                    // The thread ends with the store, and not before.
                    let _ = ops.send(op);
                }
            }
            How::Inline(writer) => lock(writer).write(vec![op]),
        }
    }

    async fn read<T: Send + 'static>(
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
                reader.clone().ok_or_else(closed)?,
                Arc::clone(at_the_reader),
            ),
        };
        let turn = at_the_reader.acquire_owned().await.map_err(|_| closed())?;
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            run(&lock(&reader))
        });
        let read = work.await.map_err(|_| closed())?;
        read.map_err(|error| self.of_file(problem(error)))
    }

    fn inline<T>(
        &self,
        writer: &Mutex<Writer>,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let writer = lock(writer);
        let db = writer.db().ok_or_else(closed)?;
        run(db).map_err(|error| self.of_file(problem(error)))
    }

    fn of_file(&self, error: StoreError) -> StoreError {
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

#[async_trait]
impl Store for SqliteStore {
    async fn take_up(&self, opening: &Opening) -> Result<TakenUp, StoreError> {
        let (opening, owner, now) = (opening.clone(), self.0.owner, self.0.now());
        let path = self.0.path().map(Path::to_owned);
        let lease = self.0.lease_until(now);
        let taken = self.0.write(false, move |db| {
            if let Some(until) = lease {
                owners::keep(db, owner, now, until)?;
            }
            let taken = challenges::take_up(db, &opening, owner, now)?;
            let (TakenUp::Held, Some(path)) = (&taken, &path) else {
                return Ok(taken);
            };
            owners::sweep(db, path, owner)?;
            challenges::take_up(db, &opening, owner, now)
        });
        taken.await.map_err(|error| self.0.of_file(error))
    }

    async fn accept(
        &self,
        opening: &Opening,
        picture: &Bytes,
        limits: &KeyLimits,
    ) -> Result<Accepted, StoreError> {
        let (opening, picture, now) = (opening.clone(), picture.clone(), self.0.now());
        let limits = *limits;
        let accepted = self.0.write(true, move |db| {
            challenges::accept(db, &opening, &picture, &limits, now)
        });
        accepted.await.map_err(|error| self.0.of_file(error))
    }

    async fn begin_purchase(&self, purchase: NewPurchase) -> Result<(), StoreError> {
        let now = self.0.now();
        let begun = self.0.write(true, move |db| {
            purchases::begin_purchase(db, &purchase, now)
        });
        if begun.await.map_err(|error| self.0.of_file(error))? {
            return Ok(());
        }
        Err(StoreError::claim_lost())
    }

    fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>> {
        let now = self.0.now();
        let (sender, receiver) = oneshot::channel();
        let durable = matches!(fact, Fact::Bought { .. } | Fact::Found { .. });
        let had_it = Arc::new(AtomicBool::new(true));
        let found = Arc::clone(&had_it);
        self.0.submit(Op {
            durable,
            is_fact: true,
            run: Box::new(move |db| {
                found.store(purchases::record(db, &fact, now)?, Ordering::Relaxed);
                budgets::record(db, &fact, now)?;
                calls::record(db, &fact)
            }),
            done: Some(Box::new(move |ended| {
                let _ = sender.send(ended);
            })),
        });
        async move {
            receiver.await.unwrap_or_else(|_| Err(closed()))?;
            if !had_it.load(Ordering::Relaxed) {
                return Err(StoreError::claim_lost());
            }
            Ok(())
        }
        .boxed()
    }

    async fn find(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let (id, now) = (id.to_owned(), self.0.now());
        let find = move |db: &Connection| records::find(db, &id, false, now);
        self.0.read(find).await
    }

    async fn find_with_picture(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let (id, now) = (id.to_owned(), self.0.now());
        let find = move |db: &Connection| records::find(db, &id, true, now);
        self.0.read(find).await
    }

    async fn report(&self, id: &str, verdict: Verdict) -> Result<Reported, StoreError> {
        let id = id.to_owned();
        let reported = self
            .0
            .write(true, move |db| challenges::report(db, &id, verdict));
        reported.await.map_err(|error| self.0.of_file(error))
    }

    async fn list(&self, query: &Query) -> Result<Vec<ChallengeRecord>, StoreError> {
        let (query, now) = (query.clone(), self.0.now());
        self.0.read(move |db| records::list(db, &query, now)).await
    }

    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        let (owner, now) = (self.0.owner, self.0.now());
        let path = self.0.path().map(Path::to_owned);
        let (budget, limits) = (budget.to_owned(), limits.to_vec());
        let lease = self.0.lease_until(now);
        let reserved = self.0.write(false, move |db| {
            if let Some(until) = lease {
                owners::keep(db, owner, now, until)?;
            }
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

    async fn calls(
        &self,
        solver: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<CallRecord>, StoreError> {
        let (solver, now) = (solver.to_owned(), self.0.now());
        let last = move |db: &Connection| calls::last(db, &solver, since, now, limit);
        self.0.read(last).await
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<bool, StoreError> {
        let (key, now) = (key.clone(), self.0.now());
        let added = self.0.write(true, move |db| keys::add(db, &key, now));
        added.await.map_err(|error| self.0.of_file(error))
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.0.read(keys::all).await
    }

    async fn revoke_key(&self, name: &str) -> Result<bool, StoreError> {
        let (name, now) = (name.to_owned(), self.0.now());
        let revoked = self.0.write(true, move |db| keys::revoke(db, &name, now));
        revoked.await.map_err(|error| self.0.of_file(error))
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
        let (owner, now) = (self.0.owner, self.0.now());
        let lease = self.0.lease_until(now);
        // Something is written, too: on a full disk, an empty transaction would succeed.
        let flushed = self.0.write(true, move |db| match lease {
            Some(until) => owners::renew_inside(db, owner, now, until),
            None => Ok(()),
        });
        let flushed = flushed.await;
        flushed.map_err(|error| self.0.of_file(error))
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn path(&self) -> Option<&Path> {
        self.0.path()
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store is closed")
}
