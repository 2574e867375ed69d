//! Answers that cannot be right.

mod policy;
#[cfg(test)]
mod tests;

use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, InvalidDrag, Profile, Solution, SolveError, Verdict, async_trait,
    forward_solver,
};
use tokio::time::Instant;

pub use self::policy::ValidatePolicy;
use crate::chain_debug::{DebugCall, wrapper};
use crate::failures::rejected;

/// Refuses answers that cannot be right: a point that is not on the screenshot, or a drag that is
/// too short.
///
/// Such an answer becomes [`InvalidAnswer`](drag_solver_core::ErrorKind::InvalidAnswer) with
/// [`Billed::Yes`](drag_solver_core::Billed::Yes), which a [`Retry`](crate::Retry) outside tries
/// again. The error keeps what the answer cost and the attempts before it. If the policy says so, the
/// answer is first reported to the provider as incorrect; a report that fails changes nothing. An
/// alternative end that is not on the screenshot is removed from an answer that is good otherwise.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, ValidatePolicy};
/// # use drag_solver_core::{Billed, Drag, DragSolver, ErrorKind, Point};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let challenge = fixtures::challenge();
/// # let off_the_picture = Drag::new(Point::new(83.0, 560.0), Point::new(9000.0, 560.0));
/// # let provider = MockSolver::new("example").then(off_the_picture);
/// let solver = provider.validate(ValidatePolicy::default().min_length(20.0));
///
/// let error = solver.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
/// assert_eq!(error.billed(), Billed::Yes);
/// # }
/// ```
#[derive(Clone)]
pub struct Validate<S> {
    inner: S,
    policy: ValidatePolicy,
}

impl<S: DragSolver> Validate<S> {
    /// Checks each answer of `inner`.
    pub fn new(inner: S, policy: ValidatePolicy) -> Self {
        Self { inner, policy }
    }

    /// Tells the provider, as far as time allows. Nothing depends on whether it listens.
    async fn report_incorrect(&self, challenge: &DragChallenge, solution: &Solution) {
        let left = challenge.remaining().unwrap_or(Duration::MAX);
        let limit = self.policy.report_timeout.min(left);
        if !self.policy.report_incorrect || limit.is_zero() {
            return;
        }
        let report = self.inner.report(solution, Verdict::Incorrect);
        let problem = match tokio::time::timeout(limit, report).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it took too long".to_owned()),
        };
        let solver = solution.solver();
        tracing::debug!(solver, problem, "reported the answer as incorrect");
    }
}

/// The error that an answer becomes, with all that is known of the answer.
fn refused(solution: &Solution, problem: InvalidDrag, took: Duration) -> SolveError {
    let (solver, drag) = (solution.solver(), solution.drag());
    let job = solution.job().map(tracing::field::display);
    tracing::warn!(solver, job, %problem, "the answer cannot be right");
    let message = format!("the answer {drag} cannot be right: {problem}");
    rejected(solution, message, took)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Validate<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let begun = Instant::now();
        let solution = self.inner.solve(challenge).await?;
        let screenshot = challenge.screenshot();
        let (width, height) = (screenshot.width(), screenshot.height());
        let mut drag = *solution.drag();
        if let Err(problem) = drag.check(width, height, self.policy.min_length) {
            let error = refused(&solution, problem, begun.elapsed());
            self.report_incorrect(challenge, &solution).await;
            return Err(error);
        }
        let off = drag
            .alternative_end
            .take_if(|end| !end.is_on(width, height));
        if off.is_some() {
            let solver = solution.solver();
            tracing::debug!(
                solver,
                "removed an alternative end that is not on the screenshot"
            );
        }
        Ok(solution.with_drag(drag))
    }

    fn profile(&self) -> Profile {
        let profile = self.inner.profile();
        if !self.policy.report_incorrect {
            return profile;
        }
        profile.map_worst_case(|worst| worst.delayed_by(self.policy.report_timeout))
    }
}

wrapper!(Validate(S), |validate, f| {
    let policy = validate.policy;
    let reports = policy.report_incorrect;
    DebugCall::on(f, &validate.inner, "validate")
        .with("min_length", format_args!("{} px", policy.min_length))
        .with("report_incorrect", reports.then_some(true))
        .with("report_timeout", reports.then_some(policy.report_timeout))
});
