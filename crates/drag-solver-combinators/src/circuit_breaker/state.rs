//! The shared state of a breaker: a [`Machine`] under one lock.
//!
//! The loom models in `tests/loom.rs` compile this file too, over loom's locks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::CircuitBreakerPolicy;
use super::machine::{Machine, Refusal};
use super::transition::{CircuitState, Sample, Transition};
use crate::sync::{Mutex, lock};

/// The circuit of a [`CircuitBreaker`](crate::CircuitBreaker). Clones are the same circuit.
///
/// Make it yourself to put several solvers behind one circuit, or to look at it from outside:
/// `.circuit_breaker(&circuit)`.
///
/// ```
/// use drag_solver_combinators::{Circuit, CircuitBreakerPolicy, CircuitState, DragSolverExt};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// # let challenge = fixtures::challenge();
/// # let provider = MockSolver::new("example").always(ErrorKind::Unavailable);
/// let circuit = Circuit::new(CircuitBreakerPolicy::default().min_samples(1));
/// let solver = provider.circuit_breaker(&circuit);
///
/// solver.solve(&challenge).await.unwrap_err();
/// assert_eq!(circuit.state(), CircuitState::Open);
/// assert_eq!(circuit.probes_in().unwrap().as_secs(), 30);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Circuit(Arc<Mutex<Machine>>);

impl Circuit {
    /// A closed circuit.
    #[must_use]
    pub fn new(policy: CircuitBreakerPolicy) -> Self {
        Self(Arc::new(Mutex::new(Machine::new(policy))))
    }

    /// Its settings.
    #[must_use]
    pub fn policy(&self) -> CircuitBreakerPolicy {
        lock(&self.0).policy
    }

    /// Changes the settings, for all who share the circuit. What it knows stays: an open circuit stays
    /// open, for [`open_for`](CircuitBreakerPolicy::open_for) from when it opened; calls that ended are
    /// judged by the new thresholds from the next call that ends on; whether they were slow was decided
    /// when they ended.
    pub fn set_policy(&self, policy: CircuitBreakerPolicy) {
        self.set_policy_at(policy, Instant::now());
    }

    pub(crate) fn set_policy_at(&self, policy: CircuitBreakerPolicy, now: Instant) {
        let mut machine = lock(&self.0);
        machine.catch_up(now); // what the old settings decided is decided
        machine.policy = policy;
        machine.close_if_recovered();
    }

    /// Whether calls are let through right now.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.state_at(Instant::now())
    }

    pub(crate) fn state_at(&self, now: Instant) -> CircuitState {
        let mut machine = lock(&self.0);
        machine.catch_up(now);
        machine.state()
    }

    /// How long until an open circuit lets a probe through. `None` if it is not open, or if the clock
    /// does not reach as far.
    #[must_use]
    pub fn probes_in(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut machine = lock(&self.0);
        machine.catch_up(now);
        Some(machine.probes_at()? - now)
    }

    /// How many probes are under way. Zero unless it is half-open.
    #[must_use]
    pub fn probes(&self) -> usize {
        lock(&self.0).probes()
    }

    /// Lets a call through, or says why not; and the transitions that have yet to be logged.
    pub(crate) fn admit(&self, now: Instant) -> (Result<Admission, Refusal>, Vec<Transition>) {
        let mut machine = lock(&self.0);
        machine.catch_up(now);
        let admission = machine.admit(now).map(|()| Admission {
            circuit: self.clone(),
            slow_call: machine.policy.slow_call,
            generation: machine.generation,
            since: now,
            has_ended: false,
        });
        (admission, std::mem::take(&mut machine.transitions))
    }
}

/// A call that was let through. Dropped before its end, it never was.
#[derive(Debug)]
#[must_use]
pub(crate) struct Admission {
    circuit: Circuit,
    /// How long a call takes that is slow, by the settings that it began with.
    pub(crate) slow_call: Duration,
    /// The phase that let it through. It says nothing about a later one.
    generation: u64,
    since: Instant,
    has_ended: bool,
}

impl Admission {
    /// Counts how the call ended (`None` if that says nothing), and returns the transitions that have
    /// yet to be logged.
    pub(crate) fn end(mut self, sample: Option<Sample>, now: Instant) -> Vec<Transition> {
        self.has_ended = true;
        let mut machine = lock(&self.circuit.0);
        machine.catch_up(now);
        if machine.generation == self.generation {
            machine.free(self.since);
            if let Some(sample) = sample {
                machine.record(sample, now);
            }
        }
        std::mem::take(&mut machine.transitions)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if !self.has_ended {
            let mut machine = lock(&self.circuit.0);
            if machine.generation == self.generation {
                machine.free(self.since);
            }
        }
    }
}
