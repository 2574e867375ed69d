//! The chain that a configuration became.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::forward_solver;

use super::chain_config::ChainConfig;
use super::handle::ProviderHandle;
use super::parts::ChainParts;
use super::registry::Registry;
use super::strategy::Strategy;
use crate::{Budget, ConfigError, DragSolver};

/// A chain that was built from a [`ChainConfig`](super::ChainConfig): a solver like any other, which
/// also knows what it is made of.
///
/// It prints itself (`{chain}`, or `{chain:#}` on several lines) like the code that would have built
/// it. Cloning is cheap.
#[derive(Clone)]
pub struct Chain {
    pub(super) solver: Arc<dyn DragSolver>,
    pub(super) providers: Arc<[ProviderHandle]>,
    pub(super) parts: Arc<ChainParts>,
    /// What it was built from.
    pub(super) config: Arc<ChainConfig>,
}

impl Chain {
    /// Its providers, in the order of the file.
    #[must_use]
    pub fn providers(&self) -> &[ProviderHandle] {
        &self.providers
    }

    /// The provider called `name`.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&ProviderHandle> {
        self.providers.iter().find(|one| one.name() == name)
    }

    /// Who of the providers is asked.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.config.strategy
    }

    /// How long a challenge has that brings no deadline, if the file has a `deadline`.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.config.deadline.map(|policy| policy.limit)
    }

    /// What all providers spend from, if the file has a `budget`.
    #[must_use]
    pub fn shared_budget(&self) -> Option<&Budget> {
        self.parts.budget.as_ref()
    }

    /// What outlives the process, if the file has a `store` or one was given.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn store(&self) -> Option<&crate::store::StoreHandle> {
        self.parts.stored.store()
    }

    /// What all providers spend from, if the file names a budget of the store.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn stored_budget(&self) -> Option<&crate::store::StoredBudget> {
        self.parts.stored.budget()
    }

    /// What its policies share and keep between calls: budgets, circuits, permits and the like. Clones of
    /// the handles, not of what is behind them.
    #[must_use]
    pub fn parts(&self) -> ChainParts {
        (*self.parts).clone()
    }

    /// The chain of a changed file, which takes this one's place: with the new settings, and with what this
    /// one knows. This one can still be asked; calls under way in it end as they began.
    ///
    /// What stays is what has the same [label](super::ProviderConfig::label) and is in both files:
    ///
    /// | part | stays | starts anew |
    /// |---|---|---|
    /// | budgets | what is spent and reserved | if the provider has another label |
    /// | circuits | open ones, and what is known of the last calls | if the provider's kind or one of its own settings changed: what was seen with a wrong token says nothing about the right one |
    /// | permits, rate limits | calls under way and calls made | if the provider's kind changed |
    /// | latencies of a hedge, track records of an ordered fallback | all of it | as circuits, or if the strategy changed |
    /// | the retry budget | what was taken | never |
    /// | calls under way and last errors in [`health`](Self::health) | all of it | if the provider's kind changed |
    ///
    /// The new settings take effect on what stays, for calls that the old chain is still to make, too: see
    /// [`ChainParts`].
    ///
    /// # Errors
    ///
    /// Those of [`ChainConfig::build`]. This chain and its parts are left as they were.
    ///
    #[cfg_attr(feature = "mock", doc = "```")]
    #[cfg_attr(not(feature = "mock"), doc = "```ignore")]
    /// use drag_solver::config::{ChainConfig, Registry};
    /// # use drag_solver::DragSolver;
    /// # use drag_solver::testing::{MockSolver, fixtures};
    /// # #[derive(serde::Deserialize)]
    /// # struct House {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::empty()
    /// #     .register("house", |_: House, _| Ok(MockSolver::new("house").always(fixtures::drag())))?;
    /// # let challenge = fixtures::challenge();
    /// let read = |total| -> Result<ChainConfig, _> {
    ///     let budget = serde_json::json!({"total": total});
    ///     let house = serde_json::json!({"kind": "house", "price": "0.001"});
    ///     serde_json::from_value(serde_json::json!({"budget": budget, "providers": [house]}))
    /// };
    /// let chain = read("1")?.build(&registry)?;
    /// chain.solve(&challenge).await?;
    ///
    /// let chain = chain.rebuilt(&read("5")?, &registry)?; // the file was changed
    /// let budget = chain.shared_budget().unwrap();
    /// assert_eq!(budget.spent(), "0.001".parse()?);
    /// assert_eq!(budget.policy().total, Some("5".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn rebuilt(&self, new: &ChainConfig, registry: &Registry) -> Result<Self, ConfigError> {
        new.build_with(registry, self.parts_for(new))
    }

    /// Those of its parts that keep their meaning in a chain of `new` settings: what
    /// [`rebuilt`](Self::rebuilt) keeps. For a chain that is to have parts of others, too.
    #[must_use]
    pub fn parts_for(&self, new: &ChainConfig) -> ChainParts {
        self.parts.kept(&self.config, new)
    }
}

#[deny(clippy::missing_trait_methods)]
impl DragSolver for Chain {
    forward_solver!(solver: name, solve, report, profile);
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.solver.fmt(f)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.solver.fmt(f)
    }
}
