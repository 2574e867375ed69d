//! What a file says of a store and its budgets, made real.

use std::path::Path;
use std::time::Duration;

use drag_solver_core::{CheckSettings as _, human_duration};
use drag_solver_store::jiff::tz::TimeZone;
use drag_solver_store::{
    Retention, SqliteOptions, SqliteStore, StoreHandle, StoredBudget, StoredBudgetPolicy,
};

#[cfg(feature = "postgres")]
use drag_solver_store::{PostgresOptions, PostgresStore};

use super::StoreConfig;
use crate::ConfigError;
use crate::config::budget::BudgetConfig;
use crate::http::{Context, Secret};

/// A day on which clocks are set back.
const LONGEST_DAY: Duration = Duration::from_secs(26 * 60 * 60);

impl StoreConfig {
    /// Opens the store; a path that is not absolute is one beside the chain's file.
    pub(in crate::config) fn open(&self, context: &Context) -> Result<StoreHandle, ConfigError> {
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
                let problem = "there is a `path` as well: the store is in a file, or in PostgreSQL";
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
        if path
            .metadata()
            .is_ok_and(|there| !there.is_file() && !there.is_dir())
        {
            let problem = "is no regular file: name one, or a file that is not there yet";
            return Err(ConfigError::new("path", problem));
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
        (budget.per_day.is_some(), "per_day", LONGEST_DAY),
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
