//! The chain that a configuration became.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::registry::Opened;
use super::{ChainConfig, Strategy};
use crate::combinators::Budget;
use crate::core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase,
    async_trait,
};

/// A chain that was built from a [`ChainConfig`](super::ChainConfig): a solver like any other, which
/// also knows what it is made of.
///
/// It prints itself (`{chain}`, or `{chain:#}` on several lines) like the code that would have built
/// it. Cloning is cheap.
#[derive(Clone)]
pub struct Chain {
    solver: Arc<dyn DragSolver>,
    links: Arc<[Link]>,
    budget: Option<Budget>,
    deadline: Option<Duration>,
    strategy: Strategy,
}

/// One provider of a chain, with the policies around it.
#[derive(Clone, Debug)]
pub struct Link {
    kind: String,
    provider: Opened,
    checked: Arc<dyn DragSolver>,
    solver: Arc<dyn DragSolver>,
}

impl Chain {
    pub(super) fn new(
        solver: Arc<dyn DragSolver>,
        links: Vec<Link>,
        budget: Option<Budget>,
        config: &ChainConfig,
    ) -> Self {
        Self {
            solver,
            links: links.into(),
            budget,
            deadline: config.deadline.map(|policy| policy.limit),
            strategy: config.strategy,
        }
    }

    /// Its providers, in the order of the file.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The provider called `name`.
    #[must_use]
    pub fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name() == name)
    }

    /// Who of the providers is asked.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// How long a challenge has that brings no deadline, if the file has a `deadline`.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.deadline
    }

    /// What all providers spend from, if the file has a `budget`.
    #[must_use]
    pub fn shared_budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }
}

impl Link {
    pub(super) fn new(
        kind: String,
        provider: Opened,
        checked: Arc<dyn DragSolver>,
        solver: Arc<dyn DragSolver>,
    ) -> Self {
        Self {
            kind,
            provider,
            checked,
            solver,
        }
    }

    /// What the provider is called in this chain.
    #[must_use]
    pub fn name(&self) -> &str {
        self.provider.solver().name()
    }

    /// Which kind of provider it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The provider alone.
    #[must_use]
    pub fn provider(&self) -> &Opened {
        &self.provider
    }

    /// The provider with what shapes and checks its answers, and without what asks again, waits or
    /// counts: for fetching the answer to a job that was paid for, and buying nothing.
    #[must_use]
    pub fn checked(&self) -> &Arc<dyn DragSolver> {
        &self.checked
    }

    /// The provider with its policies.
    #[must_use]
    pub fn solver(&self) -> &Arc<dyn DragSolver> {
        &self.solver
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Chain {
    fn name(&self) -> &str {
        self.solver.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.solver.solve(challenge).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.solver.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.solver.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.solver.limits()
    }
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

/// A provider that prints itself by its kind and name, and leaves out what would bury the chain.
pub(super) struct Leaf {
    solver: Arc<dyn DragSolver>,
    kind: String,
}

impl Leaf {
    pub(super) fn of(solver: Arc<dyn DragSolver>, kind: &str) -> Self {
        Self {
            solver,
            kind: kind.to_owned(),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Leaf {
    fn name(&self) -> &str {
        self.solver.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.solver.solve(challenge).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.solver.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.solver.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.solver.limits()
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        if name == self.kind {
            f.write_str(name)
        } else {
            write!(f, "{}({name:?})", self.kind)
        }
    }
}
