//! What is counted and timed, with the feature `metrics`. Without it, nothing here does anything.

#[cfg(feature = "metrics")]
mod handles;
mod table;
#[cfg(test)]
#[cfg(feature = "metrics")]
pub(crate) mod tests;

#[cfg(feature = "metrics")]
pub use self::table::describe_metrics;
pub(crate) use self::table::*;
use crate::Circuit;
#[cfg(feature = "metrics")]
use crate::CircuitState;

/// The label that the metrics of an `Instrument` have besides those of the table, if its policy says so.
#[cfg_attr(not(feature = "metrics"), allow(dead_code))]
pub(crate) const LABEL: &str = "label";

/// What tells the values of a metric apart: few values for each, however many challenges there are.
pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Adds to a counter.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
#[inline]
pub(crate) fn count(metric: &Metric, labels: Labels<'_>, by: u64) {
    #[cfg(feature = "metrics")]
    handles::counter(metric, labels).increment(by);
}

/// Adds to a gauge, or takes from it.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
#[inline]
pub(crate) fn change(metric: &Metric, labels: Labels<'_>, by: f64) {
    #[cfg(feature = "metrics")]
    handles::gauge(metric, labels).increment(by);
}

/// Sets a gauge.
#[cfg(feature = "metrics")]
fn set(metric: &Metric, labels: Labels<'_>, value: f64) {
    handles::gauge(metric, labels).set(value);
}

/// Says in which state a circuit is. It is looked at for this alone.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
#[inline]
pub(crate) fn circuit(solver: &str, circuit: &Circuit) {
    #[cfg(feature = "metrics")]
    set(
        CIRCUIT_STATE,
        &[("solver", solver)],
        match circuit.state() {
            CircuitState::Closed => 0.0,
            CircuitState::HalfOpen => 1.0,
            CircuitState::Open => 2.0,
        },
    );
}

/// Adds a value to a histogram.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
#[inline]
pub(crate) fn observe(metric: &Metric, labels: Labels<'_>, value: f64) {
    #[cfg(feature = "metrics")]
    handles::histogram(metric, labels).record(value);
}

/// One more in a gauge, for as long as this lives.
#[must_use]
pub(crate) struct Held(#[cfg(feature = "metrics")] ::metrics::Gauge);

impl Held {
    #[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
    #[inline]
    pub(crate) fn of(metric: &Metric, labels: Labels<'_>) -> Self {
        #[cfg(feature = "metrics")]
        let gauge = handles::gauge(metric, labels);
        #[cfg(feature = "metrics")]
        gauge.increment(1.0);
        Self(
            #[cfg(feature = "metrics")]
            gauge,
        )
    }
}

#[cfg(feature = "metrics")]
impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
