//! What solvers bought that say nothing of it: read from how a call ended.

use std::borrow::Cow;

use crate::{
    Attempt, Billed, Brought, ErrorKind, JobId, PaidJob, Purchase, Purchases, Settlement, Solution,
    SolveError, Usd,
};

/// How a call ended; `None` if it was dropped.
type Outcome<'a> = Option<Result<&'a Solution, &'a SolveError>>;

/// A purchase that an event told of, or that a solver made which says nothing.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurchaseRef<'a> {
    /// Name of the solver.
    pub solver: &'a str,
    /// The job, if it is known.
    pub job: Option<&'a JobId>,
    /// Whether it was bought by an earlier call.
    pub resumed: bool,
    /// How it ended, if it has.
    pub settlement: Option<Settlement>,
}

impl<'a> PurchaseRef<'a> {
    /// A job that has not ended.
    #[must_use]
    pub fn open(job: &'a PaidJob) -> Self {
        bought(&job.solver, Some(&job.id), None)
    }

    /// The job as one that can be resumed, whether or not it has ended.
    #[must_use]
    pub fn paid_job(&self) -> Option<PaidJob> {
        Some(PaidJob::new(self.solver, self.job?.clone()))
    }
}

impl<'a> From<&'a Purchase> for PurchaseRef<'a> {
    fn from(purchase: &'a Purchase) -> Self {
        Self {
            solver: &purchase.solver,
            job: purchase.job.as_ref(),
            resumed: purchase.resumed,
            settlement: purchase.settlement,
        }
    }
}

impl Purchases {
    /// Shows `each` the purchases of solvers that say nothing, as far as the outcome of the call tells. `name` is that of
    /// the solver that was called, and `brought` are the paid jobs of its challenge.
    ///
    /// A solver that spoke of a purchase is taken at its word. A failed attempt may bear the name of a chain, and name jobs
    /// of solvers that spoke: they count where no purchase was told at all.
    #[doc(hidden)]
    pub fn each_untold(
        &self,
        name: &str,
        outcome: Outcome<'_>,
        brought: &Brought,
        each: &mut dyn FnMut(PurchaseRef<'_>),
    ) {
        let mut seen = Vec::new();
        let failed = match outcome {
            Some(Ok(solution)) => {
                each_leaf(solution, &mut |answer| {
                    let solver = answer.solver();
                    let has_bought = self.as_slice().iter().any(|one| one.solver == solver);
                    if has_bought || self.is_on_record(solver) {
                        return;
                    }
                    let purchase = answered(answer, brought);
                    // One that spoke, and of no purchase, bought nothing; unless its answer has a cost all the same.
                    let cost = purchase.settlement.and_then(|end| end.cost);
                    if purchase.resumed || cost.is_some() || !self.spoke(solver) {
                        seen.extend(purchase.paid_job());
                        each(purchase);
                    }
                });
                Cow::Borrowed(solution.failed_attempts())
            }
            Some(Err(error)) => Cow::Owned(error.attempts()),
            None => {
                if self.is_silent() && brought.own.is_empty() {
                    each(bought(name, None, None));
                }
                return;
            }
        };
        if !self.as_slice().is_empty() {
            return;
        }
        for attempt in failed.iter() {
            let solver = attempt.solver.as_deref().unwrap_or(name);
            if self.is_on_record(solver) {
                continue;
            }
            let mut jobs = attempt
                .jobs
                .iter()
                .filter(|job| !brought.others.contains(job))
                .peekable();
            // Without a job of its own. What a refusal is afraid of was bought by an earlier call.
            let is_nameless = jobs.peek().is_none() && attempt.kind != ErrorKind::Unconfirmed;
            if is_nameless && attempt.billed != Billed::No {
                let end = settlement(attempt.billed, attempt.cost);
                each(bought(solver, None, Some(end)));
            }
            for job in jobs.filter(|job| !brought.own.contains(job)) {
                if !seen.contains(job) {
                    seen.push(job.clone());
                    each(PurchaseRef::open(job));
                }
            }
        }
    }
}

/// What the outcome of a call says of the cost of this job, or this purchase without a job, where no event does.
#[doc(hidden)]
#[must_use]
pub fn named_cost(outcome: Outcome<'_>, solver: &str, job: Option<&JobId>) -> Option<Usd> {
    let of_attempts = |attempts: &[Attempt]| {
        let mut own = attempts
            .iter()
            .filter(|one| one.solver.as_deref() == Some(solver));
        own.find_map(|one| one.cost)
    };
    match outcome? {
        Ok(solution) => {
            let mut cost = None;
            each_leaf(solution, &mut |answer| {
                if answer.solver() == solver && (job.is_none() || answer.job() == job) {
                    cost = cost.or(answer.cost());
                }
            });
            cost.or_else(|| of_attempts(solution.failed_attempts()))
        }
        Err(error) => of_attempts(&error.attempts()),
    }
}

/// The answer, or those that agreed on it.
fn each_leaf<'a>(solution: &'a Solution, each: &mut dyn FnMut(&'a Solution)) {
    match solution.contributors() {
        [] => each(solution),
        parts => parts.iter().for_each(|part| each_leaf(part, each)),
    }
}

/// The purchase that this answer is of.
fn answered<'a>(answer: &'a Solution, brought: &Brought) -> PurchaseRef<'a> {
    let end = settlement(Billed::Yes, answer.cost());
    let mut purchase = bought(answer.solver(), answer.job(), Some(end));
    let job = purchase.paid_job();
    purchase.resumed = job.is_some_and(|job| brought.has(&job));
    purchase
}

