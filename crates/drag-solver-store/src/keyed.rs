//! The purchases of one call, and under which key each is on record.

use std::collections::BTreeMap;

use drag_solver_core::{JobId, Purchase, Settlement};

#[derive(Debug, Default)]
pub(crate) struct KeyedPurchases(Vec<KeyedPurchase>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyedPurchase {
    pub(crate) key: i64,
    pub(crate) solver: String,
    /// Once the provider has named it.
    pub(crate) job: Option<JobId>,
    has_ended: bool,
}

/// What has happened and was not heard: the call was dropped, here or further in, before it came to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Missed {
    /// Nothing was sent, or it came to nothing.
    NotBought(KeyedPurchase),
    /// The provider named the job.
    Bought(KeyedPurchase, JobId),
    /// It ended.
    Settled(KeyedPurchase, Settlement),
}

impl KeyedPurchases {
    pub(crate) fn add(&mut self, key: i64, solver: &str, job: Option<JobId>) {
        self.0.push(KeyedPurchase {
            key,
            solver: solver.to_owned(),
            job,
            has_ended: false,
        });
    }

    /// Whether this job is on record and has not ended.
    pub(crate) fn knows(&self, solver: &str, job: &JobId) -> bool {
        self.open(solver, Some(job)).is_some()
    }

    /// The provider named the job of a purchase: its key, if it was announced.
    pub(crate) fn name(&mut self, solver: &str, job: &JobId) -> Option<i64> {
        let index = self.open(solver, None)?;
        self.0[index].job = Some(job.clone());
        Some(self.0[index].key)
    }

    /// A purchase came to nothing.
    pub(crate) fn undo(&mut self, solver: &str) -> Option<KeyedPurchase> {
        let index = self.open(solver, None)?;
        Some(self.0.remove(index))
    }

    /// A purchase ended: the one of this job, or else one whose job was never named. It is returned as it was.
    pub(crate) fn end(&mut self, solver: &str, job: Option<&JobId>) -> Option<KeyedPurchase> {
        let known = job.and_then(|job| self.open(solver, Some(job)));
        let has_ended = |keyed: &KeyedPurchase| keyed.solver == solver && keyed.job.as_ref() == job;
        if known.is_none() && job.is_some() && self.0.iter().any(has_ended) {
            return None;
        }
        let index = known.or_else(|| self.open(solver, None))?;
        let keyed = self.0[index].clone();
        self.0[index].has_ended = true;
        self.0[index].job = keyed.job.clone().or_else(|| job.cloned());
        Some(keyed)
    }

    /// Takes in what `purchases` know of and was not heard here.
    pub(crate) fn catch_up(&mut self, purchases: &[Purchase]) -> Vec<Missed> {
        let mut missed = Vec::new();
        // Of each solver, the purchases without a job: how those ended that did, and how many did not.
        let mut nameless: BTreeMap<&str, (Vec<Settlement>, usize)> = BTreeMap::new();
        for purchase in purchases {
            let solver = &*purchase.solver;
            let Some(job) = &purchase.job else {
                let (ended, open) = nameless.entry(solver).or_default();
                match purchase.settlement {
                    Some(settlement) => ended.push(settlement),
                    None => *open += 1,
                }
                continue;
            };
            let is_it =
                |keyed: &KeyedPurchase| keyed.solver == solver && keyed.job.as_ref() == Some(job);
            if !self.0.iter().any(is_it)
                && let Some(index) = self.open(solver, None)
            {
                missed.push(Missed::Bought(self.0[index].clone(), job.clone()));
                self.0[index].job = Some(job.clone());
            }
            if let (Some(settlement), true) = (purchase.settlement, self.knows(solver, job))
                && let Some(keyed) = self.end(solver, Some(job))
            {
                missed.push(Missed::Settled(keyed, settlement));
            }
        }
        let mut solvers: Vec<String> = self.0.iter().map(|keyed| keyed.solver.clone()).collect();
        solvers.sort();
        solvers.dedup();
        for solver in solvers {
            let (ended, open) = nameless.remove(&*solver).unwrap_or_default();
            for settlement in ended.into_iter().skip(self.count_nameless(&solver, true)) {
                let keyed = self.end(&solver, None);
                missed.extend(keyed.map(|keyed| Missed::Settled(keyed, settlement)));
            }
            for _ in open..self.count_nameless(&solver, false) {
                missed.extend(self.undo(&solver).map(Missed::NotBought));
            }
        }
        missed
    }

