//! What a solver said about money, remembered from outside: the only thing that is left to ask once
//! its future was dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver_core::{
    Attempt, Charge, ErrorKind, PaidJob, Progress, ProgressListener, SolveError,
};

/// Listens to one challenge.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Whether the solver said anything at all. One that is silent may have bought.
    spoke: bool,
    /// Purchases that may have reached a provider and came to no known end.
    buying: u32,
    /// Jobs that were accepted, or resumed, and are not settled.
    open: Vec<PaidJob>,
    /// Jobs that were bought before and taken up again.
    resumed: Vec<PaidJob>,
    /// How many jobs are settled. Whether they are billed is in an outcome that nobody has seen.
    settled: u32,
}

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The jobs that were paid for and not fetched.
    pub(crate) fn open_jobs(&self) -> Vec<PaidJob> {
        self.seen().open.clone()
    }

    /// Whether dropping the solver now may leave a bill behind.
    pub(crate) fn charge_if_dropped(&self) -> Charge {
        let seen = self.seen();
        if seen.spoke && seen.buying == 0 && seen.open.is_empty() && seen.settled == 0 {
            Charge::No
        } else {
            Charge::Unknown
        }
    }

    /// How many answers may be billed that nobody would wait for if the solver was dropped now. A
    /// job that was resumed was bought by somebody else.
    pub(crate) fn unfinished_purchases(&self) -> u32 {
        let seen = self.seen();
        if !seen.spoke {
            return 1;
        }
        let bought = seen.open.iter().filter(|job| !seen.resumed.contains(job));
        seen.buying + u32::try_from(bought.count()).unwrap_or(u32::MAX)
    }

    /// The history of a solver called `name` that is dropped now, after `elapsed`: an attempt for
    /// each unfinished job and each purchase, since each may be on the bill; if there are none, a
    /// single one that is free.
    ///
    /// Their kind is `Timeout`: they were not given the time they needed.
    pub(crate) fn attempts_if_dropped(
        &self,
        name: &str,
        why: &str,
        elapsed: Duration,
    ) -> Vec<Attempt> {
        let seen = self.seen();
        let dropped = |provider: &str, charge| {
            SolveError::new(ErrorKind::Timeout, format!("dropped: {why}"))
                .with_provider(provider)
                .with_charge(charge)
        };
        let mut attempts: Vec<Attempt> = seen
            .open
            .iter()
            .map(|job| {
                let error = dropped(&job.provider, Charge::Unknown).with_job(job.id.clone());
                Attempt::new(&error, elapsed)
            })
            .collect();
        let nameless = seen.buying + seen.settled + u32::from(!seen.spoke);
        for _ in 0..nameless {
            attempts.push(Attempt::new(&dropped(name, Charge::Unknown), elapsed));
        }
        if attempts.is_empty() {
            attempts.push(Attempt::new(&dropped(name, Charge::No), elapsed));
        }
        attempts
    }
}

impl ProgressListener for Watch {
    fn on_progress(&self, progress: &Progress<'_>) {
        let mut seen = self.seen();
        seen.spoke = true;
        match *progress {
            Progress::Buying { .. } => seen.buying += 1,
            Progress::NotBought { .. } => seen.buying = seen.buying.saturating_sub(1),
            Progress::Bought { provider, job } => {
                seen.buying = seen.buying.saturating_sub(1);
                seen.open.push(PaidJob::new(provider, job.clone()));
            }
            Progress::Resumed { provider, job } => {
                let job = PaidJob::new(provider, job.clone());
                if !seen.open.contains(&job) {
                    seen.resumed.push(job.clone());
                    seen.open.push(job);
                }
            }
            Progress::Settled { provider, job } => {
                let job = PaidJob::new(provider, job.clone());
                if let Some(found) = seen.open.iter().position(|open| *open == job) {
                    seen.open.remove(found);
                    seen.settled += 1;
                }
            }
            _ => {} // `Started`: nothing was sent yet
        }
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_core::JobId;

    use super::*;

    const PROVIDER: &str = "a";

    #[test]
    fn a_silent_solver_may_have_bought() {
        assert_eq!(Watch::default().charge_if_dropped(), Charge::Unknown);
    }

    #[test]
    fn the_bill_opens_with_buying_and_stays_open_until_an_outcome_is_seen() {
        let watch = Watch::default();
        let job = JobId::from(7);
        let provider = PROVIDER;
        let steps = [
            (Progress::Started { provider }, Charge::No),
            (Progress::Buying { provider }, Charge::Unknown),
            (Progress::NotBought { provider }, Charge::No),
            (Progress::Buying { provider }, Charge::Unknown),
            (
                Progress::Bought {
                    provider,
                    job: &job,
                },
                Charge::Unknown,
            ),
            (
                Progress::Resumed {
                    provider,
                    job: &job,
                },
                Charge::Unknown,
            ),
            (
                Progress::Settled {
                    provider,
                    job: &job,
                },
                Charge::Unknown,
            ),
        ];
        for (step, expected) in steps {
            watch.on_progress(&step);
            assert_eq!(watch.charge_if_dropped(), expected, "{step:?}");
        }
        watch.on_progress(&Progress::Resumed {
            provider,
            job: &job,
        });
        assert_eq!(watch.open_jobs(), [PaidJob::new(PROVIDER, job)]);
    }

    #[test]
    fn a_job_that_settled_unseen_may_be_billed_whoever_bought_it() {
        let watch = Watch::default();
        let job = JobId::from(7);
        let (provider, job) = (PROVIDER, &job);
        watch.on_progress(&Progress::Resumed { provider, job });
        watch.on_progress(&Progress::Settled { provider, job });
        assert_eq!(watch.unfinished_purchases(), 0, "it was bought before");
        let attempts = watch.attempts_if_dropped(PROVIDER, "too slow", Duration::ZERO);
        let charges: Vec<_> = attempts.iter().map(|attempt| attempt.charge).collect();
        assert_eq!(charges, [Charge::Unknown]);
    }
}
