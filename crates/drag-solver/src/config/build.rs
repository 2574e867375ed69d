//! From settings to solvers.

use std::collections::HashSet;
use std::sync::Arc;

use super::chain::{Chain, Leaf, Link};
use super::error::InvalidConfig;
use super::{ChainConfig, ProviderConfig, Registry, Strategy};
use crate::combinators::{Budget, DragSolverExt as _, Fallback, InvalidPolicy, Retry, RetryBudget};
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
            let link = provider.link(registry, budget.as_ref(), retries.as_ref());
            links.push(link.map_err(|error| error.inside(provider.label()).inside("providers"))?);
        }
        let solver = self.join(&links)?;
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
        if self.retry_budget.is_some() && self.providers.iter().all(|one| one.retry.is_none()) {
            let problem = "limits nothing: no provider has a `retry`";
            return Err(InvalidConfig::new(problem).inside("retry_budget"));
        }
        Ok(())
    }

    /// What is around all providers.
    fn join(&self, links: &[Link]) -> Result<Shared, InvalidConfig> {
        let solvers = links.iter().map(|link| Arc::clone(link.solver()));
        let mut solver: Shared = match (links, &self.strategy) {
            ([only], _) => Arc::clone(only.solver()),
            (_, Strategy::Fallback) => Fallback::new(solvers)
                .map_err(|error| InvalidConfig::policy("strategy", &error))?
                .shared(),
        };
        if let Some(policy) = self.deadline {
            solver = solver
                .deadline(policy)
                .map_err(|error| limit("deadline", &error))?
                .shared();
        }
        Ok(solver)
    }
}

impl ProviderConfig {
    /// The provider with its policies, in the one order that works, from the inside out.
    fn link(
        &self,
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
            solver = solver
                .priced(price)
                .map_err(|error| limit("price", &error))?
                .shared();
        }
        if let Some(policy) = self.validate {
            solver = solver
                .validate(policy)
                .map_err(|error| InvalidConfig::policy("validate", &error))?
                .shared();
        }
        let checked = Arc::clone(&solver);
        if let Some(policy) = self.timeout {
            solver = solver
                .timeout(policy)
                .map_err(|error| limit("timeout", &error))?
                .shared();
        }
        for budget in budgets {
            let Some(price) = self.price else {
                let problem =
                    "must be set: the budget has to know what an answer costs at the most";
                return Err(InvalidConfig::new(problem).inside("price"));
            };
            solver = solver
                .budget(budget, price)
                .map_err(|error| limit("price", &error))?
                .shared();
        }
        if let Some(policy) = self.retry {
            let retry = Retry::new(solver, policy)
                .map_err(|error| InvalidConfig::policy("retry", &error))?;
            solver = match retries {
                Some(budget) => retry.with_budget(budget.clone()).shared(),
                None => retry.shared(),
            };
        }
        Ok(Link::new(self.kind.clone(), provider, checked, solver))
    }
}

/// The refusal of a policy that is one value in the file, called `key`.
fn limit(key: &str, error: &InvalidPolicy) -> InvalidConfig {
    InvalidConfig::new(error.problem()).inside(key)
}
