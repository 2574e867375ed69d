//! A limit on calls under way at once.

mod permits;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Verdict,
    WorstCase, async_trait,
};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

pub use self::permits::Permits;
pub use self::policy::ConcurrencyLimitPolicy;
use crate::InvalidPolicy;
use crate::describe::{Call, display_like_debug};

/// Lets only so many calls be under way at once. More wait in line, and more than that are refused.
///
/// - Permits are given in the order in which they were asked for, and a newcomer never overtakes
///   somebody who waits.
/// - A call that finds the queue full, or waits longer than the policy says, is refused with
///   [`ErrorKind::Overloaded`]: nothing was sent, and another solver may have room. One that waits
///   until the challenge's deadline ends with [`ErrorKind::DeadlineExceeded`].
/// - Clones share the permits. See [`sharing`](Self::sharing) for several solvers under one limit.
///
/// Put it inside a [`Retry`](crate::Retry), so that no permit is held while a retry waits.
///
/// Dropping the future gives the permit, or the place in the queue, back at once; somebody who gave
/// up waiting is never given a permit.
///
/// ```
/// use drag_solver_combinators::{ConcurrencyLimitPolicy, DragSolverExt};
/// # use std::time::Duration;
/// # use drag_solver_core::{Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot};
/// # use drag_solver_mock::{MockSolver, Outcome};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
/// # let provider = MockSolver::new("example").always(Outcome::answer(drag).after(Duration::from_secs(9)));
/// let policy = ConcurrencyLimitPolicy::default().max_in_flight(1).max_waiting(1);
/// let solver = provider.concurrency_limit(policy)?;
///
/// let (first, second, third) = tokio::join!(
///     solver.solve(&challenge),
///     solver.solve(&challenge), // waits for the first
///     solver.solve(&challenge), // finds the queue full
/// );
/// assert!(first.is_ok() && second.is_ok());
/// assert_eq!(third.unwrap_err().kind(), ErrorKind::Overloaded);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ConcurrencyLimit<S> {
    inner: S,
    permits: Permits,
}

impl<S: DragSolver> ConcurrencyLimit<S> {
    /// Limits the calls of `inner` to what `policy` says.
    ///
    /// # Errors
    ///
    /// See [`ConcurrencyLimitPolicy::check`].
    pub fn new(inner: S, policy: ConcurrencyLimitPolicy) -> Result<Self, InvalidPolicy> {
        Ok(Self::sharing(inner, &Permits::new(policy)?))
    }

    /// Puts `inner` under a limit together with everybody else who has these permits: for several
    /// solvers that ask the same account.
    pub fn sharing(inner: S, permits: &Permits) -> Self {
        Self {
            inner,
            permits: permits.clone(),
        }
    }

    /// The permits: to be shared, or to be looked at.
    #[must_use]
    pub fn permits(&self) -> &Permits {
        &self.permits
    }

    async fn admit(&self, challenge: &DragChallenge) -> Result<SemaphorePermit<'_>, SolveError> {
        if let Some(permit) = self.permits.free() {
            return Ok(permit);
        }
        let ConcurrencyLimitPolicy {
            max_in_flight,
            max_waiting,
            max_wait,
        } = self.permits.policy();
        let Some(place) = self.permits.queue() else {
            let problem = format!(
                "nothing was sent: {max_in_flight} calls are under way and {max_waiting} wait, \
                 which is all that concurrency_limit allows"
            );
            return Err(self.refused(ErrorKind::Overloaded, problem));
        };
        tracing::debug!(
            provider = self.name(),
            waiting = self.permits.waiting(),
            "waiting for a permit"
        );
        let patience = Instant::now().checked_add(max_wait);
        let at = patience.into_iter().chain(challenge.deadline()).min();
        match place.permit_by(at).await {
            Some(permit) if !challenge.is_expired() => Ok(permit),
            _ if challenge.is_expired() => {
                let problem = format!(
                    "nothing was sent: the deadline passed while {max_in_flight} calls were under way"
                );
                Err(self.refused(ErrorKind::DeadlineExceeded, problem))
            }
            _ => {
                let problem = format!(
                    "nothing was sent: waited {max_wait:?} in vain while {max_in_flight} calls were \
                     under way"
                );
                Err(self.refused(ErrorKind::Overloaded, problem))
            }
        }
    }

    fn refused(&self, kind: ErrorKind, problem: String) -> SolveError {
        tracing::warn!(
            provider = self.name(),
            kind = kind.as_str(),
            in_flight = self.permits.in_flight(),
            waiting = self.permits.waiting(),
            "refused: the concurrency limit is reached"
        );
        SolveError::new(kind, problem).with_provider(self.name())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for ConcurrencyLimit<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let _permit = self.admit(challenge).await?;
        self.inner.solve(challenge).await
    }

    /// Needs no permit: a report is short, and should not wait behind the next challenge.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    /// The longest wait comes first.
    fn worst_case(&self) -> WorstCase {
        let ConcurrencyLimitPolicy {
            max_waiting,
            max_wait,
            ..
        } = self.permits.policy();
        let inner = self.inner.worst_case();
        if max_waiting == 0 {
            inner
        } else {
            inner.delayed_by(max_wait)
        }
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for ConcurrencyLimit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConcurrencyLimitPolicy {
            max_in_flight,
            max_waiting,
            max_wait,
        } = self.permits.policy();
        let mut call = Call::on(f, &self.inner, "concurrency_limit")
            .with("max_in_flight", max_in_flight)
            .with("max_waiting", max_waiting);
        if max_waiting > 0 {
            call = call.with("max_wait", max_wait);
        }
        call.finish()
    }
}

display_like_debug!(ConcurrencyLimit);
