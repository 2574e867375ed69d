//! What one call of a solver cost: from what it said while it worked, and from how it ended.

use drag_solver_core::{
    Attempt, Charge, ErrorKind, JobId, PaidJob, Progress, ProgressListener, Solution, SolveError,
    Usd,
};

use super::account::Due;
use crate::sync::{Mutex, lock};

/// Listens to one call.
#[derive(Debug, Default)]
pub(super) struct Bill(Mutex<Lines>);

#[derive(Clone, Debug, Default)]
struct Lines {
    /// Whether the solver said anything at all.
    spoke: bool,
    /// How many attempts it began.
    started: usize,
    /// What it may have bought, in order.
    purchases: Vec<Purchase>,
    /// Jobs it went on with.
    resumed: Vec<PaidJob>,
    /// Jobs that came to their end.
    settled: Vec<PaidJob>,
}

#[derive(Clone, Debug)]
struct Purchase {
    provider: String,
    /// Known once the provider has accepted the job.
    job: Option<JobId>,
}

impl Purchase {
    fn paid_job(&self) -> Option<PaidJob> {
        let job = self.job.clone()?;
        Some(PaidJob::new(&*self.provider, job))
    }
}

impl ProgressListener for Bill {
    fn on_progress(&self, progress: &Progress<'_>) {
        let mut lines = lock(&self.0);
        lines.spoke = true;
        let undecided = |lines: &Lines, provider: &str| {
            let mut purchases = lines.purchases.iter();
            purchases.rposition(|p| p.job.is_none() && p.provider == provider)
        };
        match *progress {
            Progress::Buying { provider } => lines.purchases.push(Purchase {
                provider: provider.to_owned(),
                job: None,
            }),
            Progress::NotBought { provider } => {
                if let Some(found) = undecided(&lines, provider) {
                    lines.purchases.remove(found);
                }
            }
            Progress::Bought { provider, job } => {
                let job = Some(job.clone());
                match undecided(&lines, provider) {
                    Some(found) => lines.purchases[found].job = job,
                    None => lines.purchases.push(Purchase {
                        provider: provider.to_owned(),
                        job,
                    }),
                }
            }
            Progress::Resumed { provider, job } => {
                lines.resumed.push(PaidJob::new(provider, job.clone()));
            }
            Progress::Settled { provider, job } => {
                lines.settled.push(PaidJob::new(provider, job.clone()));
            }
            Progress::Started { .. } => lines.started += 1, // nothing was sent yet
            _ => {}
        }
    }
}

impl Bill {
    /// What a call comes to that is dropped now: whatever may have been bought counts.
    ///
    /// A solver that never said anything counts as one that bought, unless it had a job to resume.
    pub(super) fn if_dropped(&self, estimate: Usd, resuming: bool) -> Due {
        let lines = lock(&self.0);
        let mut due = Due::default();
        if !lines.spoke && !resuming {
            due.spends.push((estimate, None));
        }
        for purchase in &lines.purchases {
            let unfinished = purchase
                .paid_job()
                .filter(|job| !lines.settled.contains(job));
            due.spends.push((estimate, unfinished));
        }
        due
    }

    /// What a call comes to that ended like this.
    pub(super) fn after(
        &self,
        outcome: &Result<Solution, SolveError>,
        estimate: Usd,
        resuming: bool,
    ) -> Due {
        let lines = lock(&self.0).clone();
        let history;
        let (solution, failures) = match outcome {
            Ok(solution) => (Some(solution), solution.failed_attempts()),
            Err(error) => {
                history = error.history(std::time::Duration::ZERO);
                (None, &history[..])
            }
        };
        if lines.spoke {
            lines.settle(solution, failures, estimate)
        } else if resuming {
            Due {
                ended: solution.into_iter().filter_map(answered_job).collect(),
                ..Due::default()
            }
        } else {
            as_they_say(solution, failures, estimate)
        }
    }
}

/// The bill of a solver that says nothing while it works: what its errors and its answer say.
fn as_they_say(solution: Option<&Solution>, failures: &[Attempt], estimate: Usd) -> Due {
    let mut due = Due::default();
    for failure in failures.iter().filter(|f| f.charge != Charge::No) {
        due.spends.push((estimate, job_of(failure)));
    }
    for answer in solution.into_iter().flat_map(answers) {
        due.spends.push((answer.cost().unwrap_or(estimate), None));
    }
    due
}

/// The answers that were bought for a solution: itself, or those it was made of.
fn answers(solution: &Solution) -> Vec<&Solution> {
    match solution.parts() {
        [] => vec![solution],
        parts => parts.iter().flat_map(answers).collect(),
    }
}

