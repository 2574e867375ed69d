//! What the events of a call say about money.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Attempt, Billed, ErrorKind, Event, JobId, PaidJob, SolveError, Usd};

/// The fold of the [`Event`]s of one call: what was bought, what came of it, and what is still open.
///
/// Budgets, timeouts, hedges, the list of jobs that Ctrl-C prints and the contract suite all read
/// this, so that there is one answer to "what may be on the bill".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purchases {
    /// The solvers that said anything, by name; and whether their outcome is that of another call, with its attempts.
    spoken: Vec<(String, bool)>,
    waiting: usize,
    all: Vec<Purchase>,
}

/// One purchase, or one job of an earlier call that was taken up again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purchase {
    /// Name of the solver.
    pub solver: String,
    /// The job, once the provider has named it.
    pub job: Option<JobId>,
    /// Whether it was bought by an earlier call.
    pub resumed: bool,
    /// How it ended, if it has.
    pub settlement: Option<Settlement>,
}

/// How a purchase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settlement {
    /// Whether it was billed.
    pub billed: Billed,
    /// What it cost, in US dollars, if that is known. Never less than nothing.
    pub cost: Option<Usd>,
}

impl Purchase {
    pub(crate) fn new(solver: &str, job: Option<&JobId>) -> Self {
        Self {
            solver: solver.to_owned(),
            job: job.cloned(),
            resumed: false,
            settlement: None,
        }
    }

    /// The job, if it can be resumed: the provider named it, and it has not ended.
    #[must_use]
    pub fn open_job(&self) -> Option<PaidJob> {
        let job = self.job.as_ref().filter(|_| self.settlement.is_none())?;
        Some(PaidJob::new(&*self.solver, job.clone()))
    }
}

impl Purchases {
    /// Takes in one event.
    pub fn apply(&mut self, event: &Event<'_>) {
        match *event {
            Event::Waiting { .. } => {
                self.waiting += 1;
                return;
            }
            Event::WaitEnded { .. } => {
                self.waiting = self.waiting.saturating_sub(1);
                return;
            }
            Event::Fitted { .. } => return,
            Event::Started { .. } | Event::OnRecord { .. } => {}
            Event::Buying { solver } => self.all.push(Purchase::new(solver, None)),
            Event::NotBought { solver } => {
                if let Some(index) = self.undecided(solver) {
                    self.all.remove(index);
                }
            }
            Event::Bought { solver, job } => match self.undecided(solver) {
                Some(index) => self.all[index].job = Some(job.clone()),
                None => self.all.push(Purchase::new(solver, Some(job))),
            },
            Event::Resumed { solver, job } => {
                if self.running(solver, job).is_none() {
                    self.all.push(Purchase {
                        resumed: true,
                        ..Purchase::new(solver, Some(job))
                    });
                }
            }
            Event::Settled {
                solver,
                job,
                billed,
                cost,
            } => {
                let known = job.and_then(|job| self.running(solver, job));
                if known.is_none()
                    && job.is_some_and(|job| self.has_taken_up(&PaidJob::new(solver, job.clone())))
                {
                    return; // it has ended already
                }
                let index = known.or_else(|| self.undecided(solver)).unwrap_or_else(|| {
                    self.all.push(Purchase::new(solver, job));
                    self.all.len() - 1
                });
                let purchase = &mut self.all[index];
                purchase.job = purchase.job.take().or_else(|| job.cloned());
                // Less than nothing would be money for a budget to spend.
                let cost = cost.filter(|cost| !cost.is_negative());
                purchase.settlement = Some(Settlement { billed, cost });
            }
        }
        let is_on_record = matches!(event, Event::OnRecord { .. });
        let mut spoken = self.spoken.iter_mut();
        match spoken.find(|(name, _)| name == event.solver()) {
            Some((_, on_record)) => *on_record |= is_on_record,
            None => self.spoken.push((event.solver().to_owned(), is_on_record)),
        }
    }

    /// The latest purchase from `solver` of which nothing is known. Any of several would do: they
    /// differ in nothing.
    fn undecided(&self, solver: &str) -> Option<usize> {
        self.all.iter().rposition(|purchase| {
            purchase.solver == solver && purchase.job.is_none() && purchase.settlement.is_none()
        })
    }

    fn running(&self, solver: &str, job: &JobId) -> Option<usize> {
        self.all.iter().rposition(|purchase| {
            purchase.solver == solver
                && purchase.job.as_ref() == Some(job)
                && purchase.settlement.is_none()
        })
    }

    /// Whether a solver said anything at all, besides that a call waits here. One that is silent
    /// may have bought.
    #[must_use]
    pub fn has_spoken(&self) -> bool {
        !self.spoken.is_empty()
    }

    /// Whether the solver called `solver` said anything.
    pub(crate) fn spoke(&self, solver: &str) -> bool {
        self.spoken.iter().any(|(name, _)| name == solver)
    }

