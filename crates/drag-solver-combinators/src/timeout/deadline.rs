//! A deadline for challenges that bring none.

use std::time::Duration;

use drag_solver_core::{
    CheckSettings, ConfigError, DragChallenge, DragSolver, ErrorKind, Profile, Solution,
    SolveError, async_trait, forward_solver,
};
use tokio::time::Instant;

use super::solve_by::solve_by;
use crate::chain_debug::{DebugCall, wrapper};
use crate::settings::{longer_than_zero, policy};

policy! {
    /// How long a whole chain may take for a challenge that does not say so itself.
    #[derive(Eq)]
    pub struct DeadlinePolicy {
        /// The limit. Default: 120 s, about as long as the applications that pose challenges wait. With a
        /// limit of zero every challenge is refused that brings no deadline of its own.
        #[serde(with = "drag_solver_core::human_duration")]
        pub limit: Duration = Duration::from_secs(120),
    }
}

impl CheckSettings for DeadlinePolicy {
    fn check(&self) -> Result<(), ConfigError> {
        longer_than_zero("limit", self.limit)
    }
}

impl From<Duration> for DeadlinePolicy {
    fn from(limit: Duration) -> Self {
        Self::default().limit(limit)
    }
}

/// Gives a challenge a deadline if it has none, and sees to it that the deadline is kept.
///
/// Goes around the whole chain. A challenge's own deadline stays as it is, sooner or later than the
/// limit. One that has passed already is refused before any solver is asked. A chain that exceeds the
/// deadline is dropped; the error names the jobs it said it had bought.
///
/// Unlike a [`Timeout`](crate::Timeout), the error is [`ErrorKind::DeadlineExceeded`], which ends
/// every chain: an answer would be worthless now.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::DragSolverExt;
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, Outcome, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// # let challenge = fixtures::challenge();
/// # let never_answers = MockSolver::new("example").then(Outcome::hang());
/// let chain = never_answers.deadline(Duration::from_secs(120));
///
/// let error = chain.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
/// assert_eq!(error.unfinished_jobs().len(), 1); // can be resumed later
/// # }
/// ```
#[derive(Clone)]
pub struct Deadline<S> {
    inner: S,
    policy: DeadlinePolicy,
}

impl<S: DragSolver> Deadline<S> {
    /// Gives challenges for `inner` the deadline that `policy` says.
    pub fn new(inner: S, policy: impl Into<DeadlinePolicy>) -> Self {
        let policy = policy.into();
        Self { inner, policy }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Deadline<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let now = Instant::now();
        let ours = || now.checked_add(self.policy.limit);
        let Some(at) = challenge.deadline().or_else(ours) else {
            return self.inner.solve(challenge).await; // further away than the clock reaches
        };
        let kind = ErrorKind::DeadlineExceeded;
        if at <= now {
            let problem = "the challenge's deadline had already passed; nothing was sent";
            return Err(challenge.refuse(self.name(), kind, problem));
        }
        solve_by(&self.inner, challenge, (now, at), kind).await
    }

    /// Holds for challenges without a later deadline of their own.
    fn profile(&self) -> Profile {
        let profile = self.inner.profile();
        profile.map_worst_case(|worst| worst.within(self.policy.limit))
    }
}

wrapper!(Deadline(S), |deadline, f| {
    DebugCall::on(f, &deadline.inner, "deadline").value(deadline.policy.limit)
});

#[cfg(test)]
#[path = "deadline_tests.rs"]
mod tests;
