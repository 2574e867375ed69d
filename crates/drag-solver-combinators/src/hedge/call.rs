//! One call of a hedge, from the first solver to the answer.

use std::collections::VecDeque;
use std::time::Duration;

use drag_solver_core::{Attempt, DragChallenge, DragSolver, ErrorKind, Solution, SolveError};
use tokio::time::Instant;

use super::Hedge;
use crate::names;
use crate::race::{Event, Flights, Landed, Lost, ends_all, with_history};
use crate::sync::lock;

pub(super) struct Call<'a> {
    hedge: &'a Hedge,
    challenge: &'a DragChallenge,
    begun: Instant,
    /// Who was not asked yet, in order.
    waiting: VecDeque<usize>,
    at_work: Flights<'a>,
    /// When the next is asked although others are at work.
    next_at: Option<Instant>,
    hedged: bool,
    failed: Vec<(SolveError, Duration)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(hedge: &'a Hedge, challenge: &'a DragChallenge) -> Self {
        Self {
            hedge,
            challenge,
            begun: Instant::now(),
            waiting: names::resuming_first(&hedge.solvers, challenge).into(),
            at_work: Flights::new(challenge, &hedge.ledger),
            next_at: None,
            hedged: false,
            failed: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) -> Result<Solution, SolveError> {
        self.ask_next("nobody was asked yet");
        loop {
            match self.at_work.next(self.next_at).await {
                Event::Due => self.hedge(),
                Event::Landed(landed) => {
                    if let Some(outcome) = self.take(landed) {
                        if let Some(budget) = &self.hedge.budget {
                            budget.deposit();
                        }
                        return outcome;
                    }
                }
            }
        }
    }

    /// The solver at work takes too long.
    fn hedge(&mut self) {
        self.next_at = None;
        if let Some(budget) = &self.hedge.budget {
            let Some(token) = budget.withdraw() else {
                tracing::debug!(
                    solver = self.hedge.name(),
                    "not hedged: the budget is empty"
                );
                return;
            };
            if self.ask_next("the one before takes too long") {
                token.spend();
                self.hedged = true;
            }
        } else if self.ask_next("the one before takes too long") {
            self.hedged = true;
        }
    }

    /// Asks the next solver, if there is one and time for it.
    fn ask_next(&mut self, reason: &'static str) -> bool {
        let is_first = self.waiting.len() == self.hedge.solvers.len();
        if !is_first && !self.leaves_time(Instant::now()) {
            return false;
        }
        let Some(child) = self.waiting.pop_front() else {
            return false;
        };
        let solver = &*self.hedge.solvers[child];
        if !is_first {
            tracing::debug!(provider = solver.name(), reason, "asking another solver");
        }
        self.at_work.start(child, solver);
        self.next_at = if self.waiting.is_empty() {
            None
        } else {
            Instant::now()
                .checked_add(self.hedge.delay(child))
                .filter(|&at| self.leaves_time(at))
        };
        true
    }

    /// Whether a solver that is asked at this instant has time to answer.
    fn leaves_time(&self, at: Instant) -> bool {
        self.challenge.deadline().is_none_or(|deadline| {
            let left = deadline.saturating_duration_since(at);
            !left.is_zero() && left >= self.hedge.policy.min_time_left
        })
    }

    /// Takes what solvers came back with. The call's outcome, if that ends it.
    fn take(&mut self, landed: Vec<Landed>) -> Option<Result<Solution, SolveError>> {
        let mut stop = None;
        for Landed {
            child,
            took,
            outcome,
        } in landed
        {
            match outcome {
                Ok(solution) => return Some(Ok(self.solved(solution, child, took))),
                Err(error) => {
                    self.note_failure(&error, child, took);
                    if ends_all(&error, self.challenge, self.at_work.len() > 0) {
                        stop = stop.or(Some(self.failed.len()));
                    }
                    self.failed.push((error, took));
                }
            }
        }
        if let Some(index) = stop {
            return Some(Err(self.stopped(index)));
        }
        if self.ask_next("another failed") || self.at_work.len() > 0 {
            return None;
        }
        Some(Err(self.gave_up()))
    }

    fn note_failure(&self, error: &SolveError, child: usize, took: Duration) {
        tracing::debug!(
            provider = self.hedge.solvers[child].name(),
            kind = error.kind().as_str(),
            charge = ?error.charge(),
            ?took,
            "the solver failed"
        );
        let ran_out_of_time = matches!(
            error.kind(),
            ErrorKind::Timeout | ErrorKind::DeadlineExceeded
        );
        if ran_out_of_time && !took.is_zero() {
            self.not_yet_answered(child, took);
        }
    }

    fn not_yet_answered(&self, child: usize, by: Duration) {
        if self.was_new(child) {
            lock(&self.hedge.latencies[child]).not_yet_answered(by);
        }
    }

    /// Whether the solver was asked something new. What is left of the wait for a job that was
    /// bought before says nothing about its latency.
    fn was_new(&self, child: usize) -> bool {
        !names::has_job(self.hedge.solvers[child].name(), self.challenge)
    }

    fn solved(&mut self, solution: Solution, child: usize, took: Duration) -> Solution {
        let lost = self.drop_the_others(&format!("{} answered first", solution.provider()));
        if self.was_new(child) {
            lock(&self.hedge.latencies[child]).answered(took);
        }
        {
            let mut calls = lock(&self.hedge.calls);
            calls.answered += 1;
            calls.hedged += u64::from(self.hedged);
        }
        let earlier = self.history(lost);
        let solution = solution.routed_via(child);
        if earlier.is_empty() {
            return solution;
        }
        solution
            .after_attempts(earlier)
            .with_elapsed(self.begun.elapsed())
    }

    /// The error at `index` ends the call.
    fn stopped(&mut self, index: usize) -> SolveError {
        let lost = self.drop_the_others("nobody can solve it");
        let history = self.history(lost);
        let (error, _) = self.failed.swap_remove(index);
        if history.len() == 1 {
            return error;
        }
        with_history(error, history)
    }

    /// Nobody is at work, and nobody else is asked.
    fn gave_up(&mut self) -> SolveError {
        let Some(&next) = self.waiting.front() else {
            return SolveError::all_failed(std::mem::take(&mut self.failed));
        };
        let late = SolveError::new(
            ErrorKind::DeadlineExceeded,
            format!(
                "too little time was left to ask {}",
                self.hedge.solvers[next].name()
            ),
        );
        with_history(late, self.history(Vec::new()))
    }

    fn drop_the_others(&mut self, why: &str) -> Vec<Lost> {
        let lost = self.at_work.abandon(why);
        for Lost { child, after, .. } in &lost {
            self.not_yet_answered(*child, *after);
        }
        lost
    }

    /// Every attempt of this call that failed or was dropped.
    fn history(&self, lost: Vec<Lost>) -> Vec<Attempt> {
        self.failed
            .iter()
            .flat_map(|(error, took)| error.history(*took))
            .chain(lost.into_iter().flat_map(|lost| lost.attempts))
            .collect()
    }
}
