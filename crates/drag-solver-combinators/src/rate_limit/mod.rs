//! A limit on calls in a stretch of time.

mod gcra;
mod limiter;
mod policy;
#[cfg(test)]
mod slot_tests;
#[cfg(test)]
mod tests;

use drag_solver_core::{
    Billed, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, async_trait,
    forward_solver,
};
use tokio::time::Instant;

pub use self::limiter::RateLimiter;
use self::limiter::{Slot, TooEarly};
pub use self::policy::RateLimitPolicy;
use crate::chain_debug::{DebugCall, wrapper};
use crate::resume::resumes;
use crate::waiting::{TURN, after_wait, wait_for};

/// Spreads calls, so that there are no more of them in a stretch of time than the policy says.
///
/// - A call that comes too early waits for its turn, if that comes before the challenge's deadline
///   and within the policy's `max_wait`. The wait is told as
///   [`Waiting`](drag_solver_core::Event::Waiting). Otherwise it is refused at once with
///   [`ErrorKind::Overloaded`], which says [after how long](SolveError::retry_after) there is a slot:
///   nothing was sent, and another solver may have room.
/// - Turns come in the order of the calls. When a waiting call is dropped, those behind it move up.
/// - A call that ends before its provider was asked, because it is refused further in or dropped
///   while it waits there, gives its slot back, unless another call was made since.
/// - A challenge that brings a paid job of the solver, or of one inside of it, takes no slot and does
///   not wait: it asks for nothing new. The jobs of other solvers are handed back by a refusal.
/// - Clones share the limit, and so do solvers that are given the same [`RateLimiter`]:
///   `.rate_limit(&limiter)`.
///
/// Limits what is asked, not what is answered: put it inside a [`Retry`](crate::Retry).
///
/// The algorithm is GCRA, the leaky bucket as a meter: it needs no ticking task and knows no window
/// at whose edge there could be twice as many calls.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, RateLimitPolicy};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), drag_solver_core::SolveError> {
/// # let challenge = fixtures::challenge();
/// # let provider = MockSolver::new("example").always(fixtures::drag());
/// let policy = RateLimitPolicy::default().max_calls(6).burst(1); // one every ten seconds
/// let solver = provider.rate_limit(policy);
///
/// solver.solve(&challenge).await?; // at once
/// solver.solve(&challenge).await?; // ten seconds later
///
/// let hasty = challenge.within(Duration::from_secs(5));
/// let error = solver.solve(&hasty).await.unwrap_err(); // at once
/// assert_eq!(error.kind(), ErrorKind::Overloaded);
/// assert_eq!(error.retry_after(), Some(Duration::from_secs(10)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RateLimit<S> {
    inner: S,
    limiter: RateLimiter,
}

impl<S: DragSolver> RateLimit<S> {
    /// Puts `inner` under a limit: one of its own, or one that other solvers are under, too.
    pub fn new(inner: S, limiter: impl Into<RateLimiter>) -> Self {
        let limiter = limiter.into();
        Self { inner, limiter }
    }

    /// The limiter: to be shared, or to be looked at.
    #[must_use]
    pub fn limiter(&self) -> &RateLimiter {
        &self.limiter
    }

    async fn wait(&self, challenge: &DragChallenge, now: Instant) -> Result<Slot<'_>, SolveError> {
        let too_early = |TooEarly(at)| self.refused(challenge, at);
        let position = self.limiter.queue(now, challenge.deadline());
        let (position, wait) = position.map_err(too_early)?;
        let (solver, waiting) = (self.name(), self.limiter.waiting());
        tracing::debug!(solver, ?wait, waiting, "waiting for a turn");
        let slot = wait_for(TURN, position.slot(), solver, challenge).await;
        slot.map_err(too_early)
    }

    fn refused(&self, challenge: &DragChallenge, at: Option<Instant>) -> SolveError {
        let solver = self.name();
        if challenge.is_expired() {
            let problem = "nothing was sent: the deadline has passed";
            return challenge.refuse(solver, ErrorKind::DeadlineExceeded, problem);
        }
        let wait = at.map(|at| at.saturating_duration_since(Instant::now()));
        let waiting = self.limiter.waiting();
        tracing::debug!(solver, ?wait, waiting, "refused: the rate limit is reached");
        let policy = self.limiter.policy();
        let turn = wait.map_or("never".to_owned(), |wait| format!("in {wait:?}"));
        let left = challenge.remaining();
        let limit = match (left, policy.max_wait) {
            (Some(left), wait) if wait.is_none_or(|wait| left <= wait) => {
                format!(", and the deadline is in {left:?}")
            }
            (_, Some(wait)) => format!(", and max_wait is {wait:?}"),
            _ => String::new(),
        };
        let problem = format!(
            "nothing was sent: with {} calls per {:?} the next turn is {turn}{limit}",
            policy.max_calls, policy.period
        );
        let error = challenge.refuse(solver, ErrorKind::Overloaded, problem);
        error.with_retry_after(wait)
    }
}

/// Whether an error was made on this side. Some solvers say nothing while they work: then only such
/// an error shows that no provider was asked.
fn is_refusal(error: &SolveError) -> bool {
    let kind = error.kind();
    let was_late = kind == ErrorKind::DeadlineExceeded && error.billed() == Billed::No;
    (kind.is_local_refusal() || was_late) && error.failed_attempts().is_empty()
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for RateLimit<S> {
    // A report takes no slot: it buys nothing.
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        if resumes(&self.inner, challenge.paid_jobs()) {
            return self.inner.solve(challenge).await;
        }
        let now = Instant::now();
        if challenge.deadline().is_some_and(|deadline| deadline <= now) {
            return Err(self.refused(challenge, None));
        }
        let mut slot = match self.limiter.free(now) {
            Some(slot) => slot,
            // In a box, or else calls that need not wait would have room for it, too.
            None => Box::pin(self.wait(challenge, now)).await?,
        };
        let (challenge, tracker) = challenge.tracked();
        slot.begin(tracker);
        let outcome = self.inner.solve(&challenge).await;
        if outcome.as_ref().is_err_and(is_refusal) {
            slot.refused();
        }
        outcome
    }

    /// The longest wait comes first.
    fn profile(&self) -> Profile {
        let max_wait = self.limiter.policy().max_wait;
        let profile = self.inner.profile();
        profile.map_worst_case(|worst| after_wait(max_wait, worst))
    }
}

wrapper!(RateLimit(S), |limit, f| {
    let policy = limit.limiter.policy();
    DebugCall::on(f, &limit.inner, "rate_limit")
        .with("max_calls", policy.max_calls)
        .with("period", policy.period)
        .with("burst", policy.burst)
        .with("max_wait", policy.max_wait)
});
