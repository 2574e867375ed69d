//! How a solver deals with money: what it says of it, and what it buys.

use drag_solver_core::{
    Attempt, Billed, DragSolver, JobId, Purchase, Purchases, Solution, SolveError, Usd, WorstCase,
};
use tokio::time::Instant;

use super::recorder::{Observed, Recorder};
use super::{Checked, Finding, SolverUnderTest, skip};

/// For the author of a solver that buys and says nothing.
const ADVICE: &str = "a solver that buys says `Started`, then `Buying` before it sends what may be \
    billed, then `NotBought`, or `Bought` if the provider names a job, and `Settled` with what was \
    billed: see `drag_solver_core::Event`";

impl SolverUnderTest<'_> {
    /// The events of every call are in order, each purchase has one end, and what they say of money is
    /// what the answer or the error says. A solver that says nothing must buy nothing; then skipped.
    pub(super) async fn events_tell_of_money(&self) -> Checked {
        let mut has_spoken = false;
        for (solver, challenge) in self.questions() {
            let observed = Observed::call(self, solver, &challenge, Recorder::default()).await?;
            self.check_events(solver, &observed)?;
            has_spoken |= observed.heard.purchases.has_spoken();
        }
        if has_spoken {
            return Ok(Finding::Passed);
        }
        let worst = self.solver.profile().worst_case;
        let is_free = worst.purchases.is_none_or(|most| most == 0) || worst.cost == Some(Usd::ZERO);
        ensure!(
            is_free,
            "its profile is {worst}, and it says nothing of buying: {ADVICE}"
        );
        Ok(skip(format!(
            "it says nothing of money, as if it bought nothing: {ADVICE}"
        )))
    }

    fn check_events(&self, solver: &dyn DragSolver, observed: &Observed) -> Result<(), String> {
        let heard = &observed.heard;
        if let Some(what) = &heard.out_of_order {
            return Err(what.clone());
        }
        for solver in &heard.solvers {
            self.check_answerer("an event", solver)?;
        }
        let result = match &observed.outcome {
            Ok(solution) => check_ends(&heard.purchases, solution.failed_attempts(), solver)
                .and_then(|()| check_solution(&heard.purchases, solution)),
            Err(error) => check_ends(&heard.purchases, &error.attempts(), solver)
                .and_then(|()| check_bill(&heard.purchases, error)),
        };
        if heard.purchases.has_spoken() {
            return result;
        }
        result.map_err(|what| format!("{what}: {ADVICE}"))
    }

    /// An observer that refuses `Buying` prevents the purchase: nothing is bought, and the call fails
    /// without a bill. Skipped if the solver says nothing of buying.
    pub(super) async fn an_observer_can_prevent_a_purchase(&self) -> Checked {
        let fresh = self.solvable.clone().without_paid_jobs();
        let observed = Observed::call(self, self.solver, &fresh, Recorder::refusing()).await?;
        let refused = &observed.heard.buyers;
        if refused.is_empty() {
            return Ok(skip("it says nothing of buying"));
        }
        if let Some(what) = observed.heard.out_of_order {
            return Err(format!("after its purchase was refused, {what}"));
        }
        match &observed.outcome {
            // Another solver of a chain may answer for nothing.
            Ok(solution) if refused.iter().any(|name| name == solution.solver()) => {
                Err("its purchase was refused, and it answered all the same".to_owned())
            }
            Err(error) if error.billed() != Billed::No => Err(format!(
                "its purchase was refused, and the error says that it cost money: {error}"
            )),
            Err(error) => self.check_error(error).map(|()| Finding::Passed),
            Ok(_) => Ok(Finding::Passed),
        }
    }

    /// No call buys more answers, costs more or (on a paused clock) takes longer than the worst case in
    /// the solver's [profile](DragSolver::profile). Skipped if it says nothing.
    pub(super) async fn the_worst_case_holds(&self) -> Checked {
        if self.solver.profile().worst_case == WorstCase::unknown() {
            return Ok(skip("it says nothing of its worst case"));
        }
        for (solver, mut challenge) in self.questions() {
            let worst = solver.profile().worst_case;
            let own_limit = worst.time.and_then(|time| Instant::now().checked_add(time));
            // It holds for deadlines that are no later than what the solver would set itself.
            if let (Some(_), Some(limit)) = (challenge.deadline(), own_limit) {
                challenge = challenge.with_deadline_at_most(limit);
            }
            let observed = Observed::call(self, solver, &challenge, Recorder::default()).await?;
            let bought = u32::try_from(observed.heard.buyers.len()).unwrap_or(u32::MAX);
            let spent = match &observed.outcome {
                Ok(solution) => solution.spent(),
                Err(error) => error.spent(),
            };
            let took = Some(observed.took).filter(|_| self.is_paused);
            let broken = if exceeds(Some(bought), worst.purchases) {
                format!("it bought {bought} answers")
            } else if exceeds(spent, worst.cost) {
                format!("it cost ${}", spent.unwrap_or_default())
            } else if exceeds(took, worst.time) {
                format!("it took {:?}", observed.took)
            } else {
                continue;
            };
            return Err(format!("{broken}, and its worst case is: {worst}"));
        }
        Ok(Finding::Passed)
    }
}

