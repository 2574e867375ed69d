//! Answers that cannot be right.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use drag_solver_core::{
    Charge, DragChallenge, DragSolver, ErrorKind, InvalidDrag, ScreenshotLimits, Solution,
    SolveError, Verdict, WorstCase, async_trait,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::describe::{Call, display_like_debug};
use crate::{InvalidPolicy, human_duration};

/// What an answer must look like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ValidatePolicy {
    /// The least distance from start to end, in pixels. Default: 8, the distance below which Android
    /// takes a drag for a tap (on a screen of the lowest density; it is more on others).
    pub min_length: f64,
    /// Whether to tell the provider of an answer that fails. Default: no, because a report is a
    /// statement to a business partner, and some act on those who make too many.
    pub report_incorrect: bool,
    /// How long such a report may take. Default: 5 s, because the next attempt waits for it.
    #[serde(with = "human_duration")]
    pub report_timeout: Duration,
}

impl ValidatePolicy {
    /// Sets [`min_length`](Self::min_length), in pixels.
    #[must_use]
    pub const fn min_length(mut self, pixels: f64) -> Self {
        self.min_length = pixels;
        self
    }

    /// Sets [`report_incorrect`](Self::report_incorrect).
    #[must_use]
    pub const fn report_incorrect(mut self, report: bool) -> Self {
        self.report_incorrect = report;
        self
    }

    /// Sets [`report_timeout`](Self::report_timeout).
    #[must_use]
    pub const fn report_timeout(mut self, limit: Duration) -> Self {
        self.report_timeout = limit;
        self
    }

    /// Whether a solver can work with these settings.
    ///
    /// # Errors
    ///
    /// A `min_length` that is negative or not a number, or a `report_timeout` of zero.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse =
            |setting, problem: String| Err(InvalidPolicy::new("validate", setting, problem));
        if !(self.min_length.is_finite() && self.min_length >= 0.0) {
            return refuse(
                "min_length",
                format!(
                    "must be a number of pixels from 0 up, not {}",
                    self.min_length
                ),
            );
        }
        if self.report_timeout.is_zero() {
            return refuse("report_timeout", "must be longer than zero".to_owned());
        }
        Ok(())
    }
}

impl Default for ValidatePolicy {
    fn default() -> Self {
        Self {
            min_length: 8.0,
            report_incorrect: false,
            report_timeout: Duration::from_secs(5),
        }
    }
}

/// Refuses answers that cannot be right: a point that is not on the screenshot, or a drag that is
/// too short.
///
/// Such an answer becomes [`ErrorKind::InvalidAnswer`] with [`Charge::Yes`], which a
/// [`Retry`](crate::Retry) outside tries again. If the policy says so, it is first reported to the
/// provider as incorrect; a report that fails changes nothing. An alternative end that is not on the
/// screenshot is removed from an answer that is good otherwise.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, ValidatePolicy};
/// # use drag_solver_core::{async_trait, Charge, Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot, Solution, SolveError};
/// # #[derive(Debug)]
/// # struct OffThePicture;
/// # #[async_trait]
/// # impl DragSolver for OffThePicture {
/// #     fn name(&self) -> &str { "example" }
/// #     async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
/// #         Ok(Solution::new(Drag::new(Point::new(83.0, 560.0), Point::new(9000.0, 560.0)), "example"))
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// let solver = OffThePicture.validate(ValidatePolicy::default().min_length(20.0))?;
///
/// let error = solver.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
/// assert_eq!(error.charge(), Charge::Yes);
/// # Ok(())
/// # }
/// ```
pub struct Validate<S> {
    inner: S,
    policy: ValidatePolicy,
}

impl<S: DragSolver> Validate<S> {
    /// Checks each answer of `inner`.
    ///
    /// # Errors
    ///
    /// See [`ValidatePolicy::check`].
    pub fn new(inner: S, policy: ValidatePolicy) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        Ok(Self { inner, policy })
    }

    async fn refuse(
        &self,
        challenge: &DragChallenge,
        solution: &Solution,
        problem: InvalidDrag,
        begun: Instant,
    ) -> SolveError {
        tracing::warn!(
            provider = solution.provider(),
            job = solution.job().map(tracing::field::display),
            %problem,
            "the answer cannot be right"
        );
        let error = SolveError::new(
            ErrorKind::InvalidAnswer,
            format!("the answer {} cannot be right: {problem}", solution.drag()),
        )
        .with_provider(solution.provider())
        .with_charge(Charge::Yes);
        let mut attempts = solution.failed_attempts().to_vec();
        let error = if attempts.is_empty() {
            error
        } else {
            attempts.extend(error.history(begun.elapsed()));
            error.with_attempts(attempts)
        };
        if self.policy.report_incorrect {
            self.report_incorrect(challenge, solution).await;
        }
        error
    }

    /// Tells the provider, as far as time allows. Nothing depends on whether it listens.
    async fn report_incorrect(&self, challenge: &DragChallenge, solution: &Solution) {
        let left = challenge.remaining().unwrap_or(Duration::MAX);
        if left.is_zero() {
            return;
        }
        let report = self.inner.report(solution, Verdict::Incorrect);
        let outcome = tokio::time::timeout(self.policy.report_timeout.min(left), report).await;
        let problem = match &outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it took too long".to_owned()),
        };
        tracing::debug!(
            provider = solution.provider(),
            problem,
            "reported the answer as incorrect"
        );
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Validate<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let begun = Instant::now();
        let solution = self.inner.solve(challenge).await?;
        let (width, height) = (
            challenge.screenshot().width(),
            challenge.screenshot().height(),
        );
        let mut drag = *solution.drag();
        if let Err(problem) = drag.check(width, height, self.policy.min_length) {
            return Err(self.refuse(challenge, &solution, problem, begun).await);
        }
        if drag
            .alternative_end
            .is_some_and(|end| !end.is_on(width, height))
        {
            tracing::debug!(
                provider = solution.provider(),
                "removed an alternative end that is not on the screenshot"
            );
            drag.alternative_end = None;
            return Ok(solution.with_drag(drag));
        }
        Ok(solution)
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        let inner = self.inner.worst_case();
        if self.policy.report_incorrect {
            inner.delayed_by(self.policy.report_timeout)
        } else {
            inner
        }
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for Validate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut call = Call::on(f, &self.inner, "validate")
            .with("min_length", format_args!("{} px", self.policy.min_length));
        if self.policy.report_incorrect {
            call = call
                .with("report_incorrect", true)
                .with("report_timeout", self.policy.report_timeout);
        }
        call.finish()
    }
}

display_like_debug!(Validate);
