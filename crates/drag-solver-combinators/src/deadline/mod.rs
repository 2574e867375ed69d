//! A deadline for challenges that bring none.

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

use crate::cutoff::solve_by;
use crate::describe::{Call, display_like_debug};
use crate::{InvalidPolicy, human_duration};

/// How long a whole chain may take for a challenge that does not say so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DeadlinePolicy {
    /// The limit. Default: 120 s, about as long as the applications that pose challenges wait.
    #[serde(with = "human_duration")]
    pub limit: Duration,
}

impl DeadlinePolicy {
    /// A challenge is due `limit` after it was put.
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
            let problem = "must be longer than zero";
            return Err(InvalidPolicy::new("deadline", "limit", problem));
        }
        Ok(())
    }
}

impl Default for DeadlinePolicy {
    fn default() -> Self {
        Self::new(Duration::from_secs(120))
    }
}

impl From<Duration> for DeadlinePolicy {
    fn from(limit: Duration) -> Self {
        Self::new(limit)
    }
}

/// Gives a challenge a deadline if it has none, and sees to it that the deadline is kept.
///
/// Goes around the whole chain. A challenge's own deadline stays as it is, sooner or later than the
/// limit. One that has passed already is refused before anybody is asked. A chain that overstays is
/// dropped; the error names the jobs it said it had bought.
///
/// Unlike a [`Timeout`](crate::Timeout), the error is [`ErrorKind::DeadlineExceeded`], which ends
/// every chain: an answer would be worthless now.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::DragSolverExt;
/// # use drag_solver_core::{DragChallenge, DragSolver, ErrorKind, Screenshot};
/// # use drag_solver_mock::{MockSolver, Outcome};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let never_answers = MockSolver::new("example").then(Outcome::hang());
/// let chain = never_answers.deadline(Duration::from_secs(120))?;
///
/// let error = chain.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
/// assert_eq!(error.unfinished_jobs().len(), 1); // can be resumed later
/// # Ok(())
/// # }
/// ```
pub struct Deadline<S> {
    inner: S,
    policy: DeadlinePolicy,
}

impl<S: DragSolver> Deadline<S> {
    /// Gives challenges for `inner` the deadline that `policy` says.
    ///
    /// # Errors
    ///
    /// See [`DeadlinePolicy::check`].
    pub fn new(inner: S, policy: impl Into<DeadlinePolicy>) -> Result<Self, InvalidPolicy> {
        let policy = policy.into();
        policy.check()?;
        Ok(Self { inner, policy })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Deadline<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let now = Instant::now();
        if challenge.deadline().is_some_and(|deadline| deadline <= now) {
            let late = SolveError::new(
                ErrorKind::DeadlineExceeded,
                "the challenge's deadline had already passed; nothing was sent",
            );
            return Err(late.with_provider(self.name()));
        }
        let ours = || now.checked_add(self.policy.limit);
        let Some(at) = challenge.deadline().or_else(ours) else {
            return self.inner.solve(challenge).await; // further away than the clock reaches
        };
        solve_by(
            &self.inner,
            challenge,
            now,
            at,
            ErrorKind::DeadlineExceeded,
            || "no answer by the challenge's deadline".to_owned(),
        )
        .await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    /// Holds for challenges without a later deadline of their own.
    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case().within(self.policy.limit)
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for Deadline<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Call::on(f, &self.inner, "deadline")
            .value(self.policy.limit)
            .finish()
    }
}

display_like_debug!(Deadline);
