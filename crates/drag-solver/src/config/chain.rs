//! The chain that a configuration became.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::forward_solver;

use super::{ProviderHandle, Strategy};
use crate::{Budget, DragSolver};

/// A chain that was built from a [`ChainConfig`](super::ChainConfig): a solver like any other, which
/// also knows what it is made of.
///
/// It prints itself (`{chain}`, or `{chain:#}` on several lines) like the code that would have built
/// it. Cloning is cheap.
#[derive(Clone)]
pub struct Chain {
    pub(super) solver: Arc<dyn DragSolver>,
    pub(super) providers: Arc<[ProviderHandle]>,
    pub(super) budget: Option<Budget>,
    pub(super) time_limit: Option<Duration>,
    pub(super) strategy: Strategy,
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
        self.strategy
    }

    /// How long a challenge has that brings no deadline, if the file has a `deadline`.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.time_limit
    }

    /// What all providers spend from, if the file has a `budget`.
    #[must_use]
    pub fn shared_budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
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
