//! The metrics, by name.

use std::time::Duration;

use ::metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram};
use ::metrics::{gauge, histogram};
use drag_solver_core::{Solution, SolveError, Verdict};

const CALLS: &str = "drag_solver_calls_total";
const DURATION: &str = "drag_solver_call_duration_seconds";
const IN_FLIGHT: &str = "drag_solver_calls_in_flight";
const COST: &str = "drag_solver_answer_cost_usd";
const REPORTS: &str = "drag_solver_reports_total";

/// Tells the installed recorder what the metrics of [`Instrument`](crate::Instrument) mean. Call it
/// once, after the recorder was installed.
pub fn describe_metrics() {
    describe_counter!(CALLS, Unit::Count, "Calls of a solver that are over.");
    describe_histogram!(DURATION, Unit::Seconds, "How long calls took.");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Calls under way.");
    describe_histogram!(
        COST,
        "What answers cost, in US dollars, if the provider said."
    );
    describe_counter!(REPORTS, Unit::Count, "Reports of right and wrong answers.");
}

fn label(text: &str) -> String {
    text.to_owned()
}

pub(super) fn begun(scope: &str, solver: &str) {
    gauge!(IN_FLIGHT, "scope" => label(scope), "provider" => label(solver)).increment(1.0);
}

pub(super) fn ended(
    scope: &str,
    solver: &str,
    provider: &str,
    outcome: &'static str,
    elapsed: Duration,
) {
    gauge!(IN_FLIGHT, "scope" => label(scope), "provider" => label(solver)).decrement(1.0);
    counter!(
        CALLS,
        "scope" => label(scope), "provider" => label(provider), "outcome" => outcome
    )
    .increment(1);
    histogram!(
        DURATION,
        "scope" => label(scope), "provider" => label(provider), "outcome" => outcome
    )
    .record(elapsed.as_secs_f64());
}

pub(super) fn answered(scope: &str, solution: &Solution) {
    if let Some(cost) = solution.cost() {
        let provider = label(solution.provider());
        histogram!(COST, "scope" => label(scope), "provider" => provider)
            .record(cost.to_f64_lossy());
    }
}

pub(super) fn reported(
    scope: &str,
    provider: &str,
    verdict: Verdict,
    outcome: &Result<(), SolveError>,
) {
    let verdict = match verdict {
        Verdict::Correct => "correct",
        Verdict::Incorrect => "incorrect",
    };
    let outcome = match outcome {
        Ok(()) => "accepted",
        Err(error) => error.kind().as_str(),
    };
    counter!(
        REPORTS,
        "scope" => label(scope), "provider" => label(provider),
        "verdict" => verdict, "outcome" => outcome
    )
    .increment(1);
}
