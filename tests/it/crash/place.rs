//! Where the store is over which processes are killed: in a file, or in PostgreSQL.

use std::path::PathBuf;
#[cfg(unix)]
use std::sync::atomic::{AtomicU32, Ordering};
#[cfg(unix)]
use std::time::Duration;

use drag_solver::store::{Clock, PostgresOptions, PostgresStore, SqliteStore, StoreHandle};
#[cfg(unix)]
#[cfg(unix)]
use drag_solver_tests::postgres::Server;
use serde::{Deserialize, Serialize};

/// How long one of two processes waits for the other that was killed.
#[cfg(unix)]
const LEASE: Duration = Duration::from_secs(2);

/// What a process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Address {
    File(PathBuf),
    #[cfg(unix)]
    Schema(Schema),
}

impl Address {
    pub(super) fn open(&self) -> StoreHandle {
        match self {
            Self::File(path) => StoreHandle::from(&SqliteStore::open(path).unwrap()),
            #[cfg(unix)]
            Self::Schema(schema) => StoreHandle::from(&schema.open()),
        }
    }
}

/// A schema in PostgreSQL.
#[cfg(unix)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Schema {
    url: String,
    name: String,
    /// How much the clock of who opens it is ahead: more than a lease each.
    minutes: u64,
}

#[cfg(unix)]
impl Schema {
    pub(super) fn open(&self) -> PostgresStore {
        let ahead = Duration::from_secs(self.minutes * 60);
        let clock = Clock::from_fn(move || Clock::system().now() + ahead);
        let options = PostgresOptions::default().clock(clock).retention(None);
        let options = options.schema(&*self.name).lease(LEASE);
        PostgresStore::open(&(&*self.url).into(), options).unwrap()
    }
}

/// What all stores of a test are in.
pub(super) enum House {
    Files,
    #[cfg(unix)]
    Postgres(Server),
}

impl House {
    /// `None`, and a word about it, where there is no server.
    #[cfg(unix)]
    pub(super) fn postgres() -> Option<Self> {
        Some(Self::Postgres(Server::start_with(&["fsync=off"])?))
    }

    /// An empty store.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Files => {
                let folder = tempfile::tempdir().unwrap();
                Place {
                    address: Address::File(folder.path().join("s.db")),
                    _folder: Some(folder),
                }
            }
            #[cfg(unix)]
            Self::Postgres(server) => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let schema = Schema {
                    url: server.url(),
                    name: format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed)),
                    minutes: 0,
                };
                Place {
                    address: Address::Schema(schema),
                    _folder: None,
                }
            }
        }
    }
}

/// A store of a test's own.
pub(super) struct Place {
    pub(super) address: Address,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    /// The leases of those who were killed have ended for those who come: in a file at once, and in PostgreSQL by their
    /// clocks, so that nobody has to wait for it.
    pub(super) fn later(&mut self) {
        match &mut self.address {
            Address::File(_) => {}
            #[cfg(unix)]
            Address::Schema(schema) => schema.minutes += 1,
        }
    }
}
