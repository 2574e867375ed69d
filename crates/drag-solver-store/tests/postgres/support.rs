//! What the tests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, Weak};

use drag_solver_store::{PostgresOptions, PostgresStore};
use drag_solver_tests::postgres::Server;

/// A server that all tests share which run at the same time, and a schema of one's own on it.
pub(crate) struct Place {
    pub(crate) server: Arc<Server>,
    pub(crate) schema: String,
}

/// A place for a store; `None` where there is no server.
pub(crate) fn place() -> Option<Place> {
    static SERVER: OnceLock<Mutex<Weak<Server>>> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let shared = SERVER.get_or_init(Mutex::default);
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match shared.upgrade() {
        Some(server) => server,
        None => {
            let server = Arc::new(Server::start()?);
            *shared = Arc::downgrade(&server);
            server
        }
    };
    let schema = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    Some(Place { server, schema })
}

impl Place {
    /// A process that has the store open.
    pub(crate) fn open(&self) -> PostgresStore {
        self.open_with(PostgresOptions::default())
    }

    pub(crate) fn open_with(&self, options: PostgresOptions) -> PostgresStore {
        let options = options.schema(&*self.schema);
        PostgresStore::open(&self.server.url().into(), options).unwrap()
    }
}
