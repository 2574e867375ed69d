//! From settings to solvers.

use std::collections::HashSet;
use std::sync::Arc;

use super::chain::{Chain, Leaf, Link};
use super::error::InvalidConfig;
use super::{ChainConfig, ProviderConfig, Registry, Strategy};
use crate::combinators::{
    Budget, DragSolverExt as _, Fallback, Hedge, InvalidPolicy, Quorum, Retry, RetryBudget,
};
use crate::core::DragSolver;

type Shared = Arc<dyn DragSolver>;

impl ChainConfig {
    /// Makes the chain. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Providers that there are not, settings that nobody can work with, secrets that are not where
    /// they are said to be.
    pub fn build(&self, registry: &Registry) -> Result<Chain, InvalidConfig> {
        self.check()?;
        let budget = self.budget.map(Budget::new).transpose();
        let budget = budget.map_err(|error| InvalidConfig::policy("budget", &error))?;
        let retries = self.retry_budget.map(RetryBudget::new).transpose();
        let retries = retries.map_err(|error| InvalidConfig::policy("retry_budget", &error))?;

        let mut links = Vec::new();
        for provider in &self.providers {
            let link = provider.link(self.instrument, registry, budget.as_ref(), retries.as_ref());
            links.push(link.map_err(|error| error.inside(provider.label()).inside("providers"))?);
        }
        let solver = self.join(&links, retries)?;
        Ok(Chain::new(solver, links, budget, self))
    }

    /// Finds what no single part can see.
    fn check(&self) -> Result<(), InvalidConfig> {
        if self.providers.is_empty() {
            let problem = "must hold at least one: write [[providers]] and its kind";
            return Err(InvalidConfig::new(problem).inside("providers"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = self.providers.iter().find(|one| !names.insert(one.label())) {
            let problem = "is the name of two providers: give one of them another `name`";
            return Err(InvalidConfig::new(problem)
                .inside(twice.label())
                .inside("providers"));
        }
        let asks_again = matches!(self.strategy, Strategy::Hedge(_))
            || self.providers.iter().any(|one| one.retry.is_some());
        if self.retry_budget.is_some() && !asks_again {
            let problem = "limits nothing: no provider has a `retry`, and there is no hedge";
            return Err(InvalidConfig::new(problem).inside("retry_budget"));
        }
        Ok(())
    }

    /// What is around all providers.
    fn join(&self, links: &[Link], retries: Option<RetryBudget>) -> Result<Shared, InvalidConfig> {
        let solvers = links.iter().map(|link| Arc::clone(link.solver()));
        let solver = match (links, self.strategy) {
            ([only], Strategy::Fallback) => Arc::clone(only.solver()),
            (_, Strategy::Fallback) => table("strategy", Fallback::new(solvers))?,
            (_, Strategy::Ordered(policy)) => {
                let fallback = Fallback::new(solvers);
                let ordered = fallback.and_then(|fallback| fallback.ordered(policy));
                ordered
                    .map_err(|error| InvalidConfig::policy("order", &error).inside("strategy"))?
                    .shared()
            }
            (_, Strategy::Hedge(policy)) => {
                let mut hedge = Hedge::new(solvers, policy);
                if let Some(retries) = retries {
                    hedge = hedge.map(|hedge| hedge.with_budget(retries));
                }
                table("strategy", hedge)?
            }
            (_, Strategy::Quorum(policy)) => table("strategy", Quorum::new(solvers, policy))?,
        };
        let solver = match self.deadline {
            Some(policy) => value("deadline", solver.deadline(policy))?,
            None => solver,
        };
        if self.instrument {
            return value("instrument", solver.instrumented("challenge"));
        }
        Ok(solver)
    }
}

impl ProviderConfig {
    /// The provider with its policies, in the one order that works, from the inside out.
    fn link(
        &self,
        instrument: bool,
        registry: &Registry,
        shared_budget: Option<&Budget>,
        retries: Option<&RetryBudget>,
    ) -> Result<Link, InvalidConfig> {
        let provider = registry.open(self)?;
        let mut solver: Shared = Leaf::of(Arc::clone(provider.solver()), &self.kind).shared();

        let own_budget = self.budget.map(Budget::new).transpose();
        let own_budget = own_budget.map_err(|error| InvalidConfig::policy("budget", &error))?;
        let budgets: Vec<&Budget> = own_budget.iter().chain(shared_budget).collect();
        if let Some(price) = self.price.filter(|_| budgets.is_empty()) {
            solver = value("price", solver.priced(price))?;
        }
        #[cfg(feature = "image")]
        if let Some(policy) = self.fit {
            let fitted = crate::image::Fit::new(solver, policy).map_err(|error| {
                InvalidConfig::new(error.problem())
                    .inside(error.setting())
                    .inside("fit")
            })?;
            solver = fitted.shared();
        }
        if let Some(policy) = self.validate {
            solver = table("validate", solver.validate(policy))?;
        }
        let checked = Arc::clone(&solver);
        if let Some(policy) = self.timeout {
            solver = value("timeout", solver.timeout(policy))?;
        }
        if instrument {
            solver = value("instrument", solver.instrumented("attempt"))?;
        }
        for budget in budgets {
            let Some(price) = self.price else {
                let problem =
                    "must be set: the budget has to know what an answer costs at the most";
                return Err(InvalidConfig::new(problem).inside("price"));
            };
            solver = value("price", solver.budget(budget, price))?;
        }
        if let Some(policy) = self.circuit_breaker {
            solver = table("circuit_breaker", solver.circuit_breaker(policy))?;
        }
        if let Some(policy) = self.concurrency_limit {
            solver = table("concurrency_limit", solver.concurrency_limit(policy))?;
        }
        if let Some(policy) = self.rate_limit {
            solver = table("rate_limit", solver.rate_limit(policy))?;
        }
        if let Some(policy) = self.retry {
            let mut retry = Retry::new(solver, policy);
            if let Some(retries) = retries {
                retry = retry.map(|retry| retry.with_budget(retries.clone()));
            }
            solver = table("retry", retry)?;
        }
        Ok(Link::new(self.kind.clone(), provider, checked, solver))
    }
}

/// A policy that is a table called `key` in the file.
fn table<S: DragSolver + 'static>(
    key: &str,
    built: Result<S, InvalidPolicy>,
) -> Result<Shared, InvalidConfig> {
    match built {
        Ok(solver) => Ok(solver.shared()),
        Err(error) => Err(InvalidConfig::policy(key, &error)),
    }
}

/// A policy that is one value in the file, called `key`.
fn value<S: DragSolver + 'static>(
    key: &str,
    built: Result<S, InvalidPolicy>,
) -> Result<Shared, InvalidConfig> {
    match built {
        Ok(solver) => Ok(solver.shared()),
        Err(error) => Err(InvalidConfig::new(error.problem()).inside(key)),
    }
}
