//! The metrics, by name.

use ::metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use drag_solver_core::{SolveError, Verdict};

use crate::inspect::{CallInfo, CallOutcome};

const CALLS: &str = "drag_solver_calls_total";
const DURATION: &str = "drag_solver_call_duration_seconds";
const IN_FLIGHT: &str = "drag_solver_calls_in_flight";
const COST: &str = "drag_solver_answer_cost_usd";
const REPORTS: &str = "drag_solver_reports_total";

/// Explains the metrics of [`Instrument`](crate::Instrument) to the installed recorder. Call it
/// once, after the recorder was installed.
pub fn describe_metrics() {
    describe_counter!(CALLS, Unit::Count, "Calls of a solver that are over.");
    describe_histogram!(DURATION, Unit::Seconds, "How long calls took.");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Calls under way.");
    describe_histogram!(
        COST,
        "What answers cost, in US dollars, if cost or price is known."
    );
    describe_counter!(REPORTS, Unit::Count, "Reports of right and wrong answers.");
}

fn labels<const N: usize>(pairs: [(&'static str, &str); N]) -> [(&'static str, String); N] {
    pairs.map(|(name, value)| (name, value.to_owned()))
}

pub(super) fn begun(scope: &str, chain: &str) {
    gauge!(IN_FLIGHT, &labels([("scope", scope), ("solver", chain)])).increment(1.0);
}

pub(super) fn ended(scope: &str, call: &CallInfo<'_>, solver: &str, outcome: &str) {
    gauge!(
        IN_FLIGHT,
        &labels([("scope", scope), ("solver", call.solver)])
    )
    .decrement(1.0);
    if let CallOutcome::Solved(solution) = call.outcome
        && let Some(cost) = solution.cost()
    {
        let labels = labels([("scope", scope), ("solver", solver)]);
        histogram!(COST, &labels).record(cost.to_f64_lossy());
    }
    let labels = labels([("scope", scope), ("solver", solver), ("outcome", outcome)]);
    counter!(CALLS, &labels).increment(1);
    histogram!(DURATION, &labels).record(call.elapsed.as_secs_f64());
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
    let labels = labels([
        ("scope", scope),
        ("solver", solver),
        ("verdict", verdict.as_str()),
        ("outcome", outcome),
    ]);
    counter!(REPORTS, &labels).increment(1);
}
