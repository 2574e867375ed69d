//! One provider of a chain, and the policies around it.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::InvalidConfig;
use super::value;
use crate::combinators::{
    BudgetPolicy, CircuitBreakerPolicy, ConcurrencyLimitPolicy, RateLimitPolicy, RetryPolicy,
    TimeoutPolicy, ValidatePolicy, human_duration,
};
use crate::core::Usd;

/// The keys of a provider's table that are the chain's. All others are the provider's own.
pub(super) const POLICIES: &[&str] = &[
    "budget",
    "circuit_breaker",
    "concurrency_limit",
    "fit",
    "kind",
    "price",
    "rate_limit",
    "retry",
    "timeout",
    "validate",
];

/// One provider of a chain: who it is, its settings, and the policies around it. A policy that is
/// `None` is not in the chain.
///
/// In a file, a policy is a table of the settings of its type, of which each may be left out, or
/// `true` for the defaults. A timeout is a duration.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ProviderConfig {
    /// What the [`Registry`](super::Registry) knows it by.
    pub kind: String,
    /// The solver's name; the kind unless set. Two of a chain cannot have the same.
    pub name: Option<String>,
    /// The most that one answer costs, in US dollars. Needed for a budget and for a worst case.
    pub price: Option<Usd>,
    /// Asks again after errors that may pass.
    pub retry: Option<RetryPolicy>,
    /// Spreads calls over time.
    pub rate_limit: Option<RateLimitPolicy>,
    /// Limits how many calls are under way at once.
    pub concurrency_limit: Option<ConcurrencyLimitPolicy>,
    /// Leaves the provider alone for a while when most calls fail.
    pub circuit_breaker: Option<CircuitBreakerPolicy>,
    /// Limits what is spent here, beside what the whole chain's budget does.
    pub budget: Option<BudgetPolicy>,
    /// Limits one attempt.
    pub timeout: Option<TimeoutPolicy>,
    /// Refuses answers that cannot be right.
    pub validate: Option<ValidatePolicy>,
    /// Makes screenshots fit what the provider takes. With the feature `image`; without it a file that
    /// asks for it is refused.
    #[cfg(feature = "image")]
    pub fit: Option<crate::image::FitPolicy>,
    settings: Map<String, Value>,
}

impl ProviderConfig {
    /// The provider of this kind, with its default settings and no policies.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: None,
            price: None,
            retry: None,
            rate_limit: None,
            concurrency_limit: None,
            circuit_breaker: None,
            budget: None,
            timeout: None,
            validate: None,
            #[cfg(feature = "image")]
            fit: None,
            settings: Map::new(),
        }
    }

    /// Sets one of the provider's own settings, as a file would.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    /// What the solver is called.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.kind)
    }

    /// The provider's table without the keys that are the chain's.
    pub(super) fn settings(&self) -> Map<String, Value> {
        let mut settings = self.settings.clone();
        if let Some(name) = &self.name {
            settings.insert("name".to_owned(), Value::from(name.as_str()));
        }
        settings
    }

    /// Reads one table of `providers`, the `index`th.
    pub(super) fn read(table: Value, index: usize) -> Result<Self, InvalidConfig> {
        let mut table = Table::of(table).map_err(|error| error.inside(index.to_string()))?;
        let text = |key: &str| table.0.get(key).and_then(Value::as_str);
        let label = text("name").or(text("kind")).unwrap_or_default();
        let label = match label {
            "" => index.to_string(),
            label => label.to_owned(),
        };
        Self::take(&mut table).map_err(|error| error.inside(label))
    }

    fn take(table: &mut Table) -> Result<Self, InvalidConfig> {
        let Some(kind) = table.take("kind")? else {
            return Err(InvalidConfig::new(
                "must be set to a kind of provider, as in kind = \"omocaptcha\"",
            )
            .inside("kind"));
        };
        #[cfg(not(feature = "image"))]
        if table.0.contains_key("fit") {
            let problem =
                "needs the feature `image` of drag-solver, and this program is built without it";
            return Err(InvalidConfig::new(problem).inside("fit"));
        }
        Ok(Self {
            kind,
            name: table.take("name")?,
            price: table.take("price")?,
            retry: table.policy("retry")?,
            rate_limit: table.policy("rate_limit")?,
            concurrency_limit: table.policy("concurrency_limit")?,
            circuit_breaker: table.policy("circuit_breaker")?,
            budget: table.take("budget")?,
            timeout: table.duration("timeout")?,
            validate: table.policy("validate")?,
            #[cfg(feature = "image")]
            fit: table.policy("fit")?,
            settings: std::mem::take(&mut table.0),
        })
    }
}

impl fmt::Debug for ProviderConfig {
    /// Shows which of the provider's settings are there, not what they are: one may be a token that
    /// somebody wrote into the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ProviderConfig");
        shown
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("price", &self.price)
            .field("retry", &self.retry)
            .field("rate_limit", &self.rate_limit)
            .field("concurrency_limit", &self.concurrency_limit)
            .field("circuit_breaker", &self.circuit_breaker)
            .field("budget", &self.budget)
            .field("timeout", &self.timeout)
            .field("validate", &self.validate)
            .field("settings", &self.settings.keys());
        #[cfg(feature = "image")]
        shown.field("fit", &self.fit);
        shown.finish()
    }
}

/// A table from which keys are taken until only unknown ones are left.
pub(super) struct Table(pub(super) Map<String, Value>);

impl Table {
    pub(super) fn of(value: Value) -> Result<Self, InvalidConfig> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            other => Err(InvalidConfig::new(format!(
                "is {}, and must be a table",
                value::unexpected(&other)
            ))),
        }
    }

    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, InvalidConfig> {
        match self.0.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value::read(value, &[])
                .map(Some)
                .map_err(|error| error.inside(key)),
        }
    }

    /// Refuses what is left. `known` are all keys that may be there.
    pub(super) fn end(self, known: &[&str]) -> Result<(), InvalidConfig> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(InvalidConfig::unknown_key(key, known.iter().copied())),
        }
    }

    /// A policy that has defaults: a table, or `true`.
    pub(super) fn policy<T: DeserializeOwned + Default>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, InvalidConfig> {
        match self.0.get(key) {
            Some(Value::Bool(on)) => {
                let policy = on.then(T::default);
                self.0.remove(key);
                Ok(policy)
            }
            None | Some(Value::Object(_) | Value::Null) => self.take(key),
            Some(other) => Err(InvalidConfig::new(format!(
                "is {}, and must be a table of settings, or true for the defaults",
                value::unexpected(other)
            ))
            .inside(key)),
        }
    }

    /// A limit of time, `"60s"`.
    pub(super) fn duration<T: From<std::time::Duration>>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, InvalidConfig> {
        #[derive(serde::Deserialize)]
        struct Text(#[serde(with = "human_duration")] std::time::Duration);

        Ok(self.take::<Text>(key)?.map(|Text(limit)| limit.into()))
    }
}
