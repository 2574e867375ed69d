//! One provider of a chain, and the policies around it.

use std::time::Duration;

use drag_solver_core::{CheckSettings, human_duration};
use serde::{Deserialize, Deserializer};

use super::budget::BudgetConfig;
use super::reader::{Table, switch};
use super::value::Value;
#[cfg(feature = "image")]
use crate::FitPolicy;
use crate::{
    CircuitBreakerPolicy, ConcurrencyLimitPolicy, ConfigError, RateLimitPolicy, RetryPolicy,
    TimeoutPolicy, Usd, ValidatePolicy,
};

/// One provider of a chain: who it is, its settings, and the policies around it.
///
/// In a file, a policy is a table of the settings of its type, of which each may be left out, or
/// `true` for the defaults. A timeout is a duration.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderConfig {
    pub(super) keys: ChainKeys,
    /// The provider's own.
    settings: Table,
}

/// The keys of a provider's table that are the chain's: who it is, and what is around it. A policy that
/// is `None` is not in the chain.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct ChainKeys {
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) price: Option<Usd>,
    #[serde(deserialize_with = "limit")]
    pub(super) total_timeout: Option<TimeoutPolicy>,
    #[serde(deserialize_with = "switch")]
    pub(super) retry: Option<RetryPolicy>,
    #[serde(deserialize_with = "switch")]
    pub(super) rate_limit: Option<RateLimitPolicy>,
    #[serde(deserialize_with = "switch")]
    pub(super) concurrency_limit: Option<ConcurrencyLimitPolicy>,
    #[serde(deserialize_with = "switch")]
    pub(super) circuit_breaker: Option<CircuitBreakerPolicy>,
    pub(super) budget: Option<BudgetConfig>,
    #[serde(deserialize_with = "limit")]
    pub(super) timeout: Option<TimeoutPolicy>,
    #[serde(deserialize_with = "switch")]
    pub(super) validate: Option<ValidatePolicy>,
    #[cfg(feature = "image")]
    #[serde(deserialize_with = "switch")]
    pub(super) fit: Option<FitPolicy>,
    #[cfg(not(feature = "image"))]
    #[serde(deserialize_with = "needs_image")]
    fit: (),
}

macro_rules! chain_keys {
    ($($(#[$attribute:meta])+ $key:ident: $type:ty,)+) => {$(
        $(#[$attribute])+
        #[must_use]
        pub fn $key(mut self, $key: impl Into<$type>) -> Self {
            self.keys.$key = Some($key.into());
            self
        }
    )+};
}

impl ProviderConfig {
    /// The provider of this kind, with its default settings and no policies. The kind is what the
    /// [`Registry`](super::Registry) knows it by.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        let kind = kind.into();
        let keys = ChainKeys {
            kind,
            ..ChainKeys::default()
        };
        let settings = Table::default();
        Self { keys, settings }
    }

    /// Sets one of the provider's own settings, as a file would.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        let value = Value::deserialize(value.into()); // JSON is always read
        self.settings.insert(key, value.unwrap_or_default());
        self
    }

    chain_keys! {
        /// Names the solver; it is the kind unless set. Two of a chain cannot have the same.
        name: String,
        /// The most that one answer costs, in US dollars. Needed for a budget and for a worst case.
        price: Usd,
        /// Limits all attempts together.
        total_timeout: TimeoutPolicy,
        /// Asks again after errors that may pass.
        retry: RetryPolicy,
        /// Spreads calls over time.
        rate_limit: RateLimitPolicy,
        /// Limits how many calls are under way at once.
        concurrency_limit: ConcurrencyLimitPolicy,
        /// Leaves the provider alone for a while when most calls fail.
        circuit_breaker: CircuitBreakerPolicy,
        /// Limits what is spent here, beside what the whole chain's budget does.
        budget: BudgetConfig,
        /// Limits one attempt.
        timeout: TimeoutPolicy,
        /// Refuses answers that cannot be right.
        validate: ValidatePolicy,
        /// Makes screenshots fit what the provider takes.
        #[cfg(feature = "image")]
        fit: FitPolicy,
    }

    /// Which kind of provider it is, as the registry knows it.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.keys.kind
    }

    /// The most that one answer costs, in US dollars, if it is set.
    #[must_use]
    pub fn known_price(&self) -> Option<Usd> {
        self.keys.price
    }

    /// How long one attempt may take, if it is set.
    #[must_use]
    pub fn known_timeout(&self) -> Option<Duration> {
        self.keys.timeout.map(|policy| policy.limit)
    }

    /// What limits the money that is spent here, beside the whole chain's budget, if it is set.
    #[must_use]
    pub fn known_budget(&self) -> Option<&BudgetConfig> {
        self.keys.budget.as_ref()
    }

    /// What the solver is called.
    #[must_use]
    pub fn label(&self) -> &str {
        self.keys.name.as_deref().unwrap_or(&self.keys.kind)
    }

    /// The provider's table without the keys that are the chain's.
    pub(super) fn settings(&self) -> Table {
        let mut settings = self.settings.clone();
        if let Some(name) = &self.keys.name {
            settings.offer("name", Value::Text(name.clone()));
        }
        settings
    }

    /// Reads one table of `providers`, the `index`th.
    pub(super) fn of(table: Value, index: usize) -> Result<Self, ConfigError> {
        let table = Table::of(table).map_err(|error| error.in_key(index.to_string()))?;
        let label = table.text("name").or(table.text("kind"));
        let label = label.filter(|label| !label.is_empty());
        let label = label.map_or(index.to_string(), str::to_owned);
        Self::of_table(table).map_err(|error| error.in_key(label))
    }

    fn of_table(mut table: Table) -> Result<Self, ConfigError> {
        let keys: ChainKeys = table.take()?;
        if keys.kind.is_empty() {
            let problem = "must be set to a kind of provider, as in kind = \"omocaptcha\"";
            return Err(ConfigError::new("kind", problem));
        }
        let settings = table;
        Ok(Self { keys, settings })
    }
}

impl ChainKeys {
    /// Refuses what its author cannot mean.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(price) = self.price.filter(|price| price.is_negative()) {
            let problem = format!("must not be negative, and {price} is");
            return Err(ConfigError::new("price", problem));
        }
        check_limit("total_timeout", self.total_timeout)?;
        check_limit("timeout", self.timeout)?;
        check("retry", self.retry)?;
        check("rate_limit", self.rate_limit)?;
        check("concurrency_limit", self.concurrency_limit)?;
        check("circuit_breaker", self.circuit_breaker)?;
        check("budget", self.budget.clone())?;
        #[cfg(feature = "image")]
        check("fit", self.fit)?;
        check("validate", self.validate)
    }
}

/// Checks a policy that is a table called `key` in the file.
pub(super) fn check<P: CheckSettings>(key: &str, policy: Option<P>) -> Result<(), ConfigError> {
    let checked = policy.map_or(Ok(()), |policy| policy.check());
    checked.map_err(|error| error.in_key(key))
}

/// Checks a policy that is one value in the file, called `key`.
pub(super) fn check_limit<P: CheckSettings>(
    key: &str,
    policy: Option<P>,
) -> Result<(), ConfigError> {
    check(key, policy).map_err(|error| error.renamed(key))
}

/// Reads a limit of time, `"60s"`.
pub(super) fn limit<'de, P: From<Duration>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<P>, D::Error> {
    Ok(human_duration::option::deserialize(deserializer)?.map(P::from))
}

#[cfg(not(feature = "image"))]
fn needs_image<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(serde::de::Error::custom(
        "needs the feature `image` of drag-solver, and this program is built without it",
    ))
}
