//! What the policies of a chain keep between calls: given from outside, or kept when the chain is made
//! again.

use std::collections::BTreeMap;

use super::activity::Activity;
#[cfg(feature = "store")]
use super::calls::{name_in_store, note};
#[cfg(feature = "store")]
use super::store::{check_memory, opened, stored};
use super::{BudgetConfig, ChainConfig, ProviderConfig, Strategy};
use crate::http::Context;
use crate::{
    Budget, BudgetPolicy, Circuit, ConfigError, Latencies, MetricLabels, Permits, RateLimiter,
    RetryBudget, TrackRecord,
};
#[cfg(feature = "store")]
use crate::{StoreHandle, StoredBudget};

/// What the policies of a chain share and keep between calls: its limits and what they know. Cloning is
/// cheap, and clones are the same parts.
///
/// Give them to [`ChainConfig::build_with`] to share a limit among several chains; take them from
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
    /// What outlives the process. One that is given is taken in place of the file's.
    #[cfg(feature = "store")]
    pub store: Option<StoreHandle>,
    /// Whether the store is that of a file, and not one that was given.
    #[cfg(feature = "store")]
    store_is_of_file: bool,
    /// What all providers spend from, if the file names a budget of the store. One that is given is taken with
    /// the limits that it has, in place of the file's.
    #[cfg(feature = "store")]
    pub(super) stored_budget: Option<StoredBudget>,
    /// Whether that was given, and is not the file's.
    #[cfg(feature = "store")]
    stored_budget_is_given: bool,
    /// What all providers spend from besides, whatever the file says.
    #[cfg(feature = "store")]
    pub(super) other_budget: Option<StoredBudget>,
    /// What limits how often all providers together are asked again.
    pub retry_budget: Option<RetryBudget>,
    /// Which labels of challenges its metrics tell apart.
    pub(super) labels: MetricLabels,
    /// The parts of each provider, by its [label](ProviderConfig::label).
    pub providers: BTreeMap<String, ProviderParts>,
}

