//! What happened in one call so far, and which paid jobs the next attempt continues to wait for.

use std::borrow::Cow;

use drag_solver_core::{
    Attempt, DragChallenge, DragSolver, PaidJob, Purchases, Solution, SolveError,
};
use tokio::time::Instant;

use crate::resume::{resumes, with_jobs};

#[derive(Debug)]
pub(super) struct History<'a> {
    challenge: &'a DragChallenge,
    /// Whether attempts continue to wait for the jobs of earlier ones.
    resume: bool,
    begun: Instant,
    /// Calls of the inner solver that failed.
    failures: u32,
    /// Every attempt behind those but the latest, in order.
    earlier: Vec<Attempt>,
    /// Every attempt behind the latest.
    latest: Vec<Attempt>,
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
            earlier: Vec::new(),
            latest: Vec::new(),
            open: challenge.paid_jobs().to_vec(),
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the next attempt of `inner` fetches what was paid for, in place of buying.
    pub(super) fn resumes(&self, inner: &impl DragSolver) -> bool {
        self.resume && resumes(inner, &self.open)
    }

    /// The challenge for the next attempt: with the jobs that were paid for, or with none if the policy
    /// abandons them.
    pub(super) fn next_challenge(&self) -> Cow<'a, DragChallenge> {
        let abandons = self.failures > 0 && !self.resume;
        let jobs = if abandons { &[] } else { &*self.open };
        with_jobs(self.challenge, jobs)
    }

    /// Remembers a failed attempt, of whose money `purchases` tells.
    pub(super) fn failed(&mut self, error: &SolveError, purchases: &Purchases) {
        self.hand_over(|job| purchases.has_taken_up(job));
        let mut open: Vec<PaidJob> = purchases.unfinished_of(&self.open).cloned().collect();
        let told = error.unfinished_jobs().into_iter();
        for job in told.chain(purchases.open_jobs()) {
            if !open.contains(&job) {
                open.push(job);
            }
        }
        self.open = open;
        self.earlier.append(&mut self.latest);
        self.latest = error.attempts();
        self.failures += 1;
    }

    /// The answer, with the failed attempts before it.
    pub(super) fn solved(mut self, solution: Solution, purchases: &Purchases) -> Solution {
        self.earlier.append(&mut self.latest);
        let is_answered =
            |job: &PaidJob| job.solver == solution.solver() && solution.job() == Some(&job.id);
        self.hand_over(|job| purchases.has_taken_up(job) || is_answered(job));
        solution
            .with_failed_attempts(self.earlier)
            .with_elapsed(self.begun.elapsed())
    }

    /// The last error as it was, but with every attempt before it, and marked, so that no retry
    /// outside starts over.
    pub(super) fn gave_up(mut self, last: SolveError) -> SolveError {
        let mut named = last.unfinished_jobs();
        named.extend(self.earlier.iter().flat_map(|attempt| attempt.jobs.clone()));
        self.open.retain(|job| !named.contains(job));
        let last = last.handing_back(self.open).mark_exhausted();
        if self.failures <= 1 {
            return last;
        }
        last.with_failed_attempts(self.earlier)
            .with_elapsed(self.begun.elapsed())
    }

    /// The jobs that an attempt took up are that attempt's now, and so is their bill: the earlier
    /// attempts let go of them.
    fn hand_over(&mut self, is_taken_up: impl Fn(&PaidJob) -> bool) {
        let mut taken_up = self.open.clone();
        taken_up.retain(is_taken_up);
        for attempt in self.earlier.iter_mut().chain(&mut self.latest) {
            attempt.hand_over(&taken_up);
        }
    }
}