fn bought<'a>(
    solver: &'a str,
    job: Option<&'a JobId>,
    settlement: Option<Settlement>,
) -> PurchaseRef<'a> {
    PurchaseRef {
        solver,
        job,
        resumed: false,
        settlement,
    }
}

fn settlement(billed: Billed, cost: Option<Usd>) -> Settlement {
    let cost = cost.filter(|cost| !cost.is_negative());
    Settlement { billed, cost }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drag, Event, Point};

    fn cost() -> Usd {
        Usd::from_micros(900)
    }

    fn answer(solver: &str) -> Solution {
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(3.0, 4.0));
        Solution::new(drag, solver).with_cost(cost())
    }

    /// The events of solvers that have bought and had nothing for it.
    fn told(solvers: &[&'static str]) -> Purchases {
        let mut purchases = Purchases::default();
        for &solver in solvers {
            purchases.apply(&Event::Started { solver });
            purchases.apply(&Event::Buying { solver });
            purchases.apply(&Event::Settled {
                solver,
                job: None,
                billed: Billed::Maybe,
                cost: None,
            });
        }
        purchases
    }

    /// As purchases of their own.
    fn untold(
        purchases: &Purchases,
        outcome: Result<&Solution, &SolveError>,
        own: &[PaidJob],
    ) -> Vec<Purchase> {
        let mut all = Vec::new();
        let brought = Brought {
            own: own.to_vec(),
            ..Brought::default()
        };
        purchases.each_untold("chain", Some(outcome), &brought, &mut |one| {
            all.push(Purchase {
                solver: one.solver.to_owned(),
                job: one.job.cloned(),
                resumed: one.resumed,
                settlement: one.settlement,
            });
        });
        all
    }

    fn job(solver: &str, id: u64) -> PaidJob {
        PaidJob::new(solver, JobId::from(id))
    }

    fn failed(jobs: impl IntoIterator<Item = PaidJob>) -> SolveError {
        let error = SolveError::new(ErrorKind::Timeout, "late").with_solver("silent");
        error.with_billed(Billed::Maybe).with_unfinished_jobs(jobs)
    }

    #[test]
    fn a_silent_answer_counts_beside_a_solver_that_speaks() {
        let purchases = told(&["talker"]);
        let answer = answer("silent");
        let found = untold(&purchases, Ok(&answer), &[]);
        let end = Settlement {
            billed: Billed::Yes,
            cost: Some(cost()),
        };
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&*found[0].solver, found[0].settlement),
            ("silent", Some(end))
        );
        assert!(!found[0].resumed);
        let spoke = told(&["talker", "silent"]);
        assert_eq!(untold(&spoke, Ok(&answer), &[]), []);
    }

    #[test]
    fn each_that_agreed_counts_by_its_own_name() {
        let parts = vec![answer("talker"), answer("silent"), answer("other")];
        let agreed = answer("talker|silent|other").with_contributors(parts);
        let found = untold(&told(&["talker"]), Ok(&agreed), &[]);
        let names: Vec<_> = found.iter().map(|one| &*one.solver).collect();
        assert_eq!(names, ["silent", "other"]);
    }

    #[test]
    fn a_job_that_no_event_named_is_open_once_where_nothing_was_told() {
        let error = failed([job("silent", 1), job("silent", 2), job("silent", 1)]);
        let found = untold(&told(&[]), Err(&error), &[job("silent", 2)]);
        let open: Vec<_> = found.iter().filter_map(Purchase::open_job).collect();
        assert_eq!(open, [job("silent", 1)]);
        // It may be one that is only handed back.
        assert_eq!(untold(&told(&["talker"]), Err(&error), &[]), []);
    }

    #[test]
    fn an_answer_with_a_cost_counts_though_its_solver_only_said_that_it_started() {
        let mut purchases = Purchases::default();
        purchases.apply(&Event::Started { solver: "silent" });
        assert_eq!(untold(&purchases, Ok(&answer("silent")), &[]).len(), 1);
    }

    #[test]
    fn an_attempt_without_a_job_may_bear_the_name_of_a_chain() {
        let error = failed([]);
        let count = |purchases: Purchases| untold(&purchases, Err(&error), &[]).len();
        assert_eq!((count(told(&["talker"])), count(told(&[]))), (0, 1));
        let free = error.clone().with_billed(Billed::No);
        assert_eq!(untold(&told(&[]), Err(&free), &[]), []);
    }

    #[test]
    fn who_refuses_for_fear_of_an_earlier_purchase_makes_none() {
        let bought = failed([]);
        let refused = bought.clone().with_kind(ErrorKind::Unconfirmed);
        let count = |error: &SolveError| untold(&told(&[]), Err(error), &[]).len();
        assert_eq!((count(&bought), count(&refused)), (1, 0));
        // One before it may have been.
        let after = refused.with_failed_attempts(bought.attempts());
        assert_eq!(count(&after), 1);
    }

    #[test]
    fn a_silent_answer_of_a_job_that_was_brought_is_no_purchase() {
        let answer = answer("silent").with_job(JobId::from(7));
        let found = untold(&told(&[]), Ok(&answer), &[job("silent", 7)]);
        assert!(found[0].resumed);
    }

    #[test]
    fn an_answer_on_record_and_its_attempts_were_bought_before() {
        let mut purchases = Purchases::default();
        purchases.apply(&Event::Started { solver: "silent" });
        purchases.apply(&Event::OnRecord { solver: "silent" });
        let history = failed([job("silent", 1)]).attempts();
        let answer = answer("silent").with_failed_attempts(history);
        assert_eq!(untold(&purchases, Ok(&answer), &[]), []);
        // Another solver may have been asked after all.
        let other = answer
            .clone()
            .with_contributors(vec![super::tests::answer("other")]);
        assert_eq!(untold(&purchases, Ok(&other), &[]).len(), 1);
    }

    #[test]
    fn a_cost_is_that_of_the_job_and_else_that_of_a_failed_attempt() {
        let of_job = answer("a").with_job(JobId::from(1));
        let id = JobId::from(1);
        assert_eq!(named_cost(Some(Ok(&of_job)), "a", Some(&id)), Some(cost()));
        assert_eq!(named_cost(Some(Ok(&of_job)), "a", None), Some(cost()));
        let other = JobId::from(2);
        assert_eq!(named_cost(Some(Ok(&of_job)), "a", Some(&other)), None);
        let error = failed([]).with_cost(cost());
        assert_eq!(
            named_cost(Some(Err(&error)), "silent", Some(&id)),
            Some(cost())
        );
        assert_eq!(named_cost(None, "silent", None), None);
    }
}
