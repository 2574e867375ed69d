//! From settings to solvers.

use std::collections::HashSet;
use std::sync::Arc;

use super::handle::{ProviderHandle, labelled};
use super::provider::{check, check_limit};
use super::{Chain, ChainConfig, ProviderConfig, Registry, Strategy};
#[cfg(feature = "image")]
use crate::FitExt as _;
use crate::{
    Budget, ConfigError, DragSolver, DragSolverExt as _, Fallback, Hedge, Quorum, RetryBudget,
};

/// What the providers of a chain have in common.
#[derive(Default)]
struct Shared {
    instrument: bool,
    budget: Option<Budget>,
    retry_budget: Option<RetryBudget>,
}

impl ChainConfig {
    /// Makes the chain. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Providers that there are not, settings that contradict each other or that no author can mean,
    /// secrets that are not where they are said to be.
    pub fn build(&self, registry: &Registry) -> Result<Chain, ConfigError> {
        self.check()?;
        let registry = &self.registry(registry)?;
        let shared = Shared {
            instrument: self.instrument,
            budget: self.budget.map(Budget::new),
            retry_budget: self.retry_budget.map(RetryBudget::new),
        };
        let mut providers = Vec::new();
        for provider in &self.providers {
            let handle = provider.build(registry, &shared);
            let in_place = |error: ConfigError| error.in_key(provider.label()).in_key("providers");
            providers.push(handle.map_err(in_place)?);
        }
        Ok(Chain {
            solver: self.join(&providers, shared.retry_budget),
            providers: providers.into(),
            budget: shared.budget,
            time_limit: self.deadline.map(|policy| policy.limit),
            strategy: self.strategy,
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
        check("budget", self.budget)?;
        check("retry_budget", self.retry_budget)?;
        self.strategy.check(self.providers.len())
    }

    /// What is around all providers.
    fn join(
        &self,
        providers: &[ProviderHandle],
        retry_budget: Option<RetryBudget>,
    ) -> Arc<dyn DragSolver> {
        let solvers = providers.iter().map(|one| Arc::clone(&one.solver));
        let mut solver = match (providers, self.strategy) {
            ([only], Strategy::Fallback) => Arc::clone(&only.solver),
            (_, Strategy::Fallback) => Fallback::new(solvers).into_arc(),
            (_, Strategy::Ordered(policy)) => Fallback::new(solvers).ordered(policy).into_arc(),
            (_, Strategy::Hedge(policy)) => match retry_budget {
                Some(budget) => Hedge::new(solvers, policy)
                    .with_retry_budget(budget)
                    .into_arc(),
                None => Hedge::new(solvers, policy).into_arc(),
            },
            (_, Strategy::Quorum(policy)) => Quorum::new(solvers, policy).into_arc(),
        };
        if let Some(policy) = self.deadline {
            solver = solver.deadline(policy).into_arc();
        }
        if self.instrument {
            solver = solver.instrumented("challenge").into_arc();
        }
        solver
    }
}

impl Registry {
    /// Makes one provider ready, with the policies around it. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A kind that there is not, and settings that the provider refuses.
    pub fn open(&self, config: &ProviderConfig) -> Result<ProviderHandle, ConfigError> {
        config.build(self, &Shared::default())
    }
}

/// Puts the policies of these names around the solver, those of them that there are.
macro_rules! wrap {
    ($solver:ident in $($policy:ident),+ of $keys:ident) => {$(
        if let Some(policy) = $keys.$policy {
            $solver = $solver.$policy(policy).into_arc();
        }
    )+};
}

impl ProviderConfig {
    /// The provider with its policies, in the one order that works, from the inside out.
    fn build(&self, registry: &Registry, shared: &Shared) -> Result<ProviderHandle, ConfigError> {
        let keys = &self.keys;
        keys.check()?;
        let own_budget = keys.budget.map(Budget::new);
        let budgets = || own_budget.iter().chain(&shared.budget);
        if keys.price.is_none() && budgets().next().is_some() {
            let problem = "must be set: the budget has to know what an answer costs at most";
            return Err(ConfigError::new("price", problem));
        }
        let (provider, account) = registry.make(self)?;
        let mut solver = labelled(&keys.kind, &provider);
        if let Some(price) = keys.price.filter(|_| budgets().next().is_none()) {
            solver = solver.priced(price).into_arc();
        }
        #[cfg(feature = "image")]
        if keys.fit.is_some() && registry.has_known_start(self) {
            let problem = "cannot be used with a start that is known before: that is in pixels of the \
                           picture that is sent, and `fit` may send another. Make screenshots that fit";
            return Err(ConfigError::new("fit", problem));
        }
        #[cfg(feature = "image")]
        wrap!(solver in fit of keys);
        wrap!(solver in validate of keys);
        let checked = Arc::clone(&solver);
        wrap!(solver in timeout of keys);
        if shared.instrument {
            solver = solver.instrumented("attempt").into_arc();
        }
        for budget in budgets() {
            let price = keys.price.unwrap_or_default();
            solver = solver.budget(budget, price).into_arc();
        }
        wrap!(solver in circuit_breaker, concurrency_limit, rate_limit of keys);
        if let Some(policy) = keys.retry {
            let retry = solver.retry(policy);
            solver = match &shared.retry_budget {
                Some(budget) => retry.with_retry_budget(budget).into_arc(),
                None => retry.into_arc(),
            };
        }
        if let Some(policy) = keys.total_timeout {
            solver = solver.timeout(policy).into_arc();
        }
        Ok(ProviderHandle {
            kind: keys.kind.clone(),
            provider,
            checked,
            solver,
            account,
        })
    }
}
