//! What a solver said about money, remembered from outside: the only thing that is left to ask once
//! its future was dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};

use drag_solver_core::{Charge, PaidJob, Progress, ProgressListener};

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
        if seen.spoke && seen.buying == 0 && seen.open.is_empty() {
            Charge::No
        } else {
            Charge::Unknown
        }
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
                    seen.open.push(job);
                }
            }
            Progress::Settled { provider, job } => seen
                .open
                .retain(|open| open.provider != provider || open.id != *job),
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
    fn the_bill_opens_with_buying_and_closes_with_a_known_end() {
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
                Charge::No,
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
}
