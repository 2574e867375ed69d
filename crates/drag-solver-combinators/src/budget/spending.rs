//! What one call comes to: read from what its solver said of money, and only for a solver that says
//! nothing from how the call ended.

use drag_solver_core::{
    Attempt, Billed, PaidJob, Purchases, Settlement, Solution, SolveError, Usd,
};

use super::account::Spending;

impl Spending {
    /// What a call comes to. `outcome` is `None` if it was dropped; `brought` are the paid jobs that it
    /// was to resume; an answer of unknown cost counts as `price`.
    pub(super) fn of(
        purchases: &Purchases,
        outcome: Option<&Result<Solution, SolveError>>,
        brought: &[PaidJob],
        price: Usd,
    ) -> Self {
        let mut spending = Self::default();
        for purchase in purchases.as_slice() {
            let job = || Some(PaidJob::new(&*purchase.solver, purchase.job.clone()?));
            match (purchase.resumed, purchase.settlement) {
                (false, None) => spending.spends.push((price, job())),
                (false, Some(end)) if end.billed == Billed::No => {}
                (false, Some(end)) => spending.spends.push((end.cost.unwrap_or(price), None)),
                (true, Some(end)) => spending
                    .ended
                    .extend(job().map(|job| (job, real_cost(end)))),
                (true, None) => {}
            }
        }
        match outcome {
            Some(Ok(solution)) => {
                let failed = solution.failed_attempts();
                spending.add_untold(purchases, failed, brought, price);
                spending.add_untold_answer(purchases, solution, brought, price);
            }
            Some(Err(error)) => spending.add_untold(purchases, &error.attempts(), brought, price),
            None if purchases.is_silent() && brought.is_empty() => {
                spending.spends.push((price, None));
            }
            None => {}
        }
        spending
    }

    /// An answer, or those that agreed on it, of solvers that told of no purchase.
    fn add_untold_answer(
        &mut self,
        purchases: &Purchases,
        answer: &Solution,
        brought: &[PaidJob],
        price: Usd,
    ) {
        for part in answer.contributors() {
            self.add_untold_answer(purchases, part, brought, price);
        }
        if !answer.contributors().is_empty() || has_bought(purchases, answer.solver()) {
            return;
        }
        let job = answer
            .job()
            .map(|job| PaidJob::new(answer.solver(), job.clone()));
        let cost = answer.cost().filter(|cost| !cost.is_negative());
        if let Some(job) = job.filter(|job| brought.contains(job)) {
            self.ended.push((job, cost));
        } else if cost.is_some() || !purchases.spoke(answer.solver()) {
            self.spends.push((cost.unwrap_or(price), None));
        }
    }

    /// Failed attempts of a solver that told of no purchase. The jobs that the challenge brought were
    /// bought by somebody else.
    fn add_untold(
        &mut self,
        purchases: &Purchases,
        attempts: &[Attempt],
        brought: &[PaidJob],
        price: Usd,
    ) {
        // An attempt may be told under the name of a chain, so no attempt is matched with the events.
        if !purchases.as_slice().is_empty() {
            return;
        }
        let billed = attempts
            .iter()
            .filter(|attempt| attempt.billed != Billed::No);
        for attempt in billed {
            let own = attempt.jobs.iter().filter(|job| !brought.contains(job));
            let spends = own.map(|job| (price, Some(job.clone())));
            self.spends.extend(spends);
            if attempt.jobs.is_empty() {
                let cost = attempt.cost.filter(|cost| !cost.is_negative());
                self.spends.push((cost.unwrap_or(price), None));
            }
        }
    }
}

/// Whether the events tell of a purchase from `solver`, or of a job that it resumed.
fn has_bought(purchases: &Purchases, solver: &str) -> bool {
    let mut all = purchases.as_slice().iter();
    all.any(|purchase| purchase.solver == solver)
}

/// What a job of an earlier call cost, where that is known to differ from what was booked for it.
fn real_cost(end: Settlement) -> Option<Usd> {
    match end.billed {
        Billed::No => Some(Usd::ZERO),
        _ => end.cost,
    }
}

#[cfg(test)]
#[path = "spending_tests.rs"]
mod tests;
