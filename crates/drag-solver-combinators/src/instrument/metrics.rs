//! What is counted of the calls of one place in a chain.

use drag_solver_core::{Billed, PaidJob, SolveError, Usd, Verdict};

use super::bill::{Line, bill};
use crate::inspect::{CallInfo, CallOutcome};
use crate::measure::{
    ANSWER_COST, CALL_DURATION, CALLS, CALLS_IN_FLIGHT, Held, PURCHASES, REPORTS, SPENT, change,
    count, observe,
};

pub(super) fn begun<'a>(scope: &'a str, chain: &'a str) -> Held<'a> {
    Held::of(CALLS_IN_FLIGHT, &[("scope", scope), ("solver", chain)])
}

pub(super) fn ended(scope: &str, call: &CallInfo<'_>, solver: &str, outcome: &str) {
    let labels = [("scope", scope), ("solver", solver), ("outcome", outcome)];
    count(CALLS, &labels, 1);
    observe(CALL_DURATION, &labels, call.elapsed.as_secs_f64());
    if let CallOutcome::Solved(solution) = call.outcome
        && let Some(cost) = solution.cost()
    {
        observe(ANSWER_COST, &labels[..2], cost.to_f64_lossy());
    }
}

/// What the call bought. An answer costs `price` if no solver says what it cost.
pub(super) fn billed(scope: &str, call: &CallInfo<'_>, brought: &[PaidJob], price: Option<Usd>) {
    let purchases = call.purchases();
    for line in bill(call.solver, &purchases, call.outcome, brought, price) {
        let Line {
            solver,
            bought,
            billed,
            cost,
        } = &line;
        let step = |step| {
            let labels = [("scope", scope), ("solver", &**solver), ("step", step)];
            count(PURCHASES, &labels, 1);
        };
        if *bought {
            step("bought");
            if let Some(cost) = cost {
                let labels = [("scope", scope), ("solver", &**solver)];
                change(SPENT, &labels, cost.to_f64_lossy());
            }
        }
        match billed {
            Some(Billed::No) => step("not_billed"),
            Some(Billed::Maybe) => step("maybe_billed"),
            Some(Billed::Yes) => step("billed"),
            None if *bought => step("unfinished"),
            None => {}
        }
    }
}

pub(super) fn reported(
    scope: &str,
    solver: &str,
    verdict: Verdict,
    outcome: &Result<(), SolveError>,
) {
    let outcome = match outcome {
        Ok(()) => "accepted",
        Err(error) => error.kind().as_str(),
    };
    let labels = [
        ("scope", scope),
        ("solver", solver),
        ("verdict", verdict.as_str()),
        ("outcome", outcome),
    ];
    count(REPORTS, &labels, 1);
}
