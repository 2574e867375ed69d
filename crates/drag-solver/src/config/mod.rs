//! Chains from a file, from code or from options: who is asked, with which settings, and what is
//! around them.
//!
//! In TOML, a chain is this. Every key but `providers` and `kind` may be left out; what is not
//! written is not in the chain.
//!
//! ```toml
//! deadline = "120s"                        # for all of it, unless a challenge brings its own
//! strategy = "fallback"                    # one provider after the other, in this order; or
//!                                          # { kind = "hedge", delay = "8s" }, { kind = "quorum" },
//!                                          # { kind = "fallback", order = true }: the best first
//!
//! [store]                                  # what is paid for survives the process (feature `store`)
//! path = "drags.db"
//!
//! [budget]                                 # together, they spend no more than this
//! name = "daily"                           # kept in the store; without a name, in memory
//! per_period = "5"                         # US dollars
//! period = "24h"
//!
//! [[providers]]
//! name = "first"                           # unless set, the kind
//! kind = "omocaptcha"
//! token = { env = "OMOCAPTCHA_API_TOKEN" } # or { file = "PATH" }; never the token itself
//! price = "0.0009"                         # the most that an answer costs
//! timeout = "60s"                          # for one attempt; total_timeout is for all together
//! retry = { max_attempts = 3 }
//! validate = true                          # with its default settings
//! fit = true                               # makes screenshots fit (feature `image`)
//!
//! [[providers]]
//! kind = "twocaptcha"
//! price = "0.0012"
//! ```
//!
//! The format is not fixed: [`ChainConfig`] is read from anything that serde reads.
//!
//! Policies are put around a provider in the one order that works, not in that of the file;
//! from the outside in: `deadline`, `store`, `strategy`, then for each provider `total_timeout`, `retry`,
//! `rate_limit`, `concurrency_limit`, `circuit_breaker`, `budget`, `timeout`, `validate`, `fit`. With
//! `instrument = true` there are spans and metrics around all of it and around each attempt.
//!
//! What a provider's table does not say is taken from the environment variables that its own page
//! names, and then from its defaults. So the second provider above reads its key from
//! `TWOCAPTCHA_API_KEY`.
//!
#![cfg_attr(feature = "omocaptcha", doc = "```")]
#![cfg_attr(not(feature = "omocaptcha"), doc = "```ignore")]
//! use drag_solver::DragSolver;
//! use drag_solver::config::{ChainConfig, Registry};
//!
//! # let json = serde_json::json!({
//! #     "deadline": "120s",
//! #     "providers": [{
//! #         "name": "first",
//! #         "kind": "omocaptcha",
//! #         "token": {"env": "TOKEN"},
//! #         "timeout": "60s",
//! #         "retry": {"max_attempts": 2, "max_retry_after": "0s"},
//! #     }],
//! # }).to_string();
//! # let registry = Registry::standard().with_variables(|name| (name == "TOKEN").then(|| "x".into()));
//! let config: ChainConfig = serde_json::from_str(&json)?; // or toml::from_str, ..
//! let chain = config.build(&registry)?; // Registry::standard(): the providers that are compiled in
//! println!("{chain:#}");
//! println!("at most: {}", chain.profile().worst_case);
//! # assert_eq!(chain.profile().worst_case.to_string(), "2 answers, 120s, unknown cost");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Code fills the same settings, and gets the same chain:
//!
#![cfg_attr(all(feature = "omocaptcha", feature = "twocaptcha"), doc = "```no_run")]
#![cfg_attr(
    not(all(feature = "omocaptcha", feature = "twocaptcha")),
    doc = "```ignore"
)]
//! use std::time::Duration;
//!
//! use drag_solver::config::{ChainConfig, ProviderConfig, Registry};
//! use drag_solver::{RetryPolicy, ValidatePolicy};
//!
//! let providers = ["omocaptcha", "twocaptcha"].map(|kind| {
//!     ProviderConfig::new(kind)
//!         .validate(ValidatePolicy::default())
//!         .timeout(Duration::from_secs(60))
//!         .retry(RetryPolicy::default())
//! });
//! let chain = ChainConfig::new(providers).build(&Registry::standard())?;
//! # Ok::<(), drag_solver::ConfigError>(())
//! ```
//!
//! A service that no crate knows can be declared in the file, or in a file of its own, and is then a kind
//! like any other:
//!
//! ```toml
//! [services]
//! other = "other.toml"                     # a file beside this one
//!
//! [services.pointing]
//! family = "createTask"
//! key = "POINTING_API_KEY"
//! base_url = "https://api.pointing.example"
//! create.json.task = { type = "CoordinatesTask", body = "{picture.base64}" }
//! answer.at = "/solution/coordinates"
//!
//! [[providers]]
//! kind = "pointing"
//! ```
//!
//! When the file has changed, [`Chain::rebuilt`] makes its chain and keeps what the old one knows. What
//! policies share and keep can come from outside, or be shared among chains: [`ChainParts`]. How a chain is
//! doing, [`Chain::health`] says, and [`Chain::full_health`] asks accounts and the store for what only they
//! know. `docs/chain-file.md` in the repository lists all keys with their defaults.
//!
//! A mistake is a [`ConfigError`] with its place and, for a key that is not known, the nearest one that
//! is. A program adds providers of its own to the [`Registry`].

