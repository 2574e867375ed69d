//! One call of a quorum, from the first solvers to the agreement.

use std::collections::VecDeque;
use std::time::Duration;

use drag_solver_core::{
    Attempt, Charge, Drag, DragChallenge, DragSolver, ErrorKind, Solution, SolveError, Usd,
};
use tokio::time::Instant;

use super::{Quorum, agreement};
use crate::names;
use crate::race::{Event, Flights, Landed, Lost, ends_all, with_history};

pub(super) struct Call<'a> {
    quorum: &'a Quorum,
    challenge: &'a DragChallenge,
    begun: Instant,
    /// Who was not asked yet, in order.
    waiting: VecDeque<usize>,
    at_work: Flights<'a>,
    /// In the order in which they came.
    answers: Vec<(Solution, Duration)>,
    failed: Vec<(SolveError, Duration)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(quorum: &'a Quorum, challenge: &'a DragChallenge) -> Self {
        Self {
            quorum,
            challenge,
            begun: Instant::now(),
            waiting: names::resuming_first(&quorum.solvers, challenge).into(),
            at_work: Flights::new(challenge, &quorum.ledger),
            answers: Vec::new(),
            failed: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) -> Result<Solution, SolveError> {
        let at_first = if self.quorum.policy.all_at_once {
            self.waiting.len()
        } else {
            self.needed()
        };
        self.ask(at_first);
        loop {
            let Event::Landed(landed) = self.at_work.next(None).await else {
                continue; // there is no alarm
            };
            if let Some(error) = self.take(landed) {
                return Err(error);
            }
            let group = self.agreeing();
            if group.len() >= self.needed() {
                return Ok(self.agreed(&group));
            }
            let missing = self.needed() - group.len();
            if missing > self.at_work.len() && !self.challenge.is_expired() {
                self.ask(missing - self.at_work.len());
            }
            if missing > self.at_work.len() {
                return Err(self.gave_up());
            }
        }
    }

    /// How many must agree.
    fn needed(&self) -> usize {
        self.quorum.policy.agree as usize
    }

    /// Asks up to `count` more.
    fn ask(&mut self, count: usize) {
        for _ in 0..count {
            let Some(child) = self.waiting.pop_front() else {
                return;
            };
            self.at_work.start(child, &*self.quorum.solvers[child]);
        }
    }

    /// Takes what solvers came back with. An error that ends the call is returned.
    fn take(&mut self, landed: Vec<Landed>) -> Option<SolveError> {
        let mut stop = None;
        for Landed {
            child,
            took,
            outcome,
        } in landed
        {
            match outcome {
                Ok(solution) => self.answers.push((solution.routed_via(child), took)),
                Err(error) => {
                    tracing::debug!(
                        provider = self.quorum.solvers[child].name(),
                        kind = error.kind().as_str(),
                        charge = ?error.charge(),
                        ?took,
                        "the solver failed"
                    );
                    if ends_all(&error, self.challenge, self.at_work.len() > 0) {
                        stop = stop.or(Some(self.failed.len()));
                    }
                    self.failed.push((error, took));
                }
            }
        }
        // What came at the same time may be all that was missing.
        let index = stop.filter(|_| self.agreeing().len() < self.needed())?;
        let lost = self.at_work.abandon("nobody can solve it");
        let history = self.history(lost, &[]);
        let (error, _) = self.failed.swap_remove(index);
        if history.len() == 1 {
            return Some(error);
        }
        Some(with_history(error, history))
    }

    /// Indices of the answers that agree.
    fn agreeing(&self) -> Vec<usize> {
        let drags: Vec<Drag> = self.answers.iter().map(|(s, _)| *s.drag()).collect();
        agreement::largest(&drags, self.quorum.policy.tolerance)
    }

    fn agreed(&mut self, group: &[usize]) -> Solution {
        let lost = self.at_work.abandon("the others agreed");
        let history = self.history(lost, group);
        let parts: Vec<Solution> = group.iter().map(|&i| self.answers[i].0.clone()).collect();
        let drags: Vec<Drag> = parts.iter().map(|part| *part.drag()).collect();
        let costs: Option<Vec<Usd>> = parts.iter().map(Solution::cost).collect();
        let mut solution = Solution::new(agreement::centre(&drags), names::of_parts(&parts))
            .with_elapsed(self.begun.elapsed())
            .after_attempts(history);
        if let Some(costs) = costs {
            solution = solution.with_cost(costs.into_iter().sum());
        }
        solution.with_parts(parts)
    }

    /// Too few agree, and nobody is left who could.
    fn gave_up(&mut self) -> SolveError {
        let message = self.disagreement();
        tracing::debug!(solver = self.quorum.name(), message, "no agreement");
        let lost = self.at_work.abandon("the others disagree");
        let history = self.history(lost, &[]);
        if let Some(&next) = self.waiting.front() {
            let late = SolveError::new(
                ErrorKind::DeadlineExceeded,
                format!(
                    "the deadline passed before {} could be asked; {message}",
                    self.quorum.solvers[next].name()
                ),
            );
            return with_history(late, history);
        }
        let mut errors = std::mem::take(&mut self.failed);
        let disagreeing = self.answers.iter();
        errors.extend(disagreeing.map(|(answer, took)| (unconfirmed(answer), *took)));
        with_history(
            SolveError::all_failed(errors).with_message(message),
            history,
        )
    }

    /// Who said what, in words.
    fn disagreement(&self) -> String {
        let answers = self.answers.iter().map(|(answer, _)| {
            let provider = answer.provider();
            format!("{provider} says {}", answer.drag())
        });
        let failures = self.failed.iter().map(|(error, _)| {
            let provider = error.provider().unwrap_or("a solver");
            format!("{provider} failed ({})", error.kind())
        });
        let said: Vec<String> = answers.chain(failures).collect();
        format!(
            "{} of {} must agree within {} px, and they do not: {}",
            self.quorum.policy.agree,
            self.quorum.solvers.len(),
            self.quorum.policy.tolerance,
            said.join("; ")
        )
    }

    /// Every attempt of this call that failed, disagreed with the `group`, or was dropped.
    fn history(&self, lost: Vec<Lost>, group: &[usize]) -> Vec<Attempt> {
        let failed = self
            .failed
            .iter()
            .flat_map(|(error, took)| error.history(*took));
        let answers = self.answers.iter().enumerate();
        let answers = answers.flat_map(|(index, (answer, took))| {
            let mut attempts = answer.failed_attempts().to_vec();
            if !group.contains(&index) {
                attempts.push(Attempt::new(&unconfirmed(answer), *took));
            }
            attempts
        });
        let lost = lost.into_iter().flat_map(|lost| lost.attempts);
        failed.chain(answers).chain(lost).collect()
    }
}

/// An answer that too few others gave.
fn unconfirmed(answer: &Solution) -> SolveError {
    let charge = match answer.cost() {
        Some(cost) if cost == Usd::ZERO => Charge::No,
        _ => Charge::Yes,
    };
    SolveError::new(
        ErrorKind::InvalidAnswer,
        format!("the answer {} was not confirmed", answer.drag()),
    )
    .with_provider(answer.provider())
    .with_charge(charge)
}
