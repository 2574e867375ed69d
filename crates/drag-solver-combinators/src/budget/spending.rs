//! What one call comes to.

use drag_solver_core::{Billed, PaidJob, Purchases, Settlement, Solution, SolveError, Usd};

use super::account::Spending;

impl Spending {
    /// What a call of the solver `name` comes to. `outcome` is `None` if it was dropped; `brought` are the paid jobs that
    /// it was to resume; an answer of unknown cost counts as `price`.
    pub(super) fn of(
        name: &str,
        purchases: &Purchases,
        outcome: Option<&Result<Solution, SolveError>>,
        brought: &[PaidJob],
        price: Usd,
    ) -> Self {
        let untold = purchases.untold(name, outcome.map(Result::as_ref), brought);
        let mut spending = Self::default();
        for purchase in purchases.as_slice().iter().chain(&untold) {
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
        spending
    }
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
