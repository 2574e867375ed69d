//! What failed in one call of a combinator around several solvers, and how the call ends with it.

use std::time::Duration;

use drag_solver_core::{Attempt, Billed, DragChallenge, ErrorKind, Recovery, Solution, SolveError};
use tokio::time::Instant;

use crate::candidates::{Candidates, Turn};

/// The failures of one call, in the order in which they came.
pub(crate) struct Failures<'a> {
    candidates: &'a Candidates,
    challenge: &'a DragChallenge,
    pub(crate) begun: Instant,
    errors: Vec<SolveError>,
    /// Which of them ends the call.
    stop: Option<usize>,
}

impl<'a> Failures<'a> {
    /// A call that begins now.
    pub(crate) fn new(candidates: &'a Candidates, challenge: &'a DragChallenge) -> Self {
        Self {
            candidates,
            challenge,
            begun: Instant::now(),
            errors: Vec::new(),
            stop: None,
        }
    }

    /// Whether an error came that ends the call.
    pub(crate) fn stops_all(&self) -> bool {
        self.stop.is_some()
    }

    pub(crate) fn errors(&self) -> &[SolveError] {
        &self.errors
    }

    /// Adds the error of a solver that worked for `took`, while `others` were at work.
    ///
    /// A solver that refuses because *it* cannot make the deadline says nothing about others that are
    /// at work already. Every other error whose recovery is `Stop` ends the call.
    pub(crate) fn add(&mut self, turn: &Turn, error: SolveError, took: Duration, others: usize) {
        tracing::debug!(
            solver = self.candidates.solvers()[turn.child].name(),
            kind = error.kind().as_str(),
            billed = error.billed().as_str(),
            ?took,
            "the solver failed"
        );
        let is_late_alone = error.kind() == ErrorKind::DeadlineExceeded
            && others > 0
            && !self.challenge.is_expired();
        if error.recovery() == Recovery::Stop && !is_late_alone {
            self.stop = Some(self.errors.len());
        }
        self.errors.push(error.with_default_elapsed(took));
    }

    /// Adds an answer that is not the call's, as an error.
    pub(crate) fn add_answer(&mut self, error: SolveError) {
        self.errors.push(error);
    }

    fn history(&self, lost: Vec<Attempt>) -> Vec<Attempt> {
        let failed = self.errors.iter().flat_map(SolveError::attempts);
        failed.chain(lost).collect()
    }

    /// The call ends with an answer. `lost` are the attempts that nothing is waited for.
    pub(crate) fn into_solution(self, solution: Solution, lost: Vec<Attempt>) -> Solution {
        if self.errors.is_empty() && lost.is_empty() {
            return solution;
        }
        solution
            .with_elapsed(self.begun.elapsed())
            .with_failed_attempts(self.history(lost))
    }

    /// The call ends without an answer: with the error that ends all, or because too little time is
    /// left for the next of `unasked`, or because all failed.
    pub(crate) fn into_error(
        mut self,
        unasked: impl IntoIterator<Item = Turn>,
        lost: Vec<Attempt>,
    ) -> SolveError {
        let mut unasked = unasked.into_iter().peekable();
        let (error, history) = match (self.stop.map(|i| self.errors.remove(i)), unasked.peek()) {
            (Some(error), _) => (error, self.history(lost)),
            (None, Some(next)) => {
                let next = self.candidates.solvers()[next.child].name();
                let problem = format!("too little time was left to ask {next}");
                let late = SolveError::new(ErrorKind::DeadlineExceeded, problem);
                let late = late.with_solver(self.candidates.name());
                (late, self.history(lost))
            }
            (None, None) => (SolveError::all_failed(self.errors), lost),
        };
        error
            .handing_back(unasked.flat_map(|turn| turn.jobs))
            .handing_back(self.candidates.jobs_of_others(self.challenge))
            .with_failed_attempts(history)
            .with_elapsed(self.begun.elapsed())
    }
}

/// The error that an answer becomes which is not taken, with all that is known of the answer.
pub(crate) fn rejected(answer: &Solution, message: String, took: Duration) -> SolveError {
    SolveError::new(ErrorKind::InvalidAnswer, message)
        .with_solver(answer.solver())
        .with_billed(Billed::Yes)
        .with_cost(answer.cost())
        .with_elapsed(took)
        .with_failed_attempts(answer.failed_attempts().to_vec())
}