    /// Whether what the solver called `solver` says is what an earlier call has found.
    pub(crate) fn is_on_record(&self, solver: &str) -> bool {
        let mut spoken = self.spoken.iter();
        spoken.any(|(name, on_record)| *on_record && name == solver)
    }

    /// Whether a call waits here for something of our own.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Whether a solver was asked, as far as can be known: it said so, or it is silent and
    /// nothing here waits.
    #[doc(hidden)]
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.has_spoken() || !self.is_waiting()
    }

    /// Whether a solver that says nothing was asked, and so may have bought.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.was_asked() && !self.has_spoken()
    }

    /// Everything that was bought or resumed, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Purchase] {
        &self.all
    }

    /// The jobs that were bought or resumed and have not ended.
    #[must_use]
    pub fn open_jobs(&self) -> Vec<PaidJob> {
        self.all.iter().filter_map(Purchase::open_job).collect()
    }

    /// Whether this call took up `job`, or bought it.
    #[doc(hidden)]
    #[must_use]
    pub fn has_taken_up(&self, job: &PaidJob) -> bool {
        self.of_job(job).next().is_some()
    }

    /// Those of the jobs that a challenge brought that have not ended, taken up or not.
    #[doc(hidden)]
    pub fn unfinished_of<'a>(
        &self,
        brought: &'a [PaidJob],
    ) -> impl Iterator<Item = &'a PaidJob> + use<'a, '_> {
        let has_ended = |job: &PaidJob| self.of_job(job).any(|p| p.settlement.is_some());
        brought.iter().filter(move |job| !has_ended(job))
    }

    fn of_job(&self, job: &PaidJob) -> impl Iterator<Item = &Purchase> {
        let is_it = move |p: &&Purchase| p.solver == job.solver && p.job.as_ref() == Some(&job.id);
        self.all.iter().filter(is_it)
    }

    /// How many purchases of this call may be billed although no one has fetched what they came
    /// to. A job that was resumed was bought by another call.
    #[must_use]
    pub fn unfinished(&self) -> u32 {
        let unfinished = self.all.iter();
        let unfinished = unfinished.filter(|p| !p.resumed && p.settlement.is_none());
        let unfinished = unfinished.count() + usize::from(self.is_silent());
        u32::try_from(unfinished).unwrap_or(u32::MAX)
    }

    /// The attempts that a solver called `name` leaves behind if it is dropped after `elapsed`: one
    /// for each purchase, since each may be on the bill; if there are none, a single one that is free.
    ///
    /// Their kind is `Timeout`: they were not given the time they needed.
    #[doc(hidden)]
    #[must_use]
    pub fn if_dropped(&self, name: &str, why: &str, elapsed: Duration) -> Vec<Attempt> {
        let dropped = |solver: &str, billed| {
            SolveError::new(ErrorKind::Timeout, format!("dropped: {why}"))
                .with_solver(solver)
                .with_billed(billed)
                .with_elapsed(elapsed)
        };
        let mut errors: Vec<SolveError> = Vec::new();
        for purchase in &self.all {
            let Settlement { billed, cost } = purchase.settlement.unwrap_or(Settlement {
                billed: Billed::Maybe,
                cost: None,
            });
            let error = dropped(&purchase.solver, billed).with_cost(cost);
            errors.push(error.with_unfinished_jobs(purchase.open_job()));
        }
        if self.is_silent() {
            errors.push(dropped(name, Billed::Maybe));
        }
        if errors.is_empty() {
            errors.push(dropped(name, Billed::No));
        }
        errors.iter().flat_map(SolveError::attempts).collect()
    }
}

/// Keeps the [`Purchases`] of a challenge up to date. Clones are the same one. See
/// [`DragChallenge::tracked`](crate::DragChallenge::tracked).
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    /// Shared with the trackers around this one, so that a chain whose layers each have one makes room
    /// for them once.
    all: Arc<Mutex<Trackers>>,
    index: usize,
}

#[derive(Debug, Default)]
struct Trackers {
    first: Purchases,
    /// Those inside, with the index of the one that each is directly inside of: a smaller one.
    inner: Vec<(usize, Purchases)>,
}

impl Tracker {
    /// A tracker of a part of what this one tracks.
    pub(crate) fn inside(&self) -> Self {
        let mut all = self.lock();
        all.inner.push((self.index, Purchases::default()));
        Self {
            all: Arc::clone(&self.all),
            index: all.inner.len(),
        }
    }

    /// Takes in an event, for this tracker and for those that it is inside of.
    pub(crate) fn apply(&self, event: &Event<'_>) {
        let mut all = self.lock();
        let mut index = self.index;
        while index > 0 {
            let (outer, purchases) = &mut all.inner[index - 1];
            purchases.apply(event);
            index = *outer;
        }
        all.first.apply(event);
    }

    /// What is known by now.
    #[must_use]
    pub fn purchases(&self) -> Purchases {
        self.read(Purchases::clone)
    }

