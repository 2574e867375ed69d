//! A store in PostgreSQL, which many machines can share.

mod aside;
mod budgets;
mod calls;
mod challenges;
mod changes;
mod connect;
mod copy;
mod db;
mod facts;
mod keeper;
mod keys;
mod options;
mod owners;
mod problem;
mod purchases;
mod records;
mod schema;
mod store;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use deadpool_postgres::Pool;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{OnceCell, mpsc};

use self::changes::Changes;
use self::connect::Address;
use self::db::Db;
use self::keeper::ServerClock;
pub use self::options::PostgresOptions;
use self::problem::Result;
use self::writer::{Write, Writer};
use crate::key::new_key;
use crate::{StoreError, StoreErrorKind};

type Told<T> = std::result::Result<T, StoreError>;

/// A store in a PostgreSQL database (tested with 15), which any number of processes on any number of machines share.
///
/// What many calls of a process write at the same time is written in one transaction, by a task of its own, in the order
/// in which it happens. The server keeps it before it is told: what it forgot in a crash, the processes would not know.
///
/// Transactions read what is committed (`READ COMMITTED`), and lock what they decide by before they look: a challenge by
/// its row, a budget and the limits of a key by a name that processes take turns by, always in the same order. So none
/// has to be repeated because of another; one that is (a deadlock, a server that restarts or changes over, a connection
/// that breaks, also while it is unknown whether it was committed) is written again, which changes nothing the second time.
/// Calls wait for that as long as [`patience`](PostgresOptions::patience) says.
///
/// A process says that it is there, and what it has taken up ends with its [lease](PostgresOptions::lease). One that
/// was not heard of and comes back finds that its claim is another's: it may neither buy nor say what came of it.
///
/// Clones are the same store. When the last one is dropped, what is still to be written is written, which blocks: for some
/// milliseconds, or as long as the patience if the server is not there.
///
/// ```no_run
/// use drag_solver_store::{PostgresOptions, PostgresStore, Store, StoreExt};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let provider = MockSolver::new("example").always(fixtures::drag());
/// let url = std::env::var("DATABASE_URL")?; // postgres://USER:PASSWORD@HOST/DATABASE
/// let store = PostgresStore::open(&url.into(), PostgresOptions::default())?;
/// store.flush().await?; // it can be reached, and written
/// let solver = provider.durable(&store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    /// The runtime that reads and writes: a thread of its own, which no call keeps from saying that this process is there.
    runtime: Handle,
    writer: Option<Writer>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// The key of this process.
    owner: i64,
    options: PostgresOptions,
    address: Address,
    pool: Pool,
    /// Of the one connection that writes.
    writing: Pool,
    clock: ServerClock,
    /// Until when this process is known to be there, in milliseconds since 1970.
    leased_until: AtomicI64,
    changes: Arc<Changes>,
    /// The tables are there, and such as this version knows.
    is_ready: OnceCell<()>,
    /// The oldest version that can work on them, as far as was last heard.
    oldest: AtomicI64,
}

impl PostgresStore {
    /// Opens the store in the database at this address, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with further
    /// settings of [tokio-postgres](https://docs.rs/tokio-postgres/latest/tokio_postgres/config/struct.Config.html) after a
    /// `?`. Several hosts, separated by commas, with `target_session_attrs=read-write` are servers that take over from
    /// each other.
    ///
    /// It is encrypted unless the server is on this machine, and its certificate is checked; `sslmode=` in the address says
    /// otherwise.
    ///
    /// Nothing is sent before the store is used: [`flush`](crate::Store::flush) says whether it can be. Its tables are made when it
    /// is used first.
    ///
    /// # Errors
    ///
    /// [`Invalid`](StoreErrorKind::Invalid) if the address or an option cannot be used.
    pub fn open(url: &SecretString, options: PostgresOptions) -> Told<Self> {
        let address = Address::read(url, &options)?;
        let readers = options.connections.saturating_sub(1).max(1);
        let (pool, writing) = (address.pool(readers)?, address.pool(1)?);
        let shared = Arc::new(Shared {
            owner: new_key(),
            changes: Arc::new(Changes::new(options.look_again)),
            options,
            address,
            pool,
            writing,
            clock: ServerClock::default(),
            leased_until: AtomicI64::new(0),
            is_ready: OnceCell::new(),
            oldest: AtomicI64::new(0),
        });
        let (ended, told) = mpsc::unbounded_channel();
        let (writer, write) = Writer::new(&shared, ended);
        let keep = keeper::keep(Arc::clone(&shared), told);
        let unavailable = |error: std::io::Error| {
            let message = "the thread that reads and writes cannot be started";
            StoreError::new(StoreErrorKind::Unavailable, message).with_source(error)
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(unavailable)?;
        let handle = runtime.handle().clone();
        let thread = std::thread::Builder::new()
            .name("drag-solver-store".to_owned())
            .spawn(move || {
                // What writes ends with the store, and what keeps after it.
                runtime.block_on(async { tokio::join!(write, keep) });
            })
            .map_err(unavailable)?;
        Ok(Self(Arc::new(Inner {
            shared,
            runtime: handle,
            writer: Some(writer),
            thread: Some(thread),
        })))
    }

    async fn write<W: Write>(&self, write: W) -> Told<W::Told>
    where
        W::Told: Sync,
    {
        match &self.0.writer {
            Some(writer) => writer.write(write).await,
            None => Err(closed()),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.writer.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How long the server may take for what is read, or forgotten: that may be much.
const READ_WITHIN: Duration = Duration::from_secs(60);

impl Shared {
    /// A connection to a server with our tables.
    async fn db(&self) -> Result<Db> {
        self.ready(&self.pool).await
    }

    /// The one that writes, for which those who read are not waited.
    async fn writing_db(&self) -> Result<Db> {
        self.ready(&self.writing).await
    }

    async fn ready(&self, pool: &Pool) -> Result<Db> {
        let db = Db::new(pool.get().await?, READ_WITHIN);
        let schema = &self.options.schema;
        let ready = || async {
            schema::migrate(&db, schema, self.options.later_migrations).await?;
            // Whose lease has ended is not for this machine's clock to say.
            let row = db.row(keeper::TIME, &[]).await?;
            self.clock.set(row.get(0)?)?;
            connect::warn_of_losses(&db).await
        };
        self.is_ready.get_or_try_init(ready).await?;
        let oldest = self.oldest.load(Ordering::Acquire);
        schema::check_oldest(oldest, self.options.later_migrations)?;
        Ok(db)
    }

    fn now(&self) -> Timestamp {
        let given = self.options.clock.as_ref();
        given.map_or_else(|| self.clock.now(), crate::Clock::now)
    }

    /// When a lease ends that is renewed now.
    fn lease_until(&self, now: Timestamp) -> Timestamp {
        let until = now.checked_add(self.options.lease);
        until.unwrap_or(Timestamp::MAX)
    }

    fn leased_until(&self) -> Timestamp {
        let millis = self.leased_until.load(Ordering::Acquire);
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    fn set_leased_until(&self, until: Timestamp) {
        self.leased_until
            .store(until.as_millisecond(), Ordering::Release);
    }

    fn set_oldest(&self, oldest: i64) {
        self.oldest.store(oldest, Ordering::Release);
    }

    fn of_server(&self, error: StoreError) -> StoreError {
        error.of_place(&self.address.shown)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.0.shared.address.shown)
    }
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store is closed")
}
