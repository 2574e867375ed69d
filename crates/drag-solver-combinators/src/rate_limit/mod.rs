//! A limit on calls in a stretch of time.

mod gcra;
mod limiter;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Verdict,
    WorstCase, async_trait,
};
use tokio::time::Instant;

use self::gcra::Slot;
pub use self::limiter::RateLimiter;
use self::limiter::{Entry, Patience, TooEarly};
pub use self::policy::RateLimitPolicy;
use crate::InvalidPolicy;
use crate::describe::{Call, display_like_debug};

/// Spreads calls, so that there are no more of them in a stretch of time than the policy says.
///
/// - A call that comes too early waits for its turn, if that comes before the challenge's deadline
///   and within the policy's `max_wait`. Otherwise it is refused at once with
///   [`ErrorKind::Overloaded`], which says [after how long](SolveError::retry_after) there is a slot:
///   nothing was sent, and another solver may have room.
/// - Turns come in the order of the calls. When a waiting call is dropped, those behind it move up.
/// - A call that is refused further in, say by an open circuit, gives its slot back, unless another
///   call was made since. Going on with a job that was paid for takes no slot: it asks for nothing
///   new.
/// - Clones share the limit. See [`sharing`](Self::sharing) for several solvers under one limit.
///
/// Limits what is asked, not what is answered: put it inside a [`Retry`](crate::Retry).
///
/// The algorithm is GCRA, the leaky bucket as a meter: it needs no ticking task and knows no window
/// at whose edge there could be twice as many calls.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, RateLimitPolicy};
/// # use drag_solver_core::{Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot};
/// # use drag_solver_mock::{MockSolver, Outcome};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
/// # let provider = MockSolver::new("example").always(drag);
/// let policy = RateLimitPolicy::default().max_calls(6).burst(1); // one every ten seconds
/// let solver = provider.rate_limit(policy)?;
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
    /// Limits the calls of `inner` to what `policy` says.
    ///
    /// # Errors
    ///
    /// See [`RateLimitPolicy::check`].
    pub fn new(inner: S, policy: RateLimitPolicy) -> Result<Self, InvalidPolicy> {
        Ok(Self::sharing(inner, &RateLimiter::new(policy)?))
    }

    /// Puts `inner` under a limit together with everybody else who has this limiter: for several
    /// solvers that ask the same account.
    pub fn sharing(inner: S, limiter: &RateLimiter) -> Self {
        Self {
            inner,
            limiter: limiter.clone(),
        }
    }

    /// The limiter: to be shared, or to be looked at.
    #[must_use]
    pub fn limiter(&self) -> &RateLimiter {
        &self.limiter
    }

    /// Whether a call would only wait for a job that was paid for. A solver that may buy several
    /// answers in a call may buy one after the job.
    fn only_resumes(&self, challenge: &DragChallenge) -> bool {
        challenge.paid_job(self.name()).is_some()
            && self.inner.worst_case().attempts.unwrap_or(1) <= 1
    }

    async fn admit(&self, challenge: &DragChallenge) -> Result<Slot, SolveError> {
        let now = Instant::now();
        let max_wait = self.limiter.policy().max_wait;
        let patience = Patience::new(now, max_wait, challenge.deadline());
        let slot = match self.limiter.enter(now, patience) {
            Ok(Entry::Now(slot)) => Ok(slot),
            Ok(Entry::Later { wait, place }) => {
                tracing::debug!(
                    provider = self.name(),
                    ?wait,
                    waiting = self.limiter.waiting(),
                    "waiting for a turn"
                );
                place.slot(patience).await
            }
            Err(too_early) => Err(too_early),
        };
        slot.map_err(|TooEarly { at }| self.refused(challenge, at))
    }

    fn refused(&self, challenge: &DragChallenge, at: Option<Instant>) -> SolveError {
        if challenge.is_expired() {
            let late = SolveError::new(
                ErrorKind::DeadlineExceeded,
                "nothing was sent: the deadline has passed",
            );
            return late.with_provider(self.name());
        }
        let wait = at.map(|at| at.saturating_duration_since(Instant::now()));
        tracing::warn!(
            provider = self.name(),
            ?wait,
            waiting = self.limiter.waiting(),
            "refused: the rate limit is reached"
        );
        let RateLimitPolicy {
            max_calls,
            period,
            max_wait,
            ..
        } = self.limiter.policy();
        let left = challenge.remaining().filter(|&left| left <= max_wait);
        let patience = match left {
            Some(left) => format!("and the deadline is in {left:?}"),
            None => format!("and max_wait is {max_wait:?}"),
        };
        let turn = wait.map_or("never".to_owned(), |wait| format!("in {wait:?}"));
        let error = SolveError::new(
            ErrorKind::Overloaded,
            format!(
                "nothing was sent: with {max_calls} calls per {period:?} the next turn is {turn}, \
                 {patience}"
            ),
        )
        .with_provider(self.name());
        match wait {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for RateLimit<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        if self.only_resumes(challenge) {
            return self.inner.solve(challenge).await;
        }
        let slot = self.admit(challenge).await?;
        let outcome = self.inner.solve(challenge).await;
        if let Err(error) = &outcome
            && error.kind().is_local_refusal()
            && error.attempts().is_empty()
        {
            self.limiter.give_back(slot);
        }
        outcome
    }

    /// Takes no slot: a report buys nothing.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    /// The longest wait comes first.
    fn worst_case(&self) -> WorstCase {
        let max_wait = self.limiter.policy().max_wait;
        self.inner.worst_case().delayed_by(max_wait)
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for RateLimit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RateLimitPolicy {
            max_calls,
            period,
            burst,
            max_wait,
        } = self.limiter.policy();
        Call::on(f, &self.inner, "rate_limit")
            .with("max_calls", max_calls)
            .with("period", period)
            .with("burst", burst)
            .with("max_wait", max_wait)
            .finish()
    }
}

display_like_debug!(RateLimit);
