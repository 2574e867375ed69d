//! What a call bought, and what that costs.

use drag_solver_core::{Billed, PaidJob, Purchase, Purchases, Usd, named_cost};

use crate::inspect::CallOutcome;

/// A purchase, or the end of one that an earlier call made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) solver: String,
    /// Whether this call bought it. Its money is spent once, by the call that bought it.
    pub(super) bought: bool,
    /// `None` if it has no end yet.
    pub(super) billed: Option<Billed>,
    /// What it costs, if that is known and it is, or may be, billed.
    pub(super) cost: Option<Usd>,
}

/// The bill of one call. `chain` is the name of the solver that was called, `brought` are the paid jobs of
/// its challenge, and `price` is what an answer costs if no solver says it.
pub(super) fn bill(
    chain: &str,
    purchases: &Purchases,
    outcome: CallOutcome<'_>,
    brought: &[PaidJob],
    price: Option<Usd>,
) -> Vec<Line> {
    let outcome = match outcome {
        CallOutcome::Solved(solution) => Some(Ok(solution)),
        CallOutcome::Failed(error) => Some(Err(error)),
        CallOutcome::Dropped => None,
    };
    let untold = purchases.untold(chain, outcome, brought);
    let all = purchases.as_slice().iter().chain(&untold);
    let line = |purchase: &Purchase| {
        let (solver, job) = (&*purchase.solver, purchase.job.as_ref());
        let billed = purchase.settlement.map(|end| end.billed);
        let cost = purchase.settlement.and_then(|end| end.cost);
        let cost = cost.or_else(|| named_cost(outcome, solver, job)).or(price);
        Line {
            solver: solver.to_owned(),
            bought: !purchase.resumed,
            billed,
            cost: cost.filter(|_| billed != Some(Billed::No)),
        }
    };
    all.map(line).collect()
}
