//! From settings to solvers.

use std::collections::HashSet;
use std::sync::Arc;

use super::activity::Watched;
#[cfg(feature = "store")]
use super::calls::{Remembering, name_in_store};
use super::chain::Chain;
use super::chain_config::ChainConfig;
use super::handle::{ProviderHandle, labelled};
use super::instrument::InstrumentConfig;
use super::parts::{ChainParts, ProviderParts};
use super::provider::ProviderConfig;
use super::provider::{check, check_limit};
use super::registry::Registry;
#[cfg(feature = "store")]
use super::store::check_memory;
use super::strategy::Strategy;
#[cfg(feature = "image")]
use crate::FitExt as _;
#[cfg(feature = "store")]
use crate::store::{DurablePolicy, StoreExt as _};
use crate::{ConfigError, DragSolver, DragSolverExt as _, Fallback, Hedge, Quorum, Usd};

impl ChainConfig {
    /// Makes the chain. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Providers that there are not, settings that contradict each other or that no author can mean,
    /// secrets that are not where they are said to be.
    pub fn build(&self, registry: &Registry) -> Result<Chain, ConfigError> {
        self.build_with(registry, ChainParts::default())
    }

    /// Makes the chain with parts that others share; what is not given is made from the file. The file's
    /// settings take effect on what is given, at once: see [`ChainParts`]. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and a part for a provider or a policy that the file does not have.
    /// The parts are left as they were.
    pub fn build_with(&self, registry: &Registry, parts: ChainParts) -> Result<Chain, ConfigError> {
        self.check()?;
        let registry = &self.registry(registry)?;
        let parts = parts.completed(self, registry.context())?;
        let mut providers = Vec::new();
        for provider in &self.providers {
            let handle = provider.build(registry, &parts, self.instrument);
            let handle = handle.and_then(|handle| {
                let knows_price = handle.solver.profile().worst_case.cost.is_some();
                if self.strategy.weighs_money() && !knows_price {
                    let problem = "must be set, to 0 if it costs nothing: `second_worth` weighs what an answer costs";
                    return Err(ConfigError::new("price", problem));
                }
                Ok(handle)
            });
            let in_place = |error: ConfigError| error.in_key(provider.label()).in_key("providers");
            providers.push(handle.map_err(in_place)?);
        }
        parts.apply(self);
        Ok(Chain {
            solver: self.join(&providers, &parts),
            providers: providers.into(),
            parts: Arc::new(parts),
            config: Arc::new(self.clone()),
        })
    }

    /// Finds what no provider's table can show.
    fn check(&self) -> Result<(), ConfigError> {
        if self.providers.is_empty() {
            let problem = "must hold at least one: write [[providers]] and its kind";
            return Err(ConfigError::new("providers", problem));
        }
        let mut names = HashSet::new();
        if let Some(twice) = self.providers.iter().find(|one| !names.insert(one.label())) {
            let problem = "is the name of two providers: give one of them another `name`";
            return Err(ConfigError::new(twice.label(), problem).in_key("providers"));
        }
        let asks_again = matches!(self.strategy, Strategy::Hedge(_))
            || self.providers.iter().any(|one| one.keys.retry.is_some());
        if self.retry_budget.is_some() && !asks_again {
            let problem = "limits nothing: no provider has a `retry`, and there is no hedge";
            return Err(ConfigError::new("retry_budget", problem));
        }
        check_limit("deadline", self.deadline)?;
        check("budget", self.budget.clone())?;
        #[cfg(not(feature = "store"))]
        if self.store.is_some() {
            return Err(ConfigError::new("store", super::store::NEEDS_STORE));
        }
        #[cfg(feature = "store")]
        if let Some(store) = &self.store {
            check_memory(store, self.budget.as_ref())?;
            for provider in &self.providers {
                let checked = check_memory(store, provider.keys.budget.as_ref());
                let in_place = |error: ConfigError| error.in_key(provider.label());
                checked.map_err(|error| in_place(error).in_key("providers"))?;
            }
        }
        check("retry_budget", self.retry_budget)?;
        self.strategy.check(self.providers.len())
    }

    /// What is around all providers.
    fn join(&self, providers: &[ProviderHandle], parts: &ChainParts) -> Arc<dyn DragSolver> {
        let each = || {
            let labels = self.providers.iter().map(ProviderConfig::label);
            labels.filter_map(|label| parts.providers.get(label))
        };
        let solvers = providers.iter().map(|one| Arc::clone(&one.solver));
        let mut solver = match (providers, self.strategy) {
            ([only], Strategy::Fallback) => Arc::clone(&only.solver),
            (_, Strategy::Fallback) => Fallback::new(solvers).into_arc(),
            (_, Strategy::Ordered(policy)) => {
                let known = each().filter_map(|parts| parts.track_record.clone());
                let fallback = Fallback::new(solvers).ordered(policy);
                fallback.with_track_records(known).into_arc()
            }
            (_, Strategy::Hedge(policy)) => {
                let known = each().filter_map(|parts| parts.latencies.clone());
                let hedge = Hedge::new(solvers, policy).with_latencies(known);
                match &parts.retry_budget {
                    Some(budget) => hedge.with_retry_budget(budget).into_arc(),
                    None => hedge.into_arc(),
                }
            }
            (_, Strategy::Quorum(policy)) => Quorum::new(solvers, policy).into_arc(),
        };
        #[cfg(feature = "store")]
        if let Some(store) = parts.stored.store() {
            let buy_unconfirmed = self
                .store
                .as_ref()
                .is_some_and(|store| store.buy_unconfirmed);
            let policy = DurablePolicy::default().buy_unconfirmed(buy_unconfirmed);
            solver = solver.durable(store).with_policy(policy).into_arc();
        }
        #[cfg(feature = "store")]
        if let (Some(store), Strategy::Ordered(policy)) = (parts.stored.store(), self.strategy) {
            let records = self.providers.iter().filter_map(|provider| {
                let known = parts.providers.get(provider.label())?;
                let record = known
                    .track_record
                    .clone()
                    .filter(|_| !known.stored.begins_anew)?;
                Some((name_in_store(provider), record))
            });
            // Outside of what takes a challenge up, which takes as long as reading them.
            solver = Arc::new(Remembering {
                inner: solver,
                store: store.clone(),
                window: policy.window,
                records: records.collect(),
                has_read: tokio::sync::OnceCell::new(),
            });
        }
        // Outside of the store: waiting for another call of the same id takes time, too.
        if let Some(policy) = self.deadline {
            solver = solver.deadline(policy).into_arc();
        }
        if let Some(config) = self.instrument {
            let instrumented = solver.instrumented(config.policy("challenge"));
            solver = instrumented.with_labels(&parts.labels).into_arc();
        }
        solver
    }
}

