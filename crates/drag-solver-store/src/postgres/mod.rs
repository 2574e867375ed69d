//! A store in PostgreSQL, which many machines can share.

mod budgets;
mod challenges;
mod changes;
mod connect;
mod db;
mod facts;
mod keeper;
mod keys;
mod options;
mod owners;
mod problem;
mod schema;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use deadpool_postgres::Pool;
use drag_solver_core::{Usd, Verdict, async_trait};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::{OnceCell, mpsc};
use tokio::time::{Instant, sleep};

use self::changes::{Changes, Mark, mark};
use self::connect::Address;
use self::db::Db;
use self::keeper::ServerClock;
pub use self::options::PostgresOptions;
use self::owners::Owner;
use self::problem::{Problem, Result};
use self::writer::{Write, Writer};
use crate::key::new_key;
use crate::{
    Accepted, BudgetState, ChallengeRecord, Charge, Fact, KeyLimits, KeyRecord, Limit, NewPurchase,
    Opening, Pruned, Query, Reported, Retention, Shortage, Spending, SpendingQuery, Store,
    StoreError, StoreErrorKind, TakenUp,
};

type Told<T> = std::result::Result<T, StoreError>;

/// A store in a PostgreSQL database (14 or newer), which any number of processes on any number of machines share.
///
/// What many calls of a process write at the same time is written in one transaction, by a task of its own, in the order
/// in which it happens. Of a purchase, the job that it came to and what is acknowledged, the server is asked to keep it
/// before anything else happens; of other things it is not waited for.
///
/// Transactions read what is committed (`READ COMMITTED`), and lock what they decide by before they look: a challenge by
/// its row, a budget and the limits of a key by a name that processes take turns by, always in the same order. So none
/// has to be repeated because of another; one that is (a deadlock, a server that restarts or changes over, a connection
/// that breaks, also while nobody knows whether it was committed) is written again, which changes nothing the second time.
/// Calls wait for that as long as [`patience`](PostgresOptions::patience) says.
///
/// A process says that it is there, and what it has taken up ends with its [lease](PostgresOptions::lease). One that
/// was not heard of and comes back finds that its claim is another's: it may neither buy nor say what came of it.
///
/// Clones are the same store. What is still to be written when the last one is dropped is written by a task of the
/// runtime: before a runtime ends, wait for [`flush`](Store::flush).
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
pub struct PostgresStore {
    shared: Arc<Shared>,
    writer: Writer,
    /// Tells of challenges that have ended. The keeper ends with the last of these.
    ended: mpsc::UnboundedSender<Mark>,
}

struct Shared {
    /// The key of this process.
    owner: i64,
    options: PostgresOptions,
    address: Address,
    pool: Pool,
    clock: ServerClock,
    /// Until when this process is known to be there, in milliseconds since 1970.
    leased_until: AtomicI64,
    changes: Arc<Changes>,
    /// The tables are there, and such as this version knows.
    is_ready: OnceCell<()>,
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
    /// Nothing is sent before the store is used: [`flush`](Store::flush) says whether it can be. Its tables are made when it
    /// is used first.
    ///
    /// # Errors
    ///
    /// [`Invalid`](StoreErrorKind::Invalid) if the address or an option cannot be used; or if this is called where no
    /// runtime of tokio is.
    pub fn open(url: &SecretString, options: PostgresOptions) -> Told<Self> {
        let address = Address::read(url, &options)?;
        if tokio::runtime::Handle::try_current().is_err() {
            let problem = "it is opened where no runtime of tokio is: open it inside of one";
            return Err(StoreError::new(StoreErrorKind::Invalid, problem));
        }
        let pool = address.pool(&options)?;
        let shared = Arc::new(Shared {
            owner: new_key(),
            options,
            address,
            pool,
            clock: ServerClock::default(),
            leased_until: AtomicI64::new(0),
            changes: Arc::default(),
            is_ready: OnceCell::new(),
        });
        let (ended, told) = mpsc::unbounded_channel();
        tokio::spawn(keeper::keep(Arc::clone(&shared), told));
        Ok(Self {
            writer: Writer::start(&shared),
            shared,
            ended,
        })
    }

    async fn write<W: Write>(&self, write: W) -> Told<W::Told>
    where
        W::Told: Sync,
    {
        self.writer.write(write).await
    }

    /// What was read, unless it is worth reading again: then it was waited for that.
    async fn settled<T>(&self, read: Result<T>, begun: Instant) -> Option<Told<T>> {
        let Problem { error, passes } = match read {
            Ok(value) => return Some(Ok(value)),
            Err(problem) => problem,
        };
        if !passes || begun.elapsed() >= self.shared.options.patience {
            return Some(Err(self.shared.of_server(error)));
        }
        sleep(READ_AGAIN).await;
        None
    }
}

/// Reads something, also when the server is not there for a while.
macro_rules! read {
    ($store:ident, $db:ident => $read:expr) => {{
        let begun = Instant::now();
        loop {
            let read = match $store.shared.db().await {
                Ok($db) => $read.await,
                Err(problem) => Err(problem),
            };
            if let Some(settled) = $store.settled(read, begun).await {
                break settled;
            }
        }
    }};
}

