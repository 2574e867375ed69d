//! A chain as a file has it.

use std::collections::BTreeMap;

use drag_solver_core::setters;
use serde::de::{Deserialize, Deserializer, Error as _};

use super::budget::BudgetConfig;
use super::instrument::InstrumentConfig;
use super::provider::{ProviderConfig, limit};
use super::reader::{Table, switch};
use super::registry::Registry;
use super::services::{Declaration, declare, services};
use super::store::StoreConfig;
use super::strategy::Strategy;
use super::value::Value;
use crate::{ConfigError, DeadlinePolicy, RetryBudgetPolicy};

/// A chain as a configuration file has it. See the [module](super) for the format.
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
    pub(super) services: BTreeMap<String, Declaration>,
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