    fn count_nameless(&self, solver: &str, has_ended: bool) -> usize {
        let is_one = |keyed: &&KeyedPurchase| {
            keyed.solver == solver && keyed.job.is_none() && keyed.has_ended == has_ended
        };
        self.0.iter().filter(is_one).count()
    }

    /// The latest with this job, or without any, that has not ended. Several of those would differ in nothing.
    fn open(&self, solver: &str, job: Option<&JobId>) -> Option<usize> {
        let is_it = |keyed: &KeyedPurchase| {
            keyed.solver == solver && keyed.job.as_ref() == job && !keyed.has_ended
        };
        self.0.iter().rposition(is_it)
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{Billed, Event, Purchases, Usd};

    use super::*;

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

    const BUYING: Event<'_> = Event::Buying { solver: "a" };

    fn settled(job: Option<&JobId>) -> Event<'_> {
        Event::Settled {
            solver: "a",
            job,
            billed: Billed::Yes,
            cost: Some(Usd::from_micros(5)),
        }
    }

    #[test]
    fn an_end_that_is_told_twice_ends_no_other_purchase() {
        let mut keyed = KeyedPurchases::default();
        keyed.add(1, "a", None);
        keyed.add(2, "a", None);
        assert_eq!(keyed.name("a", &job(7)), Some(2));
        assert_eq!(keyed.end("a", Some(&job(7))).unwrap().key, 2);
        assert_eq!(keyed.end("a", Some(&job(7))), None);
        assert_eq!(keyed.end("a", None).unwrap().key, 1);
        assert_eq!(keyed.end("a", None), None);
    }

    #[test]
    fn an_end_with_a_job_that_was_never_named_is_that_of_a_purchase_without_one_of_this_solver() {
        let mut keyed = KeyedPurchases::default();
        keyed.add(1, "a", None);
        keyed.add(2, "b", Some(job(9)));
        keyed.add(3, "a", Some(job(7)));
        keyed.end("a", Some(&job(7)));
        let ended = keyed.end("a", Some(&job(9))).unwrap();
        assert_eq!((ended.key, ended.job), (1, None));
        assert_eq!(keyed.end("a", Some(&job(9))), None);
        assert!(keyed.knows("b", &job(9)));
    }

    #[test]
    fn what_was_heard_is_not_missed() {
        let seven = &job(7);
        let (solver, purchases) = ("a", |events: &[Event<'_>]| fold(events));
        let mut keyed = KeyedPurchases::default();
        keyed.add(1, solver, None);
        assert_eq!(keyed.catch_up(purchases(&[BUYING]).as_slice()), []);
        keyed.name(solver, seven);
        let bought = Event::Bought { solver, job: seven };
        assert_eq!(keyed.catch_up(purchases(&[BUYING, bought]).as_slice()), []);
        keyed.add(2, solver, None); // not the one of that job
        let both = purchases(&[BUYING, bought, BUYING]);
        assert_eq!(keyed.catch_up(both.as_slice()), []);
        keyed.undo(solver);
        keyed.end(solver, Some(seven));
        let all = purchases(&[BUYING, bought, settled(Some(seven))]);
        assert_eq!(keyed.catch_up(all.as_slice()), []);
    }

    #[test]
    fn what_was_not_heard_is_made_up_for_once() {
        let (solver, seven) = ("a", &job(7));
        let mut keyed = KeyedPurchases::default();
        for key in 1..=4 {
            keyed.add(key, solver, None);
        }
        // Of four that were announced, one got a job, one ended with a job and one without; one was not sent.
        let eight = &job(8);
        let purchases = fold(&[
            BUYING,
            Event::Bought { solver, job: seven },
            BUYING,
            settled(Some(eight)),
            BUYING,
            settled(None),
        ]);
        let missed = keyed.catch_up(purchases.as_slice());
        let told: Vec<_> = missed
            .iter()
            .map(|missed| match missed {
                Missed::NotBought(one) => (one.key, "nothing"),
                Missed::Bought(one, _) => (one.key, "job"),
                Missed::Settled(one, _) => (one.key, "end"),
            })
            .collect();
        let expected = [
            (4, "job"),
            (3, "job"),
            (3, "end"),
            (2, "end"),
            (1, "nothing"),
        ];
        assert_eq!(told, expected);
        assert!(keyed.knows(solver, seven));
        assert_eq!(keyed.catch_up(purchases.as_slice()), []);
    }
}