mod activity;
mod advice;
mod budget;
mod build;
#[cfg(feature = "store")]
mod calls;
mod chain;
mod handle;
mod health;
mod instrument;
#[cfg(feature = "operators")]
mod operators;
mod parts;
mod provider;
mod reader;
mod registry;
mod services;
#[cfg(test)]
mod services_tests;
mod store;
#[cfg(test)]
#[cfg(all(feature = "mock", feature = "store"))]
mod store_tests;
mod strategy;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

pub use drag_solver_core::human_duration;
use drag_solver_core::setters;
#[doc(hidden)]
pub use drag_solver_declared::DeclaredApi;
pub use drag_solver_declared::{Declared, Definition};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};

pub use self::budget::BudgetConfig;
pub use self::chain::Chain;
pub use self::handle::ProviderHandle;
pub use self::health::{
    AccountHealth, BudgetHealth, ChainHealth, CircuitHealth, ConcurrencyHealth, LastError,
    ProviderHealth, RateHealth, RetryBudgetHealth,
};
#[cfg(feature = "store")]
pub use self::health::{StoreHealth, StoredBudgetHealth};
pub use self::instrument::InstrumentConfig;
pub use self::parts::{ChainParts, ProviderParts};
pub use self::provider::ProviderConfig;
use self::provider::limit;
use self::reader::{Table, switch};
pub use self::registry::{ProviderKind, Registry};
pub use self::services::read_service;
use self::services::{Declaration, declare, services};
pub use self::store::StoreConfig;
pub use self::strategy::Strategy;
use self::value::Value;
use crate::{ConfigError, DeadlinePolicy, RetryBudgetPolicy};

/// A chain as a configuration file has it. See the [module](self) for the format.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChainConfig {
    /// Gives a challenge that has no deadline this one.
    pub deadline: Option<DeadlinePolicy>,
    /// Who of several providers is asked.
    pub strategy: Strategy,
    /// Keeps what must outlive the process.
    pub store: Option<StoreConfig>,
    /// Limits what all providers spend together.
    pub budget: Option<BudgetConfig>,
    /// Limits how often all providers together are asked again.
    pub retry_budget: Option<RetryBudgetPolicy>,
    /// Gives each challenge and each attempt a tracing span and, with the feature `metrics`, counts and times
    /// them.
    pub instrument: Option<InstrumentConfig>,
    /// Who can be asked.
    pub providers: Vec<ProviderConfig>,
    /// Services that the file declares itself.
    services: BTreeMap<String, Declaration>,
}

