//! What outlives the process, as a file has it.

use std::time::Duration;

use drag_solver_core::human_duration;
use serde::Deserialize;

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

/// A day on which clocks are set back.
#[cfg(feature = "store")]
const LONGEST_DAY: Duration = Duration::from_secs(26 * 60 * 60);

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

#[cfg(not(feature = "store"))]
pub(super) use self::absent::check_budget;
#[cfg(feature = "store")]
pub(super) use self::present::{check_budget, check_memory, stored};

#[cfg(feature = "store")]
mod present {
    use std::path::Path;

    use drag_solver_core::{CheckSettings as _, human_duration};
    use drag_solver_store::jiff::tz::TimeZone;
    use drag_solver_store::{
        Retention, SqliteOptions, SqliteStore, StoreHandle, StoredBudget, StoredBudgetPolicy,
    };

    #[cfg(feature = "postgres")]
    use drag_solver_store::{PostgresOptions, PostgresStore};

    use super::StoreConfig;
    use crate::ConfigError;
    use crate::config::BudgetConfig;
    use crate::http::{Context, Secret};

    impl StoreConfig {
        /// Opens the store; a path that is not absolute is one beside the chain's file.
        pub(in crate::config) fn open(
            &self,
            context: &Context,
        ) -> Result<StoreHandle, ConfigError> {
            let retention = Retention::default()
                .challenges(self.challenges)
                .money(self.money);
            retention.check()?;
            if self.lease.is_some_and(|lease| lease.is_zero()) {
                return Err(ConfigError::new("lease", "must be longer than zero"));
            }
            match (&self.path, &self.url) {
                (Some(path), None) => self.open_file(&context.path(path), retention),
                (None, Some(url)) => self.open_postgres(url, retention, context),
                (Some(_), Some(_)) => {
                    let problem =
                        "there is a `path` as well: the store is in a file, or in PostgreSQL";
                    Err(ConfigError::new("url", problem))
                }
                (None, None) => {
                    let problem =
                        "is not set: write the name of a file, or `url` for a store in PostgreSQL";
                    Err(ConfigError::new("path", problem))
                }
            }
        }

        fn open_file(&self, path: &Path, retention: Retention) -> Result<StoreHandle, ConfigError> {
            let of_postgres = [
                ("schema", self.schema.is_some()),
                ("root_certificates", self.root_certificates.is_some()),
            ];
            if let Some((key, _)) = of_postgres.into_iter().find(|(_, is_set)| *is_set) {
                let problem = "is for a store in PostgreSQL, and this one is in a file";
                return Err(ConfigError::new(key, problem));
            }
            let mut options = SqliteOptions::default().retention(retention);
            options.lease = self.lease.unwrap_or(options.lease);
            let store = SqliteStore::open_with(path, options);
            let store = store.map_err(|error| ConfigError::new("path", error.to_string()))?;
            Ok(StoreHandle::from(&store))
        }

        #[cfg(feature = "postgres")]
        fn open_postgres(
            &self,
            url: &Secret,
            retention: Retention,
            context: &Context,
        ) -> Result<StoreHandle, ConfigError> {
            let url = context.secret("url", url)?;
            let mut options = PostgresOptions::default().retention(retention);
            options.lease = self.lease.unwrap_or(options.lease);
            if let Some(schema) = &self.schema {
                options = options.schema(&**schema);
            }
            let roots = self.root_certificates.as_ref();
            options.root_certificates = roots.map(|path| context.path(path));
            let store = PostgresStore::open(&url, options);
            let store = store.map_err(|error| ConfigError::new("url", error.to_string()))?;
            Ok(StoreHandle::from(&store))
        }

        #[cfg(not(feature = "postgres"))]
        #[allow(clippy::unused_self)] // with the feature, it is
        fn open_postgres(
            &self,
            _: &Secret,
            _: Retention,
            _: &Context,
        ) -> Result<StoreHandle, ConfigError> {
            let problem =
                "needs the feature `postgres` of drag-solver, and this program is built without it";
            Err(ConfigError::new("url", problem))
        }
    }

    /// What a budget counts must not be forgotten before it no longer counts.
    pub(in crate::config) fn check_memory(
        store: &StoreConfig,
        budget: Option<&BudgetConfig>,
    ) -> Result<(), ConfigError> {
        let Some(budget) = budget.filter(|budget| budget.name.is_some()) else {
            return Ok(());
        };
        let counted = [
            (budget.per_period.is_some(), "period", budget.period),
            (budget.per_day.is_some(), "per_day", super::LONGEST_DAY),
        ];
        for (_, key, length) in counted.into_iter().filter(|(is_set, ..)| *is_set) {
            if length > store.money {
                let problem = format!(
                    "counts what was spent in the last {}, and the store forgets it after {}: make `money` of \
                     [store] longer",
                    human_duration::display(length),
                    human_duration::display(store.money)
                );
                return Err(ConfigError::new(key, problem).in_key("budget"));
            }
        }
        Ok(())
    }

    pub(in crate::config) fn check_budget(budget: &BudgetConfig) -> Result<(), ConfigError> {
        policy(budget)?.check()
    }

    fn policy(budget: &BudgetConfig) -> Result<StoredBudgetPolicy, ConfigError> {
        let mut policy = StoredBudgetPolicy::default().period(budget.period);
        policy.total = budget.total;
        policy.per_period = budget.per_period;
        policy.per_day = budget.per_day;
        if let Some(name) = &budget.time_zone {
            policy.time_zone = TimeZone::get(name).map_err(|_| {
                let problem = "is not the name of a time zone that this system knows: write it like \
                               \"Asia/Ho_Chi_Minh\" or \"UTC\"";
                ConfigError::new("time_zone", problem)
            })?;
        }
        Ok(policy)
    }

    /// The budget of this name in the store.
    pub(in crate::config) fn stored(
        budget: &BudgetConfig,
        name: &str,
        store: Option<&StoreHandle>,
    ) -> Result<StoredBudget, ConfigError> {
        let Some(store) = store else {
            let problem = "is that of a budget in a store, and the chain has none: write [store] and its \
                           path into the file, or leave the name out";
            return Err(ConfigError::new("name", problem));
        };
        let policy = policy(budget)?;
        Ok(if budget.by_label {
            StoredBudget::by_label(store, name, move |_| policy.clone())
        } else {
            StoredBudget::new(store, name, policy)
        })
    }
}

#[cfg(not(feature = "store"))]
mod absent {
    use crate::ConfigError;
    use crate::config::BudgetConfig;

    pub(in crate::config) fn check_budget(_: &BudgetConfig) -> Result<(), ConfigError> {
        Err(ConfigError::new("name", super::NEEDS_STORE))
    }
}

/// What a program without the feature says to a file that needs it.
#[cfg(not(feature = "store"))]
pub(super) const NEEDS_STORE: &str =
    "needs the feature `store` of drag-solver, and this program is built without it";
