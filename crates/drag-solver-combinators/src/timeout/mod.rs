//! Limits on time: for one attempt ([`Timeout`]) and for a whole challenge ([`Deadline`]).

mod deadline;
mod solve_by;
#[cfg(test)]
mod tests;

use std::time::Duration;

use drag_solver_core::{
    CheckSettings, ConfigError, DragChallenge, DragSolver, ErrorKind, Profile, Solution,
    SolveError, async_trait, forward_solver,
};
use tokio::time::Instant;

pub use self::deadline::{Deadline, DeadlinePolicy};
use self::solve_by::{solve_by, too_late};
use crate::chain_debug::{DebugCall, wrapper};
use crate::settings::{longer_than_zero, policy};

policy! {
    /// How long one attempt may take.
    #[derive(Eq)]
    pub struct TimeoutPolicy {
        /// The limit. Default: 60 s, because human workers need up to half a minute, and a challenge
        /// that was not answered in a minute has seldom another one left. With a limit of zero every
        /// attempt times out at once, and nothing is sent.
        #[serde(with = "drag_solver_core::human_duration")]
        pub limit: Duration = Duration::from_secs(60),
    }
}

impl CheckSettings for TimeoutPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        longer_than_zero("limit", self.limit)
    }
}

impl From<Duration> for TimeoutPolicy {
    fn from(limit: Duration) -> Self {
        Self::default().limit(limit)
    }
}

/// Ends an attempt that takes too long, and keeps the id of the job it paid for.
///
/// The inner solver is handed a nearer deadline, so that it comes back by itself and says which job
/// is unfinished. Only if it exceeds that is it dropped; the error then names the jobs that it said it
/// had [bought](drag_solver_core::Event::Bought).
///
/// The error is [`ErrorKind::Timeout`]: the challenge itself is still good, and a
/// [`Retry`](crate::Retry) outside continues to wait for the job. If the challenge's own deadline is
/// no later than the limit, it is [`ErrorKind::DeadlineExceeded`].
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::DragSolverExt;
/// # use drag_solver_core::{DragSolver, ErrorKind, Recovery};
/// # use drag_solver_mock::{MockSolver, Outcome, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// # let challenge = fixtures::challenge();
/// # let never_answers = MockSolver::new("example").then(Outcome::hang());
/// let solver = never_answers.timeout(Duration::from_secs(30));
///
/// let error = solver.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Timeout);
/// assert_eq!(error.recovery(), Recovery::Switch);
/// # }
/// ```
#[derive(Clone)]
pub struct Timeout<S> {
    inner: S,
    policy: TimeoutPolicy,
}

impl<S: DragSolver> Timeout<S> {
    /// Gives each attempt of `inner` the time that `policy` says.
    pub fn new(inner: S, policy: impl Into<TimeoutPolicy>) -> Self {
        let policy = policy.into();
        Self { inner, policy }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Timeout<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let (limit, now) = (self.policy.limit, Instant::now());
        let Some(at) = now.checked_add(limit) else {
            return self.inner.solve(challenge).await; // further away than the clock reaches
        };
        if let Some(own) = challenge.deadline().filter(|&own| own <= at) {
            let kind = ErrorKind::DeadlineExceeded;
            return solve_by(&self.inner, challenge, (now, own), kind).await;
        }
        if limit.is_zero() {
            return Err(challenge.refuse(self.name(), ErrorKind::Timeout, too_late(limit)));
        }
        let outcome = solve_by(&self.inner, challenge, (now, at), ErrorKind::Timeout).await;
        outcome.map_err(|mut error| {
            // The deadline that was exceeded is ours, unless the challenge's own has passed: the words
            // would blame one that the caller may never have set.
            if error.kind() == ErrorKind::DeadlineExceeded && !challenge.is_expired() {
                tracing::debug!(
                    solver = self.name(),
                    inner = error.message(),
                    "no time was left"
                );
                error = error
                    .with_kind(ErrorKind::Timeout)
                    .with_message(too_late(limit));
            }
            if error.kind() == ErrorKind::Timeout {
                let (solver, jobs) = (self.name(), error.unfinished_jobs().len());
                tracing::debug!(solver, jobs, ?limit, "the attempt timed out");
            }
            error
        })
    }

    fn profile(&self) -> Profile {
        let profile = self.inner.profile();
        profile.map_worst_case(|worst| worst.within(self.policy.limit))
    }
}

wrapper!(Timeout(S), |timeout, f| {
    DebugCall::on(f, &timeout.inner, "timeout").value(timeout.policy.limit)
});
