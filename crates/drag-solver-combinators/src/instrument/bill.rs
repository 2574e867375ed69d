//! What a call bought, and what that costs: read from what its solvers said of money, and only for those
//! that say nothing from how the call ended.

use drag_solver_core::{Attempt, Billed, JobId, PaidJob, Purchases, Solution, Usd};

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
    let price_of = |solver: &str| named_cost(outcome, solver).or(price);
    let line = |solver: &str, bought: bool, billed: Option<Billed>, cost: Option<Usd>| Line {
        cost: cost
            .or_else(|| price_of(solver))
            .filter(|_| billed != Some(Billed::No)),
        solver: solver.to_owned(),
        bought,
        billed,
    };
    let told = purchases.as_slice().iter().map(|purchase| {
        let end = purchase.settlement;
        let cost = end.and_then(|end| end.cost);
        let billed = end.map(|end| end.billed);
        line(&purchase.solver, !purchase.resumed, billed, cost)
    });
    let mut lines: Vec<Line> = told.collect();
    let is_new = |solver: &str, job: Option<&JobId>| {
        job.is_none_or(|job| !brought.contains(&PaidJob::new(solver, job.clone())))
    };
    if let CallOutcome::Solved(solution) = outcome {
        for answer in answers(solution) {
            let solver = answer.solver();
            if !purchases.spoke(solver) {
                let is_new = is_new(solver, answer.job());
                lines.push(line(solver, is_new, Some(Billed::Yes), answer.cost()));
            }
        }
    }
    // An attempt may be told under the name of a chain, so none is matched with the events.
    if purchases.as_slice().is_empty() {
        for attempt in attempts(outcome)
            .iter()
            .filter(|one| one.billed != Billed::No)
        {
            let solver = attempt.solver.as_deref().unwrap_or(chain);
            let open = attempt.jobs.iter().filter(|job| !brought.contains(job));
            lines.extend(open.map(|job| line(&job.solver, true, None, attempt.cost)));
            if attempt.jobs.is_empty() {
                lines.push(line(solver, true, Some(attempt.billed), attempt.cost));
            }
        }
        let is_dropped = matches!(outcome, CallOutcome::Dropped);
        if is_dropped && purchases.is_silent() && brought.is_empty() {
            lines.push(line(chain, true, None, None));
        }
    }
    lines
}

/// The answer, or those that agreed on it.
fn answers(solution: &Solution) -> Vec<&Solution> {
    match solution.contributors() {
        [] => vec![solution],
        parts => parts.iter().flat_map(answers).collect(),
    }
}

fn attempts(outcome: CallOutcome<'_>) -> Vec<Attempt> {
    match outcome {
        CallOutcome::Solved(solution) => solution.failed_attempts().to_vec(),
        CallOutcome::Failed(error) => error.attempts(),
        CallOutcome::Dropped => Vec::new(),
    }
}

/// What the outcome says of the cost of an answer of this solver.
fn named_cost(outcome: CallOutcome<'_>, solver: &str) -> Option<Usd> {
    let answered = match outcome {
        CallOutcome::Solved(solution) => answers(solution),
        _ => Vec::new(),
    };
    let answered = answered
        .into_iter()
        .find(|answer| answer.solver() == solver);
    answered.and_then(Solution::cost).or_else(|| {
        let attempts = attempts(outcome);
        let mut of_solver = attempts
            .iter()
            .filter(|one| one.solver.as_deref() == Some(solver));
        of_solver.find_map(|attempt| attempt.cost)
    })
}
