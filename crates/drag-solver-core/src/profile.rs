//! What is known of a solver before it is asked.

use crate::{ScreenshotLimits, WorstCase};

/// What one call can cost and take at most, which pictures are taken, and who may answer.
///
/// Combinators calculate it from their settings and from what they wrap, so one call of
/// [`DragSolver::profile`](crate::DragSolver::profile) walks the whole chain once. The default says that nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The most that one call can take: answers bought, time and cost.
    ///
    /// It holds for a challenge that brings no later deadline than the solver would set itself.
    pub worst_case: WorstCase,
    /// The pictures it takes: one beyond these limits is sure to be refused.
    ///
    /// A combinator around one solver has that solver's limits; one that asks several has none of its
    /// own, as each of them has other ones.
    pub limits: ScreenshotLimits,
    /// Names of the solvers inside that answer, and whose paid jobs it can resume. Empty for a
    /// solver that answers itself, under its own name.
    pub solvers: Vec<String>,
}

impl Profile {
    /// A solver that answers itself and takes this much for a call.
    #[must_use]
    pub fn new(worst_case: WorstCase) -> Self {
        Self {
            worst_case,
            ..Self::default()
        }
    }

    /// Replaces the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: ScreenshotLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Replaces the names of the solvers inside.
    #[doc(hidden)]
    #[must_use]
    pub fn with_solvers(mut self, solvers: Vec<String>) -> Self {
        self.solvers = solvers;
        self
    }

    /// Changes the worst case: for a wrapper that waits, or asks more than once.
    #[doc(hidden)]
    #[must_use]
    pub fn map_worst_case(mut self, change: impl FnOnce(WorstCase) -> WorstCase) -> Self {
        self.worst_case = change(self.worst_case);
        self
    }
}