/// How long until what could not be read is read again.
const READ_AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

impl Shared {
    /// A connection to a server with our tables.
    async fn db(&self) -> Result<Db> {
        let db = Db::new(self.pool.get().await?);
        let schema = &self.options.schema;
        let ready = || schema::migrate(&db, schema, self.options.later_migrations);
        self.is_ready.get_or_try_init(ready).await?;
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

    fn of_server(&self, error: StoreError) -> StoreError {
        error.of_place(&self.address.shown)
    }
}

/// Finds out that the store can be written, after all that was to be written before.
struct Flush;

#[async_trait]
impl Write for Flush {
    type Told = ();

    async fn write(&self, db: &Db) -> Result<()> {
        // A row that is always there: a transaction without any would need no disk.
        db.run("UPDATE version SET version = version", &[])
            .await
            .map(drop)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn take_up(&self, opening: &Opening) -> Told<TakenUp> {
        let take_up = challenges::TakeUp {
            opening: opening.clone(),
            owner: Owner::new(&self.shared),
            now: self.now(),
        };
        self.write(take_up).await
    }

    async fn accept(
        &self,
        opening: &Opening,
        picture: &Bytes,
        limits: &KeyLimits,
    ) -> Told<Accepted> {
        let accept = challenges::Accept {
            opening: opening.clone(),
            picture: picture.clone(),
            limits: *limits,
            now: self.now(),
        };
        self.write(accept).await
    }

    async fn begin_purchase(&self, purchase: NewPurchase) -> Told<()> {
        let now = self.now();
        if self.write(challenges::Begin { purchase, now }).await? {
            return Ok(());
        }
        Err(StoreError::claim_lost())
    }

    fn record(&self, fact: Fact) -> BoxFuture<'static, Told<()>> {
        let written = self.writer.write(facts::op(fact, self.now()));
        let (ended, changes) = (self.ended.clone(), Arc::clone(&self.shared.changes));
        // Also if nobody waits for it, those who wait for the challenge are told.
        let told = tokio::spawn(async move {
            let told = written.await?;
            if let Some(id) = told.ended {
                let mark = mark(&id);
                changes.wake(mark);
                let _ = ended.send(mark);
            }
            if told.had_claim {
                Ok(())
            } else {
                Err(StoreError::claim_lost())
            }
        });
        async move { told.await.unwrap_or_else(|_| Err(closed())) }.boxed()
    }

    async fn find(&self, id: &str) -> Told<Option<ChallengeRecord>> {
        read!(self, db => challenges::find(&db, id, false, self.now()))
    }

    async fn find_with_picture(&self, id: &str) -> Told<Option<ChallengeRecord>> {
        read!(self, db => challenges::find(&db, id, true, self.now()))
    }

    async fn report(&self, id: &str, verdict: Verdict) -> Told<Reported> {
        let id = id.to_owned();
        self.write(challenges::Report { id, verdict }).await
    }

    fn changed(&self, id: &str) -> BoxFuture<'static, ()> {
        self.shared.changes.of(id)
    }

    async fn list(&self, query: &Query) -> Told<Vec<ChallengeRecord>> {
        read!(self, db => challenges::list(&db, query, self.now()))
    }

    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Told<std::result::Result<(), Shortage>> {
        let reserve = budgets::Reserve {
            key,
            budget: budget.to_owned(),
            amount,
            limits: limits.to_vec(),
            owner: Owner::new(&self.shared),
            now: self.now(),
        };
        Ok(self.write(reserve).await?.map_or(Ok(()), Err))
    }

    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Told<std::result::Result<(), Shortage>> {
        let spend = budgets::Spend {
            charge: charge.clone(),
            limits: limits.to_vec(),
            now: self.now(),
        };
        Ok(self.write(spend).await?.map_or(Ok(()), Err))
    }

    async fn budget(&self, budget: &str, since: &[Timestamp]) -> Told<BudgetState> {
        read!(self, db => budgets::account(&db, budget, self.now()).state(since))
    }

    async fn spending(&self, query: &SpendingQuery) -> Told<Vec<Spending>> {
        read!(self, db => budgets::spending(&db, query))
    }

    async fn add_key(&self, key: &KeyRecord) -> Told<bool> {
        let (key, now) = (key.clone(), self.now());
        self.write(keys::Add { key, now }).await
    }

    async fn keys(&self) -> Told<Vec<KeyRecord>> {
        read!(self, db => keys::all(&db))
    }

    async fn revoke_key(&self, name: &str) -> Told<bool> {
        let (name, now) = (name.to_owned(), self.now());
        self.write(keys::Revoke { name, now }).await
    }

    async fn prune(&self, retention: &Retention) -> Told<Pruned> {
        read!(self, _db => keeper::forget(&self.shared, retention))
    }

    async fn flush(&self) -> Told<()> {
        self.write(Flush).await
    }

    fn now(&self) -> Timestamp {
        self.shared.now()
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.shared.address.shown)
    }
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store is closed")
}
