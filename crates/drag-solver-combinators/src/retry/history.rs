//! What happened in one call so far, and which paid jobs the next attempt goes on waiting for.

use drag_solver_core::{Attempt, Charge, DragChallenge, ErrorKind, PaidJob, Solution, SolveError};
use tokio::time::{Duration, Instant};

use crate::names;

#[derive(Debug)]
pub(super) struct History<'a> {
    challenge: &'a DragChallenge,
    /// Whether attempts go on waiting for the jobs of earlier ones.
    resume: bool,
    begun: Instant,
    /// Calls of the inner solver that failed.
    failures: u32,
    /// Every attempt behind those, in order.
    attempts: Vec<Attempt>,
    /// Paid jobs that no attempt has fetched.
    open: Vec<PaidJob>,
}

impl<'a> History<'a> {
    pub(super) fn of(challenge: &'a DragChallenge, resume: bool, begun: Instant) -> Self {
        Self {
            challenge,
            resume,
            begun,
            failures: 0,
            attempts: Vec::new(),
            open: challenge.paid_jobs().to_vec(),
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// The challenge with the jobs that were paid for, or with none if they are abandoned.
    pub(super) fn next_challenge(&self) -> DragChallenge {
        let fresh = self.challenge.clone().without_paid_jobs();
        if !self.resume {
            return fresh;
        }
        self.open
            .iter()
            .cloned()
            .fold(fresh, DragChallenge::resuming)
    }

    /// Remembers a failed attempt.
    pub(super) fn failed(&mut self, error: &SolveError, elapsed: Duration) {
        let latest = error.history(elapsed);
        self.hand_over(&latest, None);
        for job in error.unfinished_jobs() {
            if !self.open.contains(&job) {
                self.open.push(job);
            }
        }
        self.attempts.extend(latest);
        self.failures += 1;
    }

    /// The answer, with the failed attempts before it.
    pub(super) fn solved(mut self, solution: Solution) -> Solution {
        if self.failures == 0 {
            return solution;
        }
        self.hand_over(solution.failed_attempts(), Some(solution.provider()));
        solution
            .after_attempts(self.attempts)
            .with_elapsed(self.begun.elapsed())
    }

    /// The last error as it was, but with every attempt behind it, the worst charge among them, and
    /// marked, so that no retry outside starts over.
    pub(super) fn gave_up(self, last: SolveError) -> SolveError {
        if self.failures <= 1 {
            return last.exhausted();
        }
        let worst = self.attempts.iter().map(|attempt| attempt.charge).max();
        let charge = last.charge().max(worst.unwrap_or_default());
        last.with_charge(charge)
            .with_attempts(self.attempts)
            .exhausted()
    }

    /// The latest attempt was asked to resume the open jobs. Where it reached the provider of one,
    /// the job is that attempt's now, and so is its bill: the earlier attempts let go of it.
    fn hand_over(&mut self, latest: &[Attempt], solved_by: Option<&str>) {
        if !self.resume {
            return;
        }
        let attempts = &mut self.attempts;
        self.open.retain(|job| {
            let reached = solved_by.is_some_and(|name| names::answers_to(name, &job.provider))
                || latest.iter().any(|attempt| {
                    attempt.provider.as_deref() == Some(&*job.provider) && was_asked(attempt.kind)
                });
            if reached {
                let earlier = attempts.iter_mut().filter(|attempt| {
                    attempt.provider.as_deref() == Some(&*job.provider)
                        && attempt.job.as_ref() == Some(&job.id)
                });
                for attempt in earlier {
                    attempt.job = None;
                    attempt.charge = Charge::No;
                }
            }
            !reached
        });
    }
}

/// Whether an error of this kind comes from a provider that was really asked.
fn was_asked(kind: ErrorKind) -> bool {
    !kind.is_local_refusal() && kind != ErrorKind::DeadlineExceeded
}
