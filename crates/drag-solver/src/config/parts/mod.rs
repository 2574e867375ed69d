//! What the policies of a chain keep between calls: given from outside, or kept when the chain is made
//! again.

mod complete;
mod keep;
#[cfg(feature = "store")]
mod stored;

use std::collections::BTreeMap;

#[cfg(feature = "store")]
use self::stored::{ChainStored, Origin, ProviderStored};
use super::activity::Activity;
#[cfg(feature = "store")]
use crate::store::{StoreHandle, StoredBudget};
use crate::{
    Budget, Circuit, Latencies, MetricLabels, Permits, RateLimiter, RetryBudget, TrackRecord,
};

/// What the policies of a chain share and keep between calls: its limits and what they know. Cloning is
/// cheap, and clones are the same parts.
///
/// Give them to [`ChainConfig::build_with`](super::ChainConfig::build_with) to share a limit among several chains; take them from
/// [`Chain::parts`](super::Chain::parts).
///
/// The file stays in charge of the settings: once a chain is built, the settings of its file take effect on
/// the parts that were given, at once and for all who share them. So of several chains that share a part,
/// the one that was built last says what its settings are. A build that fails changes nothing.
///
#[cfg_attr(feature = "mock", doc = "```")]
#[cfg_attr(not(feature = "mock"), doc = "```ignore")]
/// use drag_solver::config::{ChainConfig, ChainParts, ProviderParts, Registry};
/// # use drag_solver::testing::{MockSolver, fixtures};
/// use drag_solver::{ConcurrencyLimitPolicy, Permits};
///
/// # #[derive(serde::Deserialize)]
/// # struct House {}
/// # let registry = Registry::empty()
/// #     .register("house", |_: House, _| Ok(MockSolver::new("house").always(fixtures::drag())))?;
/// let file = r#"{"providers": [{"kind": "house", "concurrency_limit": {"max_in_flight": 3}}]}"#;
/// let config: ChainConfig = serde_json::from_str(file)?;
///
/// let permits = Permits::new(ConcurrencyLimitPolicy::default());
/// let parts = || ChainParts::default().provider("house", ProviderParts::default().permits(&permits));
/// let one = config.build_with(&registry, parts())?;
/// let other = config.build_with(&registry, parts())?; // three calls under way in both together
/// assert_eq!(permits.policy().max_in_flight.get(), 3);
/// # let _ = (one, other);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ChainParts {
    /// What all providers spend from.
    pub budget: Option<Budget>,
    /// What limits how often all providers together are asked again.
    pub retry_budget: Option<RetryBudget>,
    /// Which labels of challenges its metrics tell apart.
    pub(super) labels: MetricLabels,
    /// The parts of each provider, by its [label](super::ProviderConfig::label).
    pub providers: BTreeMap<String, ProviderParts>,
    /// The store, and what is in it.
    #[cfg(feature = "store")]
    pub(super) stored: ChainStored,
}

/// The parts around one provider of a chain. See [`ChainParts`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ProviderParts {
    /// What it alone spends from.
    pub budget: Option<Budget>,
    /// What is behind its `circuit_breaker`.
    pub circuit: Option<Circuit>,
    /// What is behind its `concurrency_limit`.
    pub permits: Option<Permits>,
    /// What is behind its `rate_limit`.
    pub rate_limiter: Option<RateLimiter>,
    /// How long its answers took, if the strategy is a hedge.
    pub latencies: Option<Latencies>,
    /// What it did recently, if the strategy is an ordered fallback. If the chain has a store, that is its
    /// [observer](TrackRecord::set_observer).
    pub track_record: Option<TrackRecord>,
    /// What is in the store.
    #[cfg(feature = "store")]
    pub(super) stored: ProviderStored,
    /// Its calls under way and its last error.
    pub(super) activity: Activity,
}

macro_rules! part_setters {
    ($($(#[$attribute:meta])+ $part:ident: $type:ty,)+) => {$(
        $(#[$attribute])+
        #[must_use]
        pub fn $part(mut self, $part: &$type) -> Self {
            self.$part = Some($part.clone());
            self
        }
    )+};
}

impl ChainParts {
    part_setters! {
        /// Sets [`budget`](Self::budget).
        budget: Budget,
        /// Sets [`retry_budget`](Self::retry_budget).
        retry_budget: RetryBudget,
    }

    /// Takes this store in place of the one that the file names, or has none.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn store(mut self, store: impl Into<StoreHandle>) -> Self {
        self.stored.store = Some(Origin::Given(store.into()));
        self
    }

    /// Lets all providers spend from this budget of the store, with the limits that it has (which may differ by
    /// tenant), in place of the one that the file names.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn stored_budget(mut self, budget: impl Into<StoredBudget>) -> Self {
        self.stored.budget = Some(Origin::Given(budget.into()));
        self
    }

    /// Lets all providers spend from this budget, too, besides those that the file has: for who stands in front of a
    /// chain and lets each of many spend so much.
    ///
    /// Each provider then needs a `price` in the file, unless it says itself what an answer costs.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn spend_also_from(mut self, budget: impl Into<StoredBudget>) -> Self {
        self.stored.other_budget = Some(budget.into());
        self
    }

    /// Adds the parts of the provider with this label.
    #[must_use]
    pub fn provider(mut self, label: impl Into<String>, parts: ProviderParts) -> Self {
        self.providers.insert(label.into(), parts);
        self
    }
}

impl ProviderParts {
    part_setters! {
        /// Sets [`budget`](Self::budget).
        budget: Budget,
        /// Sets [`circuit`](Self::circuit).
        circuit: Circuit,
        /// Sets [`permits`](Self::permits).
        permits: Permits,
        /// Sets [`rate_limiter`](Self::rate_limiter).
        rate_limiter: RateLimiter,
        /// Sets [`latencies`](Self::latencies).
        latencies: Latencies,
        /// Sets [`track_record`](Self::track_record).
        track_record: TrackRecord,
    }

    /// Lets it spend alone from this budget of the store, with the limits that it has, in place of the one that
    /// the file names for it.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn stored_budget(mut self, budget: impl Into<StoredBudget>) -> Self {
        self.stored.budget = Some(Origin::Given(budget.into()));
        self
    }
}
