//! What one call comes to for a budget.

use drag_solver_core::{Billed, PaidJob, Purchases, Usd};

use super::account::Spending;
use crate::inspect::{CallOutcome, each_purchase};

impl Spending {
    /// What a call of `solver` comes to that ended like this. `brought` are the paid jobs that it was to resume; an answer of unknown cost counts as
    /// `price`.
    pub(super) fn of(
        solver: &str,
        purchases: &Purchases,
        outcome: CallOutcome<'_>,
        brought: &[PaidJob],
        price: Usd,
    ) -> Self {
        let mut spending = Self::default();
        each_purchase(solver, purchases, outcome, brought, |purchase| {
            match (purchase.resumed, purchase.settlement) {
                (false, None) => spending.spends.push((price, purchase.paid_job())),
                (false, Some(end)) if end.billed == Billed::No => {}
                (false, Some(end)) => spending.spends.push((end.cost.unwrap_or(price), None)),
                (true, Some(end)) => {
                    let is_free = end.billed == Billed::No;
                    let cost = if is_free { Some(Usd::ZERO) } else { end.cost };
                    spending
                        .ended
                        .extend(purchase.paid_job().map(|job| (job, cost)));
                }
                (true, None) => {}
            }
        });
        spending
    }
}

#[cfg(test)]
#[path = "spending_tests.rs"]
mod tests;
