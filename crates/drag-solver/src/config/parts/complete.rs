//! The parts that a chain is made with: those that are given, and new ones for what else is in the file.

use std::collections::BTreeMap;

use super::{ChainParts, ProviderParts};
use crate::config::budget::BudgetConfig;
use crate::config::chain_config::ChainConfig;
use crate::config::provider::ProviderConfig;
use crate::config::strategy::Strategy;
use crate::http::Context;
use crate::{BudgetPolicy, ConfigError};

impl ChainParts {
    /// These parts, and new ones for what is in the file and not among them.
    ///
    /// # Errors
    ///
    /// A part of which the file knows nothing.
    pub(in crate::config) fn completed(
        self,
        config: &ChainConfig,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        #[cfg(feature = "store")]
        let stored = self.stored.completed(config, context)?;
        #[cfg(not(feature = "store"))]
        let _ = context;
        let mut given = self.providers;
        let mut providers = BTreeMap::new();
        for provider in &config.providers {
            let label = provider.label();
            let parts = given.remove(label).unwrap_or_default();
            let parts = parts.completed(provider, config.strategy);
            #[cfg(feature = "store")]
            let parts = parts.and_then(|parts| parts.with_stored(provider, stored.store()));
            let in_place = |error: ConfigError| error.in_key(label).in_key("providers");
            providers.insert(label.to_owned(), parts.map_err(in_place)?);
        }
        if let Some(label) = given.keys().next() {
            let problem = "is the label of parts that are given, and of no provider in the file";
            return Err(ConfigError::new(label, problem).in_key("providers"));
        }
        Ok(Self {
            budget: part("budget", self.budget, in_memory(config.budget.as_ref()))?,
            retry_budget: part("retry_budget", self.retry_budget, config.retry_budget)?,
            labels: self.labels,
            providers,
            #[cfg(feature = "store")]
            stored,
        })
    }
}

impl ProviderParts {
    /// The same for one provider, but for what is in the store.
    pub(in crate::config) fn completed(
        self,
        provider: &ProviderConfig,
        strategy: Strategy,
    ) -> Result<Self, ConfigError> {
        let keys = &provider.keys;
        let (hedge, ordered) = needed_by(strategy);
        let ordered_by = "an ordered fallback";
        Ok(Self {
            budget: part("budget", self.budget, in_memory(keys.budget.as_ref()))?,
            circuit: part("circuit_breaker", self.circuit, keys.circuit_breaker)?,
            permits: part("concurrency_limit", self.permits, keys.concurrency_limit)?,
            rate_limiter: part("rate_limit", self.rate_limiter, keys.rate_limit)?,
            latencies: known("latencies", self.latencies, hedge, "a hedge")?,
            track_record: known("track_record", self.track_record, ordered, ordered_by)?,
            ..self
        })
    }
}

/// What a hedge needs to know of its providers, and what an ordered fallback needs.
pub(super) fn needed_by(strategy: Strategy) -> (Option<()>, Option<()>) {
    let hedge = matches!(strategy, Strategy::Hedge(_));
    let ordered = matches!(strategy, Strategy::Ordered(_));
    (hedge.then_some(()), ordered.then_some(()))
}

pub(super) fn in_memory(budget: Option<&BudgetConfig>) -> Option<BudgetPolicy> {
    budget.and_then(BudgetConfig::in_memory)
}

/// The part of a policy that is called `key` in the file: the one that is given, or a new one.
fn part<T: From<P>, P>(
    key: &str,
    given: Option<T>,
    policy: Option<P>,
) -> Result<Option<T>, ConfigError> {
    match (given, policy) {
        (Some(_), None) => {
            let problem = format!(
                "is not in the file, and a part is given for it: write `{key}` there, or leave the part out"
            );
            Err(ConfigError::new(key, problem))
        }
        (None, Some(policy)) => Ok(Some(policy.into())),
        (given, _) => Ok(given),
    }
}

/// What only a strategy needs.
fn known<T: Default>(
    part: &str,
    given: Option<T>,
    needed: Option<()>,
    strategy: &str,
) -> Result<Option<T>, ConfigError> {
    if given.is_some() && needed.is_none() {
        let problem = format!("are given, and the strategy in the file is not {strategy}");
        return Err(ConfigError::new(part, problem));
    }
    Ok(needed.map(|()| given.unwrap_or_default()))
}