/// The parts around one provider of a chain. See [`ChainParts`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ProviderParts {
    /// What it alone spends from.
    pub budget: Option<Budget>,
    /// The same, if the file names a budget of the store.
    #[cfg(feature = "store")]
    pub(super) stored_budget: Option<StoredBudget>,
    /// Whether that was given, and is not the file's.
    #[cfg(feature = "store")]
    stored_budget_is_given: bool,
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
    /// Whether what is on record of it in the store is of other settings, and not read.
    #[cfg(feature = "store")]
    pub(super) begins_anew: bool,
    /// Whether its track record told the store of the chain before of each call.
    #[cfg(feature = "store")]
    was_noted: bool,
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

    /// Sets [`store`](Self::store).
    #[cfg(feature = "store")]
    #[must_use]
    pub fn store(mut self, store: impl Into<StoreHandle>) -> Self {
        self.store = Some(store.into());
        self.store_is_of_file = false;
        self
    }

    /// Lets all providers spend from this budget of the store, with the limits that it has (which may differ by
    /// tenant), in place of the one that the file names.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn stored_budget(mut self, budget: impl Into<StoredBudget>) -> Self {
        self.stored_budget = Some(budget.into());
        self.stored_budget_is_given = true;
        self
    }

    #[cfg(feature = "store")]
    fn store_is_given(&self) -> bool {
        self.store.is_some() && !self.store_is_of_file
    }

    /// Lets all providers spend from this budget, too, besides those that the file has: for who stands in front of a
    /// chain and lets each of many spend so much.
    ///
    /// Each provider then needs a `price` in the file, unless it says itself what an answer costs.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn spend_also_from(mut self, budget: impl Into<StoredBudget>) -> Self {
        self.other_budget = Some(budget.into());
        self
    }

    /// The budgets of the store that the provider with these parts spends from, from the inside out.
    #[cfg(feature = "store")]
    pub(super) fn stored_budgets_with<'a>(
        &'a self,
        own: &'a ProviderParts,
    ) -> impl Iterator<Item = &'a StoredBudget> {
        let all = self.stored_budget.iter().chain(&self.other_budget);
        own.stored_budget.iter().chain(all)
    }

    /// Whether a provider with these parts spends from a budget of the store.
    #[cfg_attr(not(feature = "store"), allow(clippy::unused_self))]
    pub(super) fn has_stored_budget(&self, own: &ProviderParts) -> bool {
        #[cfg(feature = "store")]
        return self.stored_budgets_with(own).next().is_some();
        #[cfg(not(feature = "store"))]
        {
            let _ = own;
            false
        }
    }

    /// Adds the parts of the provider with this label.
    #[must_use]
    pub fn provider(mut self, label: impl Into<String>, parts: ProviderParts) -> Self {
        self.providers.insert(label.into(), parts);
        self
    }

    /// These parts, and new ones for what is in the file and not among them.
    ///
    /// # Errors
    ///
    /// A part of which the file knows nothing.
    pub(super) fn completed(
        self,
        config: &ChainConfig,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        #[cfg(feature = "store")]
        if let Some(own) = &config.store {
            check_memory(own, config.budget.as_ref())?;
        }
        #[cfg(feature = "store")]
        let store_is_given = self.store_is_given();
        #[cfg(feature = "store")]
        let store = opened(self.store, config.store.as_ref(), context)?;
        #[cfg(not(feature = "store"))]
        let _ = context;
        #[cfg(feature = "store")]
        let given_budget = self.stored_budget.filter(|_| self.stored_budget_is_given);
        let mut given = self.providers;
        let mut providers = BTreeMap::new();
        for provider in &config.providers {
            let label = provider.label();
            let parts = given.remove(label).unwrap_or_default();
            let parts = parts.completed(provider, config.strategy);
            #[cfg(feature = "store")]
            let parts = parts.and_then(|mut parts| {
                if let Some(own) = &config.store {
                    check_memory(own, provider.keys.budget.as_ref())?;
                }
                let given = parts.given_budget();
                parts.stored_budget = stored(given, provider.keys.budget.as_ref(), store.as_ref())?;
                Ok(parts)
            });
            let in_place = |error: ConfigError| error.in_key(label).in_key("providers");
            providers.insert(label.to_owned(), parts.map_err(in_place)?);
        }
        if let Some(label) = given.keys().next() {
            let problem = "is the label of parts that are given, and of no provider in the file";
            return Err(ConfigError::new(label, problem).in_key("providers"));
        }
        Ok(Self {
            budget: part("budget", self.budget, in_memory(config.budget.as_ref()))?,
            #[cfg(feature = "store")]
            stored_budget: stored(given_budget, config.budget.as_ref(), store.as_ref())?,
            #[cfg(feature = "store")]
            stored_budget_is_given: self.stored_budget_is_given,
            #[cfg(feature = "store")]
            other_budget: self.other_budget,
            #[cfg(feature = "store")]
            store,
            #[cfg(feature = "store")]
            store_is_of_file: !store_is_given,
            retry_budget: part("retry_budget", self.retry_budget, config.retry_budget)?,
            labels: self.labels,
            providers,
        })
    }

    /// Makes the settings of the file those of the parts.
    pub(super) fn apply(&self, config: &ChainConfig) {
        let budget = in_memory(config.budget.as_ref());
        set(self.budget.as_ref(), budget, Budget::set_policy);
        let set_retry_budget = RetryBudget::set_policy;
        set(
            self.retry_budget.as_ref(),
            config.retry_budget,
            set_retry_budget,
        );
        for provider in &config.providers {
            if let Some(parts) = self.providers.get(provider.label()) {
                parts.apply(provider);
                #[cfg(feature = "store")]
                parts.note_calls(provider, self.store.as_ref());
            }
        }
    }

    /// Those that keep their meaning in a chain of `new` settings, where they were parts of one of `old`
    /// ones.
    pub(super) fn kept(&self, old: &ChainConfig, new: &ChainConfig) -> Self {
        let kept = |provider: &ProviderConfig| {
            let label = provider.label();
            let before = old.providers.iter().find(|old| old.label() == label)?;
            let parts = self.providers.get(label)?;
            let same_kind = before.kind() == provider.kind();
            // What was learnt with a wrong address or a wrong token says nothing about the right one.
            let declared = |config: &ChainConfig| config.services.get(provider.kind()).cloned();
            let same = same_kind
                && before.settings() == provider.settings()
                && declared(old) == declared(new);
            let parts = parts.kept(provider, new.strategy, same_kind, same);
            #[cfg(feature = "store")]
            let parts = ProviderParts {
                was_noted: self.store.is_some(),
                ..parts
            };
            Some((label.to_owned(), parts))
        };
        Self {
            budget: self
                .budget
                .clone()
                .filter(|_| in_memory(new.budget.as_ref()).is_some()),
            // One that was given stays; the file's is opened anew if it is another one.
            #[cfg(feature = "store")]
            store: self
                .store
                .clone()
                .filter(|_| self.store_is_given() || old.store == new.store),
            #[cfg(feature = "store")]
            store_is_of_file: self.store_is_of_file,
            // The file's is made anew, with its limits.
            #[cfg(feature = "store")]
            stored_budget: self
                .stored_budget
                .clone()
                .filter(|_| self.stored_budget_is_given && is_named(new.budget.as_ref())),
            #[cfg(feature = "store")]
            stored_budget_is_given: self.stored_budget_is_given,
            #[cfg(feature = "store")]
            other_budget: self.other_budget.clone(),
            retry_budget: self
                .retry_budget
                .clone()
                .filter(|_| new.retry_budget.is_some()),
            // Series that were begun are there, whatever the file says now.
            labels: self.labels.clone(),
            providers: new.providers.iter().filter_map(kept).collect(),
        }
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
        self.stored_budget = Some(budget.into());
        self.stored_budget_is_given = true;
        self
    }

    #[cfg(feature = "store")]
    fn given_budget(&mut self) -> Option<StoredBudget> {
        let is_given = self.stored_budget_is_given;
        self.stored_budget.take().filter(|_| is_given)
    }

    pub(super) fn completed(
        self,
        provider: &ProviderConfig,
        strategy: Strategy,
    ) -> Result<Self, ConfigError> {
        let keys = &provider.keys;
        let hedge = matches!(strategy, Strategy::Hedge(_)).then_some(());
        let ordered = matches!(strategy, Strategy::Ordered(_)).then_some(());
        Ok(Self {
            budget: part("budget", self.budget, in_memory(keys.budget.as_ref()))?,
            #[cfg(feature = "store")]
            stored_budget: self.stored_budget,
            #[cfg(feature = "store")]
            stored_budget_is_given: self.stored_budget_is_given,
            circuit: part("circuit_breaker", self.circuit, keys.circuit_breaker)?,
            permits: part("concurrency_limit", self.permits, keys.concurrency_limit)?,
            rate_limiter: part("rate_limit", self.rate_limiter, keys.rate_limit)?,
            latencies: known("latencies", self.latencies, hedge, "a hedge")?,
            track_record: known(
                "track_record",
                self.track_record,
                ordered,
                "an ordered fallback",
            )?,
            #[cfg(feature = "store")]
            begins_anew: self.begins_anew,
            #[cfg(feature = "store")]
            was_noted: self.was_noted,
            activity: self.activity,
        })
    }

    fn apply(&self, provider: &ProviderConfig) {
        let keys = &provider.keys;
        let budget = in_memory(keys.budget.as_ref());
        set(self.budget.as_ref(), budget, Budget::set_policy);
        set(
            self.circuit.as_ref(),
            keys.circuit_breaker,
            Circuit::set_policy,
        );
        set(
            self.permits.as_ref(),
            keys.concurrency_limit,
            Permits::set_policy,
        );
        set(
            self.rate_limiter.as_ref(),
            keys.rate_limit,
            RateLimiter::set_policy,
        );
    }

    /// Has the store told of its calls, or none any more.
    #[cfg(feature = "store")]
    fn note_calls(&self, provider: &ProviderConfig, store: Option<&StoreHandle>) {
        match (&self.track_record, store) {
            (Some(record), Some(store)) => note(name_in_store(provider), record, store),
            (Some(record), None) if self.was_noted => record.set_observer(None),
            _ => {}
        }
    }

    /// Those for a provider of these settings: `same_kind` as before, and of the `same` settings.
    fn kept(&self, new: &ProviderConfig, strategy: Strategy, same_kind: bool, same: bool) -> Self {
        let keys = &new.keys;
        let is_hedge = matches!(strategy, Strategy::Hedge(_));
        let is_ordered = matches!(strategy, Strategy::Ordered(_));
        let parts = self.clone();
        Self {
            budget: parts
                .budget
                .filter(|_| in_memory(keys.budget.as_ref()).is_some()),
            #[cfg(feature = "store")]
            stored_budget: parts
                .stored_budget
                .filter(|_| self.stored_budget_is_given && is_named(keys.budget.as_ref())),
            #[cfg(feature = "store")]
            stored_budget_is_given: self.stored_budget_is_given,
            circuit: parts
                .circuit
                .filter(|_| same && keys.circuit_breaker.is_some()),
            permits: parts
                .permits
                .filter(|_| same_kind && keys.concurrency_limit.is_some()),
            rate_limiter: parts
                .rate_limiter
                .filter(|_| same_kind && keys.rate_limit.is_some()),
            latencies: parts.latencies.filter(|_| same && is_hedge),
            track_record: parts.track_record.filter(|_| same && is_ordered),
            #[cfg(feature = "store")]
            begins_anew: self.begins_anew || !same,
            #[cfg(feature = "store")]
            was_noted: false,
            activity: if same_kind {
                parts.activity
            } else {
                Activity::default()
            },
        }
    }
}

#[cfg(feature = "store")]
fn is_named(budget: Option<&BudgetConfig>) -> bool {
    budget.is_some_and(|budget| budget.name.is_some())
}

fn in_memory(budget: Option<&BudgetConfig>) -> Option<BudgetPolicy> {
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

fn set<T, P>(part: Option<&T>, policy: Option<P>, set_policy: fn(&T, P)) {
    if let (Some(part), Some(policy)) = (part, policy) {
        set_policy(part, policy);
    }
}