    /// Whether a solver was asked by now: `Purchases::was_asked`.
    #[doc(hidden)]
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.read(Purchases::was_asked)
    }

    /// Shows `read` what is known by now. Nothing else can be told meanwhile.
    #[doc(hidden)]
    pub fn read<T>(&self, read: impl FnOnce(&Purchases) -> T) -> T {
        let all = self.lock();
        match self.index {
            0 => read(&all.first),
            index => read(&all.inner[index - 1].1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Trackers> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a";

    fn job(id: u64) -> JobId {
        JobId::from(id)
    }

    fn fold(events: &[Event<'_>]) -> Purchases {
        let mut purchases = Purchases::default();
        for event in events {
            purchases.apply(event);
        }
        purchases
    }

    fn settled(job: Option<&JobId>, billed: Billed, micros: Option<i64>) -> Event<'_> {
        Event::Settled {
            solver: A,
            job,
            billed,
            cost: micros.map(Usd::from_micros),
        }
    }

    #[test]
    fn two_jobs_of_one_solver_stay_two() {
        let (one, two) = (job(1), job(2));
        let purchases = fold(&[
            Event::Buying { solver: A },
            Event::Buying { solver: A },
            Event::Bought {
                solver: A,
                job: &one,
            },
            Event::Bought {
                solver: A,
                job: &two,
            },
        ]);
        assert_eq!(purchases.unfinished(), 2);
        let attempts = purchases.if_dropped("chain", "why", Duration::ZERO);
        let mut jobs: Vec<_> = attempts.into_iter().flat_map(|a| a.jobs).collect();
        jobs.sort_by(|one, other| one.id.cmp(&other.id));
        assert_eq!(jobs, [PaidJob::new(A, one), PaidJob::new(A, two)]);
    }

    #[test]
    fn a_settled_purchase_carries_its_bill_and_leaves_nothing_open() {
        let one = job(1);
        let purchases = fold(&[
            Event::Started { solver: A },
            Event::Buying { solver: A },
            Event::Bought {
                solver: A,
                job: &one,
            },
            settled(Some(&one), Billed::Yes, Some(900)),
        ]);
        assert!(purchases.open_jobs().is_empty());
        let settlement = purchases.as_slice()[0].settlement.unwrap();
        assert_eq!(settlement.billed, Billed::Yes);
        assert_eq!(settlement.cost, Some(Usd::from_micros(900)));
    }

    #[test]
    fn an_end_that_is_said_twice_ends_no_other_purchase() {
        let one = job(1);
        let end = settled(Some(&one), Billed::Yes, Some(900));
        let purchases = fold(&[
            Event::Buying { solver: A },
            Event::Bought {
                solver: A,
                job: &one,
            },
            Event::Buying { solver: A },
            end,
            end,
        ]);
        assert_eq!(purchases.as_slice().len(), 2);
        assert_eq!(purchases.unfinished(), 1);
    }

    #[test]
    fn a_cost_below_zero_is_no_cost() {
        let purchases = fold(&[
            Event::Buying { solver: A },
            settled(None, Billed::Yes, Some(-5)),
        ]);
        assert_eq!(purchases.as_slice()[0].settlement.unwrap().cost, None);
    }

    #[test]
    fn a_job_that_is_resumed_is_no_purchase_of_this_call_and_one_bought_here_stays_one() {
        let one = job(1);
        let resumed = fold(&[Event::Resumed {
            solver: A,
            job: &one,
        }]);
        assert_eq!(resumed.unfinished(), 0);
        assert_eq!(resumed.open_jobs(), [PaidJob::new(A, one.clone())]);
        let again = fold(&[
            Event::Buying { solver: A },
            Event::Bought {
                solver: A,
                job: &one,
            },
            Event::Resumed {
                solver: A,
                job: &one,
            },
        ]);
        assert_eq!(again.as_slice().len(), 1);
        assert_eq!(again.unfinished(), 1);
    }

    #[test]
    fn who_waits_here_has_asked_nobody_and_who_is_silent_may_have_bought() {
        let waiting = Event::Waiting {
            solver: A,
            reason: "a permit",
        };
        let dropped = |events: &[Event<'_>]| {
            let attempts = fold(events).if_dropped(A, "why", Duration::ZERO);
            attempts.iter().map(|a| a.billed).collect::<Vec<_>>()
        };
        assert_eq!(dropped(&[]), [Billed::Maybe]);
        assert_eq!(dropped(&[waiting]), [Billed::No]);
        assert_eq!(
            dropped(&[waiting, Event::WaitEnded { solver: A }]),
            [Billed::Maybe]
        );
        assert_eq!(dropped(&[Event::Started { solver: A }]), [Billed::No]);
        let undone = [Event::Buying { solver: A }, Event::NotBought { solver: A }];
        assert_eq!(dropped(&undone), [Billed::No]);
    }
}
