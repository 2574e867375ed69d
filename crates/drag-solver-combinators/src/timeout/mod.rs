//! A limit on one attempt.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Verdict,
    WorstCase, async_trait,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::InvalidPolicy;
use crate::cutoff::solve_by;
use crate::describe::{Call, display_like_debug};
use crate::human_duration;

/// How long one attempt may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TimeoutPolicy {
    /// The limit. Default: 60 s, because human workers need up to half a minute, and a challenge
    /// that was not answered in a minute has seldom another one left.
    #[serde(with = "human_duration")]
    pub limit: Duration,
}

impl TimeoutPolicy {
    /// An attempt may take `limit`.
    #[must_use]
    pub const fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// Whether a solver can work with these settings.
    ///
    /// # Errors
    ///
    /// A `limit` of zero, in which nothing can be done.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        if self.limit.is_zero() {
            return Err(InvalidPolicy::new(
                "timeout",
                "limit",
                "must be longer than zero",
            ));
        }
        Ok(())
    }
}

impl Default for TimeoutPolicy {
    fn default() -> Self {
        Self::new(Duration::from_secs(60))
    }
}

impl From<Duration> for TimeoutPolicy {
    fn from(limit: Duration) -> Self {
        Self::new(limit)
    }
}

/// Ends an attempt that takes too long, and keeps the id of the job it paid for.
///
/// The inner solver is handed a nearer deadline, so that it comes back by itself and says which job
/// is unfinished. Only if it overstays is it dropped; the error then names the job that the solver
/// reported through [`Progress`](drag_solver_core::Progress), if it did.
///
/// The error is [`ErrorKind::Timeout`]: the challenge itself is still good, and a
/// [`Retry`](crate::Retry) outside goes on waiting for the job. If the challenge's own deadline is
/// no later than the limit, it is [`ErrorKind::DeadlineExceeded`].
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::DragSolverExt;
/// # use drag_solver_core::{async_trait, DragChallenge, DragSolver, ErrorKind, Recovery, Screenshot, Solution, SolveError};
/// # #[derive(Debug)]
/// # struct NeverAnswers;
/// # #[async_trait]
/// # impl DragSolver for NeverAnswers {
/// #     fn name(&self) -> &str { "never-answers" }
/// #     async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
/// #         std::future::pending().await
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// let solver = NeverAnswers.timeout(Duration::from_secs(30))?;
///
/// let error = solver.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Timeout);
/// assert_eq!(error.recovery(), Recovery::Switch);
/// # Ok(())
/// # }
/// ```
pub struct Timeout<S> {
    inner: S,
    policy: TimeoutPolicy,
}

impl<S: DragSolver> Timeout<S> {
    /// Gives each attempt of `inner` the time that `policy` says.
    ///
    /// # Errors
    ///
    /// See [`TimeoutPolicy::check`].
    pub fn new(inner: S, policy: impl Into<TimeoutPolicy>) -> Result<Self, InvalidPolicy> {
        let policy = policy.into();
        policy.check()?;
        Ok(Self { inner, policy })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Timeout<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let limit = self.policy.limit;
        let now = Instant::now();
        let Some(at) = now.checked_add(limit) else {
            return self.inner.solve(challenge).await; // further away than the clock reaches
        };
        if let Some(own) = challenge.deadline().filter(|&own| own <= at) {
            return solve_by(
                &self.inner,
                challenge,
                now,
                own,
                ErrorKind::DeadlineExceeded,
                || "no answer by the challenge's deadline".to_owned(),
            )
            .await;
        }
        let outcome = solve_by(&self.inner, challenge, now, at, ErrorKind::Timeout, || {
            format!("no answer within {limit:?}")
        })
        .await;
        outcome.map_err(|error| {
            let ours = error.kind() == ErrorKind::DeadlineExceeded && !challenge.is_expired();
            let error = if ours {
                error.with_kind(ErrorKind::Timeout)
            } else {
                error
            };
            if error.kind() == ErrorKind::Timeout {
                tracing::debug!(
                    provider = self.name(),
                    job = error.job().map(tracing::field::display),
                    ?limit,
                    "the attempt timed out"
                );
            }
            error
        })
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case().within(self.policy.limit)
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for Timeout<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Call::on(f, &self.inner, "timeout")
            .value(self.policy.limit)
            .finish()
    }
}

display_like_debug!(Timeout);