impl ChainConfig {
    setters! {
        deadline: some DeadlinePolicy,
        strategy: Strategy,
        retry_budget: some RetryBudgetPolicy,
        instrument: some InstrumentConfig,
    }

    /// Sets [`budget`](Self::budget). Takes a [`BudgetPolicy`](crate::BudgetPolicy) too.
    #[must_use]
    pub fn budget(mut self, budget: impl Into<BudgetConfig>) -> Self {
        self.budget = Some(budget.into());
        self
    }

    /// Sets [`store`](Self::store).
    #[must_use]
    pub fn store(mut self, store: StoreConfig) -> Self {
        self.store = Some(store);
        self
    }

    /// A chain of these providers, with nothing around them.
    pub fn new(providers: impl IntoIterator<Item = ProviderConfig>) -> Self {
        Self {
            providers: providers.into_iter().collect(),
            ..Self::default()
        }
    }

    /// `registry`, and the services that are declared in the file: the kinds that its providers can have.
    ///
    /// # Errors
    ///
    /// What is wrong with a declaration, and where in it.
    pub fn registry(&self, registry: &Registry) -> Result<Registry, ConfigError> {
        declare(&self.services, registry)
    }

    /// Reads a chain in any format. Deserialising does the same, and wraps the error in the format's
    /// own.
    ///
    /// # Errors
    ///
    /// What is wrong and where in the file.
    ///
    /// ```
    /// use drag_solver::config::ChainConfig;
    ///
    /// let file = r#"{"providers": [{"name": "first", "kind": "omocaptcha", "retry": {"max_atempts": 3}}]}"#;
    /// let error = ChainConfig::read(&mut serde_json::Deserializer::from_str(file)).unwrap_err();
    /// assert_eq!(error.path(), "providers.first.retry");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "unknown key `max_atempts` in providers.first.retry: did you mean `max_attempts`?"
    /// );
    /// ```
    pub fn read<'de>(file: impl Deserializer<'de>) -> Result<Self, ConfigError> {
        let file = Value::deserialize(file);
        Self::of(file.map_err(|error| ConfigError::of_whole(error.to_string()))?)
    }

    fn of(file: Value) -> Result<Self, ConfigError> {
        let mut table = Table::of(file)?;
        let config = Self {
            deadline: table.read("deadline", limit)?.flatten(),
            strategy: table.read("strategy", Strategy::of)?.unwrap_or_default(),
            store: table.read("store", |value| Table::of(value)?.take_last())?,
            budget: table.read("budget", BudgetConfig::deserialize)?,
            retry_budget: table.read("retry_budget", switch)?.flatten(),
            instrument: table.read("instrument", switch)?.flatten(),
            providers: table.read("providers", providers)?.unwrap_or_default(),
            services: table.read("services", services)?.unwrap_or_default(),
        };
        table.end(Ok(config))
    }
}

/// Reads settings of the program's own, in a table of a chain's file: mistakes in them are told as those of the chain
/// are. Several structs share a table as a tuple.
///
/// # Errors
///
/// What is wrong and where in the table.
#[doc(hidden)]
pub fn read_settings<'de, T: DeserializeOwned>(
    table: impl Deserializer<'de>,
) -> Result<T, ConfigError> {
    let table = Value::deserialize(table);
    let table = table.map_err(|error| ConfigError::of_whole(error.to_string()))?;
    Table::of(table)?.take_last()
}

fn providers(list: Value) -> Result<Vec<ProviderConfig>, ConfigError> {
    let Value::List(tables) = list else {
        let problem = "must be a list of tables: write [[providers]] above each";
        return Err(ConfigError::of_whole(problem));
    };
    let tables = tables.into_iter().enumerate();
    tables
        .map(|(index, table)| ProviderConfig::of(table, index))
        .collect()
}

impl<'de> Deserialize<'de> for ChainConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