/// What an answer costs, if the provider itself says so.
fn cost_of_one(provider: &dyn DragSolver) -> Option<Usd> {
    let worst = provider.profile().worst_case;
    worst.cost.filter(|_| worst.purchases == Some(1))
}

impl Registry {
    /// Makes one provider ready, with the policies around it. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A kind that there is not, and settings that the provider refuses.
    pub fn open(&self, config: &ProviderConfig) -> Result<ProviderHandle, ConfigError> {
        let own = ProviderParts::default().completed(config, Strategy::Fallback)?;
        if config
            .keys
            .budget
            .as_ref()
            .is_some_and(|budget| budget.name.is_some())
        {
            let problem = "is that of a budget in a chain's store, and one provider alone has none";
            return Err(ConfigError::new("name", problem).in_key("budget"));
        }
        let parts = ChainParts::default().provider(config.label(), own);
        config.build(self, &parts, None)
    }
}

/// Puts what is there of these around the solver: a policy, or a part for it.
macro_rules! wrap {
    ($solver:ident in $($method:ident($policy:expr)),+) => {$(
        if let Some(policy) = $policy {
            $solver = $solver.$method(policy).into_arc();
        }
    )+};
}

impl ProviderConfig {
    /// The provider with its policies, in the one order that works, from the inside out.
    fn build(
        &self,
        registry: &Registry,
        chain: &ChainParts,
        instrument: Option<InstrumentConfig>,
    ) -> Result<ProviderHandle, ConfigError> {
        let keys = &self.keys;
        keys.check()?;
        let none = ProviderParts::default();
        let own = chain.providers.get(self.label()).unwrap_or(&none);
        let budgets = || own.budget.iter().chain(&chain.budget);
        let has_budget = budgets().next().is_some();
        #[cfg(feature = "store")]
        let has_budget = has_budget || chain.stored_budgets_with(own).next().is_some();
        let (provider, account) = registry.make(self)?;
        let mut solver = labelled(&keys.kind, &provider);
        let price = keys.price.or_else(|| cost_of_one(&*solver));
        if price.is_none() && has_budget {
            let problem = "must be set: the budget has to know what an answer costs at most";
            return Err(ConfigError::new("price", problem));
        }
        // A budget names the price, but further out than the spans and metrics of an attempt.
        let names_price = !has_budget || instrument.is_some();
        wrap!(solver in priced(keys.price.filter(|_| names_price)));
        #[cfg(feature = "image")]
        if keys.fit.is_some() && registry.has_known_start(self) {
            let problem = "cannot be used with a start that is known before: that is in pixels of the \
                           picture that is sent, and `fit` may send another. Make screenshots that fit";
            return Err(ConfigError::new("fit", problem));
        }
        #[cfg(feature = "image")]
        wrap!(solver in fit(keys.fit));
        wrap!(solver in validate(keys.validate));
        let checked = Arc::clone(&solver);
        wrap!(solver in timeout(keys.timeout));
        solver = Arc::new(Watched {
            inner: solver,
            activity: own.activity.clone(),
        });
        if let Some(config) = instrument {
            let instrumented = solver.instrumented(config.policy("attempt"));
            solver = instrumented.with_labels(&chain.labels).into_arc();
        }
        let price = price.unwrap_or_default();
        for budget in budgets() {
            solver = solver.budget(budget, price).into_arc();
        }
        #[cfg(feature = "store")]
        for budget in chain.stored_budgets_with(own) {
            solver = solver.stored_budget(budget, price).into_arc();
        }
        wrap!(solver in
            circuit_breaker(&own.circuit),
            concurrency_limit(&own.permits),
            rate_limit(&own.rate_limiter));
        if let Some(policy) = keys.retry {
            let retry = solver.retry(policy);
            solver = match &chain.retry_budget {
                Some(budget) => retry.with_retry_budget(budget).into_arc(),
                None => retry.into_arc(),
            };
        }
        wrap!(solver in timeout(keys.total_timeout));
        Ok(ProviderHandle {
            kind: keys.kind.clone(),
            provider,
            checked,
            solver,
            account,
        })
    }
}
