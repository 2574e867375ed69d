//! The metrics: their names, and what people are told of them. `metrics.md` says the same, and a test holds
//! the two against each other.

#![cfg_attr(not(feature = "metrics"), allow(dead_code))]

/// What is counted, timed or measured.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    pub(crate) labels: &'static [&'static str],
    pub(crate) about: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Seconds,
    UsDollars,
    /// A number that stands for a state.
    State,
}

/// Writes each as a constant, and all of them as a list.
macro_rules! metrics {
    ($($id:ident: $kind:ident of $unit:ident, $name:literal, [$($label:literal),+], $about:literal;)+) => {
        $(pub(crate) const $id: &Metric = &Metric {
            name: $name,
            kind: Kind::$kind,
            unit: Unit::$unit,
            labels: &[$($label),+],
            about: $about,
        };)+

        /// All of them, in the order of the page.
        pub(crate) const METRICS: &[&Metric] = &[$($id),+];
    };
}

metrics! {
    CALLS: Counter of Count, "drag_solver_calls_total", ["scope", "solver", "outcome"],
        "calls that are over";
    CALL_DURATION: Histogram of Seconds, "drag_solver_call_duration_seconds", ["scope", "solver", "outcome"],
        "how long calls took";
    CALLS_IN_FLIGHT: Gauge of Count, "drag_solver_calls_in_flight", ["scope", "solver"],
        "calls under way";
    ANSWER_COST: Histogram of UsDollars, "drag_solver_answer_cost_usd", ["scope", "solver"],
        "what answers cost, of those whose cost or price is known";
    REPORTS: Counter of Count, "drag_solver_reports_total", ["scope", "solver", "verdict", "outcome"],
        "reports of right and wrong answers";
    SPENT: Gauge of UsDollars, "drag_solver_spent_usd", ["scope", "solver"],
        "money spent or perhaps spent since the program began, where cost or price is known; only rises";
    PURCHASES: Counter of Count, "drag_solver_purchases_total", ["scope", "solver", "step"],
        "answers `bought`, and how they ended: `billed`, `maybe_billed`, `not_billed`, or `unfinished` when the call was over";
    RETRIES: Counter of Count, "drag_solver_retries_total", ["solver", "resumes"],
        "further attempts; `resumes` is `true` of those that fetch what is paid for";
    HEDGES: Counter of Count, "drag_solver_hedges_total", ["solver", "outcome"],
        "solvers `asked` because another took long, and of those: `won`, `lost`";
    ABANDONED: Counter of Count, "drag_solver_abandoned_answers_total", ["solver"],
        "answers that may be billed and that a hedge or quorum did not wait for";
    ABANDONED_COST: Gauge of UsDollars, "drag_solver_abandoned_cost_usd", ["solver"],
        "what those cost at most, where a price is known; only rises";
    CIRCUIT_STATE: Gauge of State, "drag_solver_circuit_state", ["solver"],
        "the circuit as the last call saw it: 0 closed, 1 half-open, 2 open";
    CIRCUIT_TRANSITIONS: Counter of Count, "drag_solver_circuit_transitions_total", ["solver", "to"],
        "changes of a circuit's state";
    PERMITS: Gauge of Count, "drag_solver_permits_in_flight", ["solver"],
        "calls that have a permit of a concurrency limit";
    WAITING: Gauge of Count, "drag_solver_waiting", ["solver", "reason"],
        "calls that wait on this side, for a `permit` or for their `turn`";
    WAIT_DURATION: Histogram of Seconds, "drag_solver_wait_duration_seconds", ["solver", "reason"],
        "how long calls waited that had to wait, also in vain";
    BUDGET_REFUSALS: Counter of Count, "drag_solver_budget_refusals_total", ["solver"],
        "calls and purchases that there was no money for";
}

/// Explains the metrics to the installed recorder. Call it once, after the recorder was installed.
///
/// The [table](crate::Instrument#the-metrics) lists them.
#[cfg(feature = "metrics")]
pub fn describe_metrics() {
    use ::metrics::{describe_counter, describe_gauge, describe_histogram};

    for metric in METRICS {
        let unit = match metric.unit {
            Unit::Count => Some(::metrics::Unit::Count),
            Unit::Seconds => Some(::metrics::Unit::Seconds),
            Unit::UsDollars | Unit::State => None, // the crate has none for them
        };
        let in_usd = if metric.unit == Unit::UsDollars {
            "In US dollars: "
        } else {
            ""
        };
        let about = format!("{in_usd}{}.", metric.about);
        match (metric.kind, unit) {
            (Kind::Counter, Some(unit)) => describe_counter!(metric.name, unit, about),
            (Kind::Counter, None) => describe_counter!(metric.name, about),
            (Kind::Gauge, Some(unit)) => describe_gauge!(metric.name, unit, about),
            (Kind::Gauge, None) => describe_gauge!(metric.name, about),
            (Kind::Histogram, Some(unit)) => describe_histogram!(metric.name, unit, about),
            (Kind::Histogram, None) => describe_histogram!(metric.name, about),
        }
    }
}
