//! What outlives the process, as a file has it.

#[cfg(feature = "store")]
mod open;

use std::time::Duration;

use drag_solver_core::human_duration;
use serde::Deserialize;

#[cfg(feature = "store")]
pub(super) use self::open::{check_budget, check_memory, stored};
use crate::http::Secret;

/// The store of a chain: with it, its calls survive the process (`Durable`), and budgets can be kept in it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreConfig {
    /// The SQLite file, beside that of the chain: this or `url`.
    pub path: Option<String>,
    /// The address of a PostgreSQL database, `postgres://USER:PASSWORD@HOST/DATABASE`, by where it is to be read from:
    /// this or `path`. Feature `postgres`.
    pub url: Option<Secret>,
    /// The schema in the database that has the tables, which is made if there is none. Default: `drag_solver`.
    pub schema: Option<String>,
    /// The file with the certificate of the authority that has signed the server's, in PEM, beside that of the chain.
    /// Default: the authorities that the system trusts.
    pub root_certificates: Option<String>,
    /// How long a process that hangs keeps what it has taken up; with PostgreSQL, also one that was killed. Default: 15 s
    /// in a file, 5 s in PostgreSQL.
    #[serde(default, with = "human_duration::option")]
    pub lease: Option<Duration>,
    /// How long finished challenges are kept. Default: 30 days.
    #[serde(default = "challenges", with = "human_duration")]
    pub challenges: Duration,
    /// How long it is kept what was spent on what. Default: 400 days.
    #[serde(default = "money", with = "human_duration")]
    pub money: Duration,
    /// Whether it buys again for a challenge of which a purchase was sent and nothing was heard. Default: no, as
    /// that may pay twice.
    #[serde(default)]
    pub buy_unconfirmed: bool,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn challenges() -> Duration {
    DAY * 30
}

fn money() -> Duration {
    DAY * 400
}

impl StoreConfig {
    /// The store in the file `path`, with its default settings.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::nowhere()
        }
    }

    /// The store in the PostgreSQL database at this address, with its default settings.
    pub fn postgres(url: impl Into<Secret>) -> Self {
        Self {
            url: Some(url.into()),
            ..Self::nowhere()
        }
    }

    fn nowhere() -> Self {
        Self {
            path: None,
            url: None,
            schema: None,
            root_certificates: None,
            lease: None,
            challenges: challenges(),
            money: money(),
            buy_unconfirmed: false,
        }
    }

    drag_solver_core::setters! {
        lease: some Duration, challenges: Duration, money: Duration, buy_unconfirmed: bool
    }

    /// Puts the store elsewhere: with the other settings, as far as they are of every kind of store.
    #[must_use]
    pub fn moved_to(self, place: Self) -> Self {
        Self {
            path: place.path,
            url: place.url,
            ..self
        }
    }
}

/// What a program without the feature says to a file that needs it.
#[cfg(not(feature = "store"))]
pub(super) const NEEDS_STORE: &str =
    "needs the feature `store` of drag-solver, and this program is built without it";
