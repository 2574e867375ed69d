//! What a call bought, and what that costs, as the metrics count it.

use drag_solver_core::{Billed, Brought, Usd, named_cost};

use crate::inspect::CallInfo;

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

/// The bill of one call. `brought` are the paid jobs of its challenge, and `price` is what an answer costs if no
/// solver says it.
pub(super) fn bill(call: &CallInfo<'_>, brought: &Brought, price: Option<Usd>) -> Vec<Line> {
    let mut lines = Vec::new();
    call.each_purchase(brought, |purchase| {
        let (solver, job) = (purchase.solver, purchase.job);
        let billed = purchase.settlement.map(|end| end.billed);
        let cost = purchase.settlement.and_then(|end| end.cost);
        let cost = cost.or_else(|| named_cost(call.outcome.as_result(), solver, job));
        lines.push(Line {
            solver: solver.to_owned(),
            bought: !purchase.resumed,
            billed,
            cost: cost.or(price).filter(|_| billed != Some(Billed::No)),
        });
    });
    lines
}
