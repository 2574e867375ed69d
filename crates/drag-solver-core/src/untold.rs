//! What solvers bought that say nothing of it: read from how a call ended.

use crate::{
    Attempt, Billed, JobId, PaidJob, Purchase, Purchases, Settlement, Solution, SolveError, Usd,
};

/// How a call ended; `None` if it was dropped.
type Outcome<'a> = Option<Result<&'a Solution, &'a SolveError>>;

impl Purchases {
    /// The purchases of solvers that say nothing, as far as the outcome of the call tells. `name` is that of the solver
    /// that was called, and `brought` are the paid jobs of its challenge.
    ///
    /// A solver that spoke is taken at its word. An attempt may bear the name of a chain, so that none is matched with the
    /// events: one without a job counts where no purchase was told at all.
    #[doc(hidden)]
    #[must_use]
    pub fn untold(&self, name: &str, outcome: Outcome<'_>, brought: &[PaidJob]) -> Vec<Purchase> {
        let mut untold = Vec::new();
        if self.on_record {
            return untold; // an answer on record brings its history, which was told when it happened
        }
        let has_told = !self.as_slice().is_empty();
        let failed = match outcome {
            Some(Ok(solution)) => {
                let silent = leaves(solution)
                    .into_iter()
                    .filter(|answer| !self.spoke(answer.solver()));
                untold.extend(silent.map(|answer| answered(answer, brought)));
                solution.failed_attempts().to_vec()
            }
            Some(Err(error)) => error.attempts(),
            None if self.is_silent() && brought.is_empty() => {
                untold.push(Purchase::new(name, None));
                Vec::new()
            }
            None => Vec::new(),
        };
        for attempt in failed.iter().filter(|one| one.billed != Billed::No) {
            for job in attempt.jobs.iter().filter(|job| !brought.contains(job)) {
                let is_it =
                    |one: &Purchase| one.solver == job.solver && one.job.as_ref() == Some(&job.id);
                if !self.has_taken_up(job) && !untold.iter().any(is_it) {
                    untold.push(Purchase::new(&job.solver, Some(&job.id)));
                }
            }
            if attempt.jobs.is_empty() && !has_told {
                let solver = attempt.solver.as_deref().unwrap_or(name);
                untold.push(ended(
                    Purchase::new(solver, None),
                    attempt.billed,
                    attempt.cost,
                ));
            }
        }
        untold
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
            let answers = leaves(solution);
            let mut own = answers
                .iter()
                .filter(|one| one.solver() == solver && one.job() == job);
            own.find_map(|answer| answer.cost())
                .or_else(|| of_attempts(solution.failed_attempts()))
        }
        Err(error) => of_attempts(&error.attempts()),
    }
}

/// The answer, or those that agreed on it.
fn leaves(solution: &Solution) -> Vec<&Solution> {
    match solution.contributors() {
        [] => vec![solution],
        parts => parts.iter().flat_map(leaves).collect(),
    }
}

fn answered(answer: &Solution, brought: &[PaidJob]) -> Purchase {
    let mut purchase = Purchase::new(answer.solver(), answer.job());
    let job = purchase.open_job();
    purchase.resumed = job.is_some_and(|job| brought.contains(&job));
    ended(purchase, Billed::Yes, answer.cost())
}

fn ended(mut purchase: Purchase, billed: Billed, cost: Option<Usd>) -> Purchase {
    let cost = cost.filter(|cost| !cost.is_negative());
    purchase.settlement = Some(Settlement { billed, cost });
    purchase
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drag, ErrorKind, Event, Point};

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
        let untold = purchases.untold("chain", Some(Ok(&answer)), &[]);
        let end = Settlement {
            billed: Billed::Yes,
            cost: Some(cost()),
        };
        assert_eq!(untold.len(), 1);
        assert_eq!(
            (&*untold[0].solver, untold[0].settlement),
            ("silent", Some(end))
        );
        assert!(!untold[0].resumed);
        let spoke = told(&["talker", "silent"]);
        assert_eq!(spoke.untold("chain", Some(Ok(&answer)), &[]), []);
    }

    #[test]
    fn each_that_agreed_counts_by_its_own_name() {
        let parts = vec![answer("talker"), answer("silent"), answer("other")];
        let agreed = answer("talker|silent|other").with_contributors(parts);
        let untold = told(&["talker"]).untold("chain", Some(Ok(&agreed)), &[]);
        let names: Vec<_> = untold.iter().map(|one| &*one.solver).collect();
        assert_eq!(names, ["silent", "other"]);
    }

    #[test]
    fn a_job_that_no_event_named_is_open_beside_a_solver_that_speaks_and_once() {
        let error = failed([job("silent", 1), job("silent", 2), job("silent", 1)]);
        let untold = told(&["talker"]).untold("chain", Some(Err(&error)), &[job("silent", 2)]);
        let open: Vec<_> = untold.iter().filter_map(Purchase::open_job).collect();
        assert_eq!(open, [job("silent", 1)]);
    }

    #[test]
    fn an_attempt_without_a_job_may_bear_the_name_of_a_chain() {
        let error = failed([]);
        let count = |purchases: Purchases| purchases.untold("chain", Some(Err(&error)), &[]).len();
        assert_eq!((count(told(&["talker"])), count(told(&[]))), (0, 1));
        let free = error.clone().with_billed(Billed::No);
        assert_eq!(told(&[]).untold("chain", Some(Err(&free)), &[]), []);
    }

    #[test]
    fn a_silent_answer_of_a_job_that_was_brought_is_no_purchase() {
        let answer = answer("silent").with_job(JobId::from(7));
        let untold = told(&[]).untold("chain", Some(Ok(&answer)), &[job("silent", 7)]);
        assert!(untold[0].resumed);
    }

    #[test]
    fn an_answer_on_record_and_its_attempts_were_bought_before() {
        let mut purchases = Purchases::default();
        purchases.apply(&Event::OnRecord { solver: "chain" });
        let history = failed([job("silent", 1)]).attempts();
        let answer = answer("silent").with_failed_attempts(history);
        assert_eq!(purchases.untold("chain", Some(Ok(&answer)), &[]), []);
    }

    #[test]
    fn a_cost_is_that_of_the_job_and_else_that_of_a_failed_attempt() {
        let of_job = answer("a").with_job(JobId::from(1));
        let id = JobId::from(1);
        assert_eq!(named_cost(Some(Ok(&of_job)), "a", Some(&id)), Some(cost()));
        assert_eq!(named_cost(Some(Ok(&of_job)), "a", None), None);
        let error = failed([]).with_cost(cost());
        assert_eq!(
            named_cost(Some(Err(&error)), "silent", Some(&id)),
            Some(cost())
        );
        assert_eq!(named_cost(None, "silent", None), None);
    }
}
