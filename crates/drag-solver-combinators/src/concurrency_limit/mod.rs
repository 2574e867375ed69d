//! A limit on calls under way at once.

mod permits;
mod policy;
#[cfg(test)]
mod tests;

use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, async_trait,
    forward_solver,
};
use tokio::time::Instant;

use self::permits::Permit;
pub use self::permits::Permits;
pub use self::policy::ConcurrencyLimitPolicy;
use crate::chain_debug::{DebugCall, wrapper};
use crate::measure::{Held, PERMITS};
use crate::resume::resumes;
use crate::waiting::{PERMIT, after_wait, wait_for};

/// When a refused call may come back. A guess: nothing tells when the next permit is free.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Lets only so many calls be under way at once. More wait in line, for as long as their deadline
/// allows.
///
/// - Permits are given in the order in which they were asked for, and a newcomer never overtakes
///   one that waits. The wait is told as [`Waiting`](drag_solver_core::Event::Waiting).
/// - A call that waits until the challenge's deadline ends with [`ErrorKind::DeadlineExceeded`]. If
///   the policy limits the queue, one that finds it full, or waits longer than it says, is refused
///   with [`ErrorKind::Overloaded`]: nothing was sent, another solver may have room, and
///   [later](SolveError::retry_after) this one may, too.
/// - A challenge that brings a paid job of the solver, or of one inside of it, needs no permit and
///   does not wait: it asks for nothing new. The jobs of other solvers are handed back by a refusal.
/// - Clones share the permits, and so do solvers that are given the same [`Permits`]:
///   `.concurrency_limit(&permits)`.
///
/// Put it inside a [`Retry`](crate::Retry), so that no permit is held while a retry waits.
///
/// Dropping the future gives the permit, or the position in the queue, back at once; a call that gave
/// up waiting is never given a permit.
///
/// ```
/// use drag_solver_combinators::{ConcurrencyLimitPolicy, DragSolverExt};
/// # use std::time::Duration;
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, Outcome, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// # let challenge = fixtures::challenge();
/// # let after_9_s = Outcome::answer(fixtures::drag()).after(Duration::from_secs(9));
/// # let provider = MockSolver::new("example").always(after_9_s);
/// let policy = ConcurrencyLimitPolicy::default().max_in_flight(1).max_waiting(1);
/// let solver = provider.concurrency_limit(policy);
///
/// let (first, second, third) = tokio::join!(
///     solver.solve(&challenge),
///     solver.solve(&challenge), // waits for the first
///     solver.solve(&challenge), // finds the queue full
/// );
/// assert!(first.is_ok() && second.is_ok());
/// assert_eq!(third.unwrap_err().kind(), ErrorKind::Overloaded);
/// # }
/// ```
#[derive(Clone)]
pub struct ConcurrencyLimit<S> {
    inner: S,
    permits: Permits,
}

impl<S: DragSolver> ConcurrencyLimit<S> {
    /// Puts `inner` under a limit: one of its own, or one that other solvers are under, too.
    pub fn new(inner: S, permits: impl Into<Permits>) -> Self {
        let permits = permits.into();
        Self { inner, permits }
    }

    /// The permits: to be shared, or to be looked at.
    #[must_use]
    pub fn permits(&self) -> &Permits {
        &self.permits
    }

    async fn wait(&self, challenge: &DragChallenge) -> Result<Permit<'_>, SolveError> {
        let (policy, solver) = (self.permits.policy(), self.name());
        let Some(position) = self.permits.queue() else {
            let waiting = policy.most_waiting();
            let problem = format!(
                "{} calls are under way and {waiting} wait, which is all that concurrency_limit allows",
                policy.max_in_flight
            );
            return Err(self.refused(challenge, ErrorKind::Overloaded, &problem));
        };
        let waiting = self.permits.waiting();
        tracing::debug!(solver, waiting, "waiting for a permit");
        let limit = policy
            .max_wait
            .and_then(|wait| Instant::now().checked_add(wait));
        let at = limit.into_iter().chain(challenge.deadline()).min();
        let permit = wait_for(PERMIT, position.permit_by(at), solver, challenge).await;
        if challenge.is_expired() {
            let problem = format!(
                "the deadline passed while {} calls were under way",
                policy.max_in_flight
            );
            return Err(self.refused(challenge, ErrorKind::DeadlineExceeded, &problem));
        }
        permit.ok_or_else(|| {
            let problem = format!(
                "waited {:?} in vain while {} calls were under way",
                policy.max_wait.unwrap_or_default(),
                policy.max_in_flight
            );
            self.refused(challenge, ErrorKind::Overloaded, &problem)
        })
    }

    fn refused(&self, challenge: &DragChallenge, kind: ErrorKind, problem: &str) -> SolveError {
        tracing::debug!(
            solver = self.name(),
            kind = kind.as_str(),
            in_flight = self.permits.in_flight(),
            waiting = self.permits.waiting(),
            "refused: the concurrency limit is reached"
        );
        let error = challenge.refuse(self.name(), kind, format!("nothing was sent: {problem}"));
        error.with_retry_after((kind == ErrorKind::Overloaded).then_some(RETRY_AFTER))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for ConcurrencyLimit<S> {
    // A report needs no permit: it is short, and should not wait behind the next challenge.
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        if resumes(&self.inner, challenge.paid_jobs()) {
            return self.inner.solve(challenge).await;
        }
        let _permit = match self.permits.free() {
            Some(permit) => permit,
            // In a box, or else calls that need not wait would have room for it, too.
            None => Box::pin(self.wait(challenge)).await?,
        };
        let _held = Held::of(PERMITS, &[("solver", self.name())]);
        self.inner.solve(challenge).await
    }

    /// The longest wait comes first.
    fn profile(&self) -> Profile {
        let (profile, policy) = (self.inner.profile(), self.permits.policy());
        if policy.most_waiting() == 0 {
            return profile;
        }
        profile.map_worst_case(|worst| after_wait(policy.max_wait, worst))
    }
}

wrapper!(ConcurrencyLimit(S), |limit, f| {
    let policy = limit.permits.policy();
    DebugCall::on(f, &limit.inner, "concurrency_limit")
        .with("max_in_flight", policy.max_in_flight)
        .with("max_waiting", policy.max_waiting)
        .with("max_wait", policy.max_wait)
});
