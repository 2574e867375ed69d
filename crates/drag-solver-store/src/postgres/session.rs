//! What those have in common who read, who write, and who say that this process is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use deadpool_postgres::Pool;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::PostgresOptions;
use super::changes::Changes;
use super::connect::{self, Address};
use super::db::Db;
use super::problem::Result;
use super::schema;
use super::server_clock::{ServerClock, TIME};
use crate::StoreError;
use crate::clock::after;
use crate::key::new_key;

/// How long the server may take for what is read, or forgotten: that may be much.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// This process at its server.
pub(super) struct Session {
    /// The key of this process.
    pub(super) owner: i64,
    pub(super) options: PostgresOptions,
    pub(super) address: Address,
    pool: Pool,
    /// Of the one connection that writes.
    writing: Pool,
    pub(super) clock: ServerClock,
    /// Until when this process is known to be there, in milliseconds since 1970.
    leased_until: AtomicI64,
    pub(super) changes: Arc<Changes>,
    /// The tables are there, and such as this version knows.
    is_ready: OnceCell<()>,
    /// The oldest version that can work on them, as far as was last heard.
    oldest: AtomicI64,
}

impl Session {
    pub(super) fn new(
        address: Address,
        options: PostgresOptions,
    ) -> std::result::Result<Self, StoreError> {
        let readers = options.connections.saturating_sub(1).max(1);
        Ok(Self {
            owner: new_key(),
            pool: address.pool(readers)?,
            writing: address.pool(1)?,
            changes: Arc::new(Changes::new(options.look_again)),
            options,
            address,
            clock: ServerClock::default(),
            leased_until: AtomicI64::new(0),
            is_ready: OnceCell::new(),
            oldest: AtomicI64::new(0),
        })
    }

    /// A connection to a server with our tables.
    pub(super) async fn db(&self) -> Result<Db> {
        self.ready(&self.pool).await
    }

    /// The one that writes, for which those who read are not waited.
    pub(super) async fn writing_db(&self) -> Result<Db> {
        self.ready(&self.writing).await
    }

    async fn ready(&self, pool: &Pool) -> Result<Db> {
        let db = Db::new(pool.get().await?, READ_WITHIN);
        let schema = &self.options.schema;
        let ready = || async {
            schema::migrate(&db, schema, self.options.later_migrations).await?;
            // Whose lease has ended is not for this machine's clock to say.
            let row = db.row(TIME, &[]).await?;
            self.clock.set(row.get(0)?)?;
            connect::warn_of_losses(&db).await
        };
        self.is_ready.get_or_try_init(ready).await?;
        let oldest = self.oldest.load(Ordering::Acquire);
        schema::check_oldest(oldest, self.options.later_migrations)?;
        Ok(db)
    }

    pub(super) fn now(&self) -> Timestamp {
        let given = self.options.clock.as_ref();
        given.map_or_else(|| self.clock.now(), crate::Clock::now)
    }

    /// When a lease ends that is renewed now.
    pub(super) fn lease_until(&self, now: Timestamp) -> Timestamp {
        after(now, self.options.lease)
    }

    pub(super) fn leased_until(&self) -> Timestamp {
        let millis = self.leased_until.load(Ordering::Acquire);
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    pub(super) fn set_leased_until(&self, until: Timestamp) {
        self.leased_until
            .store(until.as_millisecond(), Ordering::Release);
    }

    pub(super) fn set_oldest(&self, oldest: i64) {
        self.oldest.store(oldest, Ordering::Release);
    }

    pub(super) fn of_server(&self, error: StoreError) -> StoreError {
        error.of_place(&self.address.shown)
    }
}
