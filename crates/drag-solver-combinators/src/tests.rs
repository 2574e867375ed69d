//! What the tests of every combinator need: short words for a mock's script.

use std::time::Duration;

use drag_solver_core::{
    Drag, DragChallenge, DragSolver, ErrorKind, JobId, PaidJob, Solution, SolveError, Verdict,
    async_trait,
};
pub(crate) use drag_solver_mock::fixtures::{challenge, drag};
use drag_solver_mock::{MockSolver, Outcome};

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn job(solver: &str, id: u64) -> PaidJob {
    PaidJob::new(solver, JobId::from(id))
}

pub(crate) fn error(kind: ErrorKind) -> SolveError {
    SolveError::new(kind, format!("{kind} on purpose"))
}

/// Short words for the script of a [`MockSolver`].
pub(crate) trait Script: Sized {
    /// Buys a job and answers after `takes`.
    fn answers(self, takes: Duration) -> Self;
    /// Buys a job and answers at once with this drag.
    fn answers_with(self, drag: Drag) -> Self;
    /// Fails after `takes` with this error. Nothing is bought, unless the error names a job.
    fn fails(self, takes: Duration, error: SolveError) -> Self;
    /// Buys a job, or continues with one, and never answers: comes back at its deadline with the job.
    fn stalls(self) -> Self;
    /// Buys a job, or continues with one, and never comes back, not even at its deadline.
    fn exceeds_deadline(self) -> Self;
    /// The jobs it was to resume, call by call.
    fn resumed(&self) -> Vec<Option<JobId>>;
    /// The reports it got.
    fn heard(&self) -> Vec<(Solution, Verdict)>;
}

impl Script for MockSolver {
    fn answers(self, takes: Duration) -> Self {
        self.then(Outcome::answer(drag()).after(takes))
    }

    fn answers_with(self, drag: Drag) -> Self {
        self.then(drag)
    }

    fn fails(self, takes: Duration, error: SolveError) -> Self {
        let error = error.with_solver(self.name());
        let bought = !error.unfinished_jobs().is_empty();
        let outcome = Outcome::from(error).after(takes);
        self.then(if bought { outcome } else { outcome.refused() })
    }

    fn stalls(self) -> Self {
        self.then(Outcome::hang())
    }

    fn exceeds_deadline(self) -> Self {
        self.then(Outcome::hang().ignoring_deadline())
    }

    fn resumed(&self) -> Vec<Option<JobId>> {
        self.calls().into_iter().map(|call| call.resumed).collect()
    }

    fn heard(&self) -> Vec<(Solution, Verdict)> {
        let reports = self.reports().into_iter();
        reports.map(|r| (r.solution, r.verdict)).collect()
    }
}

/// A solver that only has a name, and prints as that.
#[derive(Clone)]
pub(crate) struct Named(pub(crate) &'static str);

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[async_trait]
impl DragSolver for Named {
    fn name(&self) -> &str {
        self.0
    }

    async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
        Ok(Solution::new(drag(), self.0))
    }
}