/// Each purchase was ended by an event, or is named among what failed.
fn check_ends(
    purchases: &Purchases,
    failed: &[Attempt],
    solver: &dyn DragSolver,
) -> Result<(), String> {
    // A chain may drop a call whose request has not been answered: then it has no job to name.
    let may_drop = !solver.profile().solvers.is_empty();
    let open = purchases.as_slice().iter();
    for purchase in open.filter(|p| p.settlement.is_none()) {
        let is_named = |attempt: &Attempt| match purchase.open_job() {
            Some(job) => attempt.jobs.contains(&job),
            None => may_drop && attempt.billed != Billed::No,
        };
        let (solver, job) = (&purchase.solver, purchase.job.as_ref());
        let job = job.map_or("", JobId::as_str);
        ensure!(
            failed.iter().any(is_named),
            "the purchase of job `{job}` from {solver} has no end: neither an event says so, nor is \
             it named as unfinished"
        );
    }
    Ok(())
}

pub(super) fn check_bill(purchases: &Purchases, error: &SolveError) -> Result<(), String> {
    let ends = purchases.as_slice().iter();
    let of_events = ends.map(|p| p.settlement.map_or(Billed::Maybe, |end| end.billed));
    let of_jobs = error.unfinished_jobs().into_iter().map(|_| Billed::Maybe);
    let expected = of_events.chain(of_jobs).max().unwrap_or(Billed::No);
    let billed = error.billed();
    ensure!(
        billed == expected,
        "by its events and jobs, `billed` is `{expected}`, and the error says `{billed}`: {error}"
    );
    Ok(())
}

fn check_solution(purchases: &Purchases, solution: &Solution) -> Result<(), String> {
    for part in solution.contributors() {
        check_solution(purchases, part)?;
    }
    let purchases = purchases.as_slice();
    let is_billed = |p: &Purchase| p.settlement.is_some_and(|end| end.billed != Billed::No);
    ensure!(
        solution.cost() <= Some(Usd::ZERO) || purchases.iter().any(is_billed),
        "its answer cost money, and no event says that anything was billed"
    );
    let Some(job) = solution.job() else {
        return Ok(());
    };
    let is_its = |p: &&Purchase| p.job.as_ref() == Some(job);
    let Some(purchase) = purchases.iter().rfind(is_its) else {
        return Err(format!(
            "its answer is that of job {job}, and no event says that it was bought"
        ));
    };
    let told = purchase.settlement.and_then(|end| end.cost);
    if let Some((cost, told)) = solution.cost().zip(told) {
        ensure!(
            cost == told,
            "its answer cost ${cost}, and by its event ${told}"
        );
    }
    Ok(())
}

/// Whether both are known, and it is more than that.
pub(super) fn exceeds<T: PartialOrd>(it: Option<T>, most: Option<T>) -> bool {
    it.zip(most).is_some_and(|(it, most)| it > most)
}
