//! The shared state of a breaker: plain data under one lock.
//!
//! The loom models in `tests/loom.rs` compile this file too, over loom's locks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::CircuitBreakerPolicy;
use super::transition::{Cause, CircuitState, Sample, Transition};
use crate::sync::{Mutex, lock};

/// More calls than this are not remembered: each takes memory.
pub(crate) const MAX_SAMPLES: u32 = 100_000;

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
        Self(Arc::new(Mutex::new(Machine {
            policy,
            phase: Phase::Closed(VecDeque::new()),
            generation: 0,
            transitions: Vec::new(),
        })))
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
        machine.phase.state()
    }

    /// How long until an open circuit lets a probe through. `None` if it is not open, or if the clock
    /// does not reach as far.
    #[must_use]
    pub fn probes_in(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut machine = lock(&self.0);
        machine.catch_up(now);
        match machine.phase {
            Phase::Open { since, .. } => Some(machine.open_until(since)? - now),
            _ => None,
        }
    }

    /// How many probes are under way. Zero unless it is half-open.
    #[must_use]
    pub fn probes(&self) -> usize {
        match &lock(&self.0).phase {
            Phase::HalfOpen { probes, .. } => probes.len(),
            _ => 0,
        }
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

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Why it is open; `None` while probes are under way.
    pub(crate) cause: Option<Cause>,
    /// When more will be known, if the clock reaches as far.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Debug)]
struct Machine {
    policy: CircuitBreakerPolicy,
    phase: Phase,
    /// Counts the phases.
    generation: u64,
    /// Those that have yet to be logged.
    transitions: Vec<Transition>,
}

#[derive(Debug)]
enum Phase {
    /// The last calls, and when they ended.
    Closed(VecDeque<(Instant, Sample)>),
    Open {
        since: Instant,
        cause: Cause,
    },
    HalfOpen {
        /// When the probes under way began. Two that began together are as good as each other.
        probes: Vec<Instant>,
        succeeded: usize,
    },
}

impl Phase {
    fn state(&self) -> CircuitState {
        match self {
            Self::Closed(_) => CircuitState::Closed,
            Self::Open { .. } => CircuitState::Open,
            Self::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }
}

impl Machine {
    /// Goes through the phases that time alone brings.
    fn catch_up(&mut self, now: Instant) {
        loop {
            match &self.phase {
                Phase::Open { since, .. } => match self.open_until(*since) {
                    Some(until) if until <= now => {
                        let (probes, succeeded) = (Vec::new(), 0);
                        self.enter(Phase::HalfOpen { probes, succeeded }, None);
                    }
                    _ => return,
                },
                // A probe that never ends must not keep out all others: slow is a failure already.
                Phase::HalfOpen { probes, .. } => match self.decided_at(probes) {
                    Some(at) if at <= now => self.open(Cause::SlowProbe, at),
                    _ => return,
                },
                Phase::Closed(_) => return,
            }
        }
    }

    /// When a circuit that opened then lets probes through; `None` if the clock does not reach as far.
    fn open_until(&self, since: Instant) -> Option<Instant> {
        since.checked_add(self.policy.open_for)
    }

    /// When the oldest probe counts as failed, whether it has ended or not.
    fn decided_at(&self, probes: &[Instant]) -> Option<Instant> {
        probes.iter().min()?.checked_add(self.policy.slow_call)
    }

    fn open(&mut self, cause: Cause, at: Instant) {
        self.enter(Phase::Open { since: at, cause }, Some(cause));
    }

    /// As many probes have succeeded as are asked for.
    fn close_if_recovered(&mut self) {
        let needed = self.policy.probes.get() as usize;
        if matches!(&self.phase, Phase::HalfOpen { succeeded, .. } if *succeeded >= needed) {
            self.enter(Phase::Closed(VecDeque::new()), None);
        }
    }

    fn enter(&mut self, next: Phase, cause: Option<Cause>) {
        self.transitions.push(Transition {
            from: self.phase.state(),
            to: next.state(),
            cause,
        });
        self.phase = next;
        self.generation += 1;
    }

    fn admit(&mut self, now: Instant) -> Result<(), Refusal> {
        let (cause, until) = match &self.phase {
            Phase::Closed(_) => return Ok(()),
            Phase::Open { since, cause } => (Some(*cause), self.open_until(*since)),
            Phase::HalfOpen { probes, .. } => (None, self.decided_at(probes)),
        };
        let allowed = self.policy.probes.get() as usize;
        if let Phase::HalfOpen { probes, succeeded } = &mut self.phase
            && probes.len() + *succeeded < allowed
        {
            probes.push(now);
            return Ok(());
        }
        let retry_after = until.map(|at| at.saturating_duration_since(now));
        Err(Refusal { cause, retry_after })
    }

    /// Frees the place of a probe that began then.
    fn free(&mut self, since: Instant) {
        if let Phase::HalfOpen { probes, .. } = &mut self.phase
            && let Some(probe) = probes.iter().position(|&probe| probe == since)
        {
            probes.swap_remove(probe);
        }
    }

    fn record(&mut self, sample: Sample, now: Instant) {
        match &mut self.phase {
            Phase::Closed(samples) => {
                remember(samples, sample, now, &self.policy);
                if let Some(cause) = judge(samples, sample, &self.policy) {
                    self.open(cause, now);
                }
            }
            Phase::HalfOpen { succeeded, .. } if sample.is_good() => {
                *succeeded += 1;
                self.close_if_recovered();
            }
            Phase::HalfOpen { .. } => {
                let cause = sample.failure.map_or(Cause::SlowProbe, Cause::FailedProbe);
                self.open(cause, now);
            }
            Phase::Open { .. } => {} // nothing is let through while it is open
        }
    }
}

fn samples_kept(policy: &CircuitBreakerPolicy) -> usize {
    policy.max_samples.get().min(MAX_SAMPLES) as usize
}

fn remember(
    samples: &mut VecDeque<(Instant, Sample)>,
    sample: Sample,
    now: Instant,
    policy: &CircuitBreakerPolicy,
) {
    while let Some(&(at, _)) = samples.front() {
        let is_recent = now.saturating_duration_since(at) < policy.window;
        if is_recent && samples.len() < samples_kept(policy) {
            break;
        }
        samples.pop_front();
    }
    samples.push_back((now, sample));
}

/// Whether the `latest` call was the one too many. A good call never is, even if it pushes another
/// good one out of the window.
fn judge(
    samples: &VecDeque<(Instant, Sample)>,
    latest: Sample,
    policy: &CircuitBreakerPolicy,
) -> Option<Cause> {
    let of = samples.len();
    let needed = samples_kept(policy).min(policy.min_samples.get() as usize);
    if latest.is_good() || of < needed {
        return None;
    }
    let failed = samples.iter().filter(|(_, s)| s.failure.is_some()).count();
    let slow = samples.iter().filter(|(_, s)| s.slow).count();
    #[allow(clippy::cast_precision_loss)] // there are at most 100,000
    let share = |part: usize| part as f64 / of as f64;
    match latest.failure {
        Some(last) if share(failed) >= policy.failure_ratio.get() => {
            Some(Cause::Failures { failed, of, last })
        }
        _ if latest.slow && share(slow) >= policy.slow_ratio.get() => {
            Some(Cause::SlowCalls { slow, of })
        }
        _ => None,
    }
}
