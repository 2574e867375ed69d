//! Where the store is that several processes have open: a schema of its own on a server that all tests share.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use drag_solver_store::{Clock, PostgresOptions, PostgresStore, Store as _};
use drag_solver_tests::postgres::Server;

pub(crate) type TheStore = PostgresStore;

/// How long a process that is not heard of keeps what it has taken up, by the clock that tests set: so long that it is
/// not renewed meanwhile.
pub(crate) const LEASE: Duration = Duration::from_secs(3_600);

/// The same where tests wait for its end.
const SHORT_LEASE: Duration = Duration::from_secs(2);

pub(crate) struct Place {
    pub(crate) server: Arc<Server>,
    pub(crate) schema: String,
}

impl Place {
    /// A place for a store; `None` where there is no server.
    pub(crate) fn new() -> Option<Self> {
        static SERVER: OnceLock<Mutex<Weak<Server>>> = OnceLock::new();
        let shared = SERVER.get_or_init(Mutex::default);
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let server = if let Some(server) = shared.upgrade() {
            server
        } else {
            let server = Arc::new(Server::start_with(&["fsync=off", "max_connections=200"])?);
            *shared = Arc::downgrade(&server);
            server
        };
        Some(Self::on(server))
    }

    /// A place on a server that is this test's alone, and may be killed.
    pub(crate) fn alone() -> Option<Self> {
        Some(Self::on(Arc::new(Server::start()?)))
    }

    fn on(server: Arc<Server>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Self { server, schema }
    }

    /// What another process is told.
    pub(crate) fn address(&self) -> String {
        format!("{} {}", self.schema, self.server.url())
    }

    /// A process that has the store open.
    pub(crate) fn open(&self) -> PostgresStore {
        open(&self.address())
    }

    pub(crate) fn open_with(&self, options: PostgresOptions) -> PostgresStore {
        self.open_at(&self.server.url(), options)
    }

    /// The same by way of another address.
    pub(crate) fn open_at(&self, url: &str, options: PostgresOptions) -> PostgresStore {
        let options = options.schema(&*self.schema);
        PostgresStore::open(&url.into(), options).unwrap()
    }

    /// A process of its own, as far as the store can tell, which lives by this clock.
    pub(crate) async fn open_by(&self, clock: Clock) -> PostgresStore {
        let before = self.processes();
        let options = PostgresOptions::default().clock(clock).retention(None);
        let store = self.open_with(options.lease(LEASE));
        store.flush().await.unwrap();
        // It says that it is there, and not again for as long as the test takes.
        while self.processes() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        store
    }

    fn processes(&self) -> u32 {
        let there = self.sql("SELECT to_regclass('owners') IS NOT NULL");
        if there == "f" {
            return 0;
        }
        self.sql("SELECT count(*) FROM owners").parse().unwrap()
    }

    /// What is there beside the store when no process has it open.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let left = self.sql("SELECT key FROM owners UNION ALL SELECT key FROM reservations");
        left.lines().map(str::to_owned).collect()
    }

    /// What the server answers, asked without a store.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let sql = format!("SET search_path TO {}; {sql}", self.schema);
        self.server.psql(&sql).unwrap()
    }
}

/// Opens the store as another process does that was told its address.
pub(crate) fn open(address: &str) -> PostgresStore {
    let (schema, url) = address.split_once(' ').unwrap();
    let options = PostgresOptions::default().schema(schema).lease(SHORT_LEASE);
    PostgresStore::open(&url.into(), options).unwrap()
}