fn job_of(failure: &Attempt) -> Option<PaidJob> {
    let (provider, job) = failure.provider.as_ref().zip(failure.job.as_ref())?;
    Some(PaidJob::new(&**provider, job.clone()))
}

/// Whether a provider was asked, and said that it cost nothing.
fn was_free(failure: &Attempt) -> bool {
    let asked = !failure.kind.is_local_refusal() && failure.kind != ErrorKind::DeadlineExceeded;
    asked && failure.charge == Charge::No && failure.job.is_none()
}

fn answered_job(solution: &Solution) -> Option<(PaidJob, Option<Usd>)> {
    let job = solution.job()?.clone();
    Some((PaidJob::new(solution.provider(), job), solution.cost()))
}

impl Lines {
    /// Finds for each purchase what became of it. What no error and no answer accounts for counts as
    /// spent if its job was accepted and nobody heard of its end.
    fn settle(mut self, solution: Option<&Solution>, failures: &[Attempt], estimate: Usd) -> Due {
        let mut due = Due::default();
        let sent = self.purchases.len() + self.resumed.len();
        let sent_nothing = self.started.saturating_sub(sent);
        // An attempt whose job a later one went on with left its bill to that one, and says free.
        let bought: Vec<PaidJob> = self
            .purchases
            .iter()
            .filter_map(Purchase::paid_job)
            .collect();
        let resumed = self.resumed.iter();
        let handed_over = resumed.filter(|job| bought.contains(job)).count();
        for answer in solution.into_iter().flat_map(answers) {
            self.settle_answer(answer, estimate, &mut due);
        }
        for failure in failures {
            let Some(job) = job_of(failure) else { continue };
            if self
                .take(|purchase| purchase.paid_job().as_ref() == Some(&job))
                .is_some()
                && failure.charge != Charge::No
            {
                due.spends.push((estimate, Some(job)));
            }
        }
        let mut unexplained = 0;
        let mut unmatched = 0_usize;
        for job in self.purchases.iter().map(Purchase::paid_job) {
            match job {
                Some(job) if !self.settled.contains(&job) => {
                    due.spends.push((estimate, Some(job)));
                    unexplained += 1;
                }
                _ => unmatched += 1,
            }
        }
        let billed = failures
            .iter()
            .filter(|failure| failure.charge != Charge::No && failure.job.is_none())
            .count()
            .saturating_sub(unexplained);
        // A purchase that no error calls free is taken to be billed, though no error says so either.
        let free = failures.iter().filter(|failure| was_free(failure)).count();
        let free = free.saturating_sub(sent_nothing + handed_over);
        let billed = billed.max(unmatched.saturating_sub(free)).min(unmatched);
        due.spends
            .extend(std::iter::repeat_n((estimate, None), billed));
        self.end_resumed(failures, &mut due);
        due
    }

    fn take(&mut self, is_it: impl Fn(&Purchase) -> bool) -> Option<Purchase> {
        let found = self.purchases.iter().rposition(is_it)?;
        Some(self.purchases.remove(found))
    }

    /// The purchase, or the job of an earlier call, that the answer came from.
    fn settle_answer(&mut self, solution: &Solution, estimate: Usd, due: &mut Due) {
        let by_provider = |purchase: &Purchase| purchase.provider == solution.provider();
        let answered = answered_job(solution);
        let bought = match &answered {
            Some((job, _)) => {
                let same = self.take(|purchase| purchase.paid_job().as_ref() == Some(job));
                if same.is_none() && self.resumed.contains(job) {
                    self.resumed.retain(|resumed| resumed != job);
                    due.ended.extend(answered);
                    return;
                }
                same
            }
            None => None,
        };
        if bought.or_else(|| self.take(by_provider)).is_some() {
            due.spends.push((solution.cost().unwrap_or(estimate), None));
        } else if let Some(cost) = solution.cost() {
            due.spends.push((cost, None)); // not bought in so many words, and yet it cost something
        }
    }

    /// Jobs of earlier calls that failed in this one: if nothing was charged, the estimate goes.
    fn end_resumed(&self, failures: &[Attempt], due: &mut Due) {
        for job in self.resumed.iter().filter(|job| self.settled.contains(job)) {
            let mut charges = failures
                .iter()
                .filter(|f| f.provider.as_deref() == Some(&*job.provider) && f.job.is_none())
                .map(|f| f.charge)
                .peekable();
            let free = charges.peek().is_some() && charges.all(|charge| charge == Charge::No);
            due.ended.push((job.clone(), free.then_some(Usd::ZERO)));
        }
    }
}

#[cfg(test)]
#[path = "bill_tests.rs"]
mod tests;
