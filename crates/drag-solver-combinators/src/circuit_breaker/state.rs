//! The shared state of a breaker: plain data that knows no clock, under one lock.
//!
//! The loom models in `tests/loom.rs` compile this file too, over loom's locks.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::ErrorKind;
use tokio::time::Instant;

use crate::sync::{Mutex, lock};

/// What a breaker goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) window_calls: u32,
    pub(crate) window_time: Duration,
    pub(crate) min_calls: u32,
    pub(crate) failure_ratio: f64,
    pub(crate) slow_call: Duration,
    pub(crate) slow_ratio: f64,
    pub(crate) open_for: Duration,
    pub(crate) probes: u32,
}

/// How a call ended that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) failure: Option<ErrorKind>,
    pub(crate) slow: bool,
}

impl Sample {
    fn is_good(self) -> bool {
        self.failure.is_none() && !self.slow
    }
}

/// Whether calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// All are.
    Closed,
    /// None is.
    Open,
    /// A few are, to find out whether the solver is back.
    HalfOpen,
}

impl CircuitState {
    /// The name used in logs and metrics, as in `"half_open"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Failures {
        failed: u32,
        of: u32,
        last: ErrorKind,
    },
    SlowCalls {
        slow: u32,
        of: u32,
    },
    FailedProbe(ErrorKind),
    SlowProbe,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures { failed, of, last } => {
                write!(
                    f,
                    "{failed} of the last {of} calls failed, this one with {last}"
                )
            }
            Self::SlowCalls { slow, of } => write!(f, "{slow} of the last {of} calls were slow"),
            Self::FailedProbe(kind) => write!(f, "the last probe failed with {kind}"),
            Self::SlowProbe => f.write_str("the last probe was slow"),
        }
    }
}

/// A change of state, to be told once the lock is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: CircuitState,
    pub(crate) to: CircuitState,
    /// Set if it opened.
    pub(crate) cause: Option<Cause>,
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Why it is open; `None` while probes are under way.
    pub(crate) cause: Option<Cause>,
    /// When it will be known more, if the clock reaches as far.
    pub(crate) retry_after: Option<Duration>,
}

/// The state of one circuit. Clones are the same circuit.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<Machine>>);

#[derive(Debug)]
struct Machine {
    limits: Limits,
    phase: Phase,
    /// Counts the phases. What was let through in an earlier one says nothing about this one.
    generation: u64,
    /// Never used twice, so that a probe of an earlier generation frees nobody else's place.
    next_probe: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Window),
    Open {
        /// `None` if the clock does not reach as far.
        until: Option<Instant>,
        cause: Cause,
    },
    HalfOpen {
        /// Probes under way, the oldest first.
        probes: VecDeque<Probe>,
        succeeded: u32,
    },
}

#[derive(Debug)]
struct Probe {
    id: u64,
    since: Instant,
}

impl Shared {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Mutex::new(Machine {
            limits,
            phase: Phase::Closed(Window::default()),
            generation: 0,
            next_probe: 0,
        })))
    }

    /// Lets a call through, or says why not.
    pub(crate) fn admit(&self, now: Instant) -> (Result<Admission, Refusal>, Vec<Change>) {
        let mut machine = lock(&self.0);
        let changes = machine.catch_up(now);
        let admission = machine.admit(now).map(|probe| Admission {
            circuit: self.clone(),
            generation: machine.generation,
            probe,
            is_open: true,
        });
        (admission, changes)
    }

    pub(crate) fn state(&self, now: Instant) -> CircuitState {
        let machine = lock(&self.0);
        match machine.due(now) {
            // Open for the time since, and then again half-open.
            Some(Phase::Open {
                until: Some(until), ..
            }) if until <= now => CircuitState::HalfOpen,
            Some(next) => next.state(),
            None => machine.phase.state(),
        }
    }

    /// Probes that are under way.
    pub(crate) fn probes(&self) -> usize {
        match &lock(&self.0).phase {
            Phase::HalfOpen { probes, .. } => probes.len(),
            _ => 0,
        }
    }
}

/// A call that was let through. Dropped before its end, it never was.
#[derive(Debug)]
#[must_use]
pub(crate) struct Admission {
    circuit: Shared,
    generation: u64,
    probe: Option<u64>,
    is_open: bool,
}

impl Admission {
    /// Counts how the call ended; `None` if that says nothing.
    pub(crate) fn end(mut self, sample: Option<Sample>, now: Instant) -> Vec<Change> {
        self.is_open = false;
        let mut machine = lock(&self.circuit.0);
        let mut changes = machine.catch_up(now);
        if machine.generation == self.generation {
            changes.extend(machine.record(self.probe, sample, now));
        }
        changes
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.is_open {
            lock(&self.circuit.0).free(self.probe);
        }
    }
}

impl Machine {
    /// The next phase, if it is time for one.
    fn due(&self, now: Instant) -> Option<Phase> {
        match &self.phase {
            Phase::Open {
                until: Some(until), ..
            } if *until <= now => Some(Phase::HalfOpen {
                probes: VecDeque::new(),
                succeeded: 0,
            }),
            // A probe that never ends must not keep everybody out: slow is a failure already.
            Phase::HalfOpen { probes, .. } => {
                let overdue = self.decided_by(probes.front()?).filter(|at| *at <= now)?;
                Some(Phase::Open {
                    until: overdue.checked_add(self.limits.open_for),
                    cause: Cause::SlowProbe,
                })
            }
            _ => None,
        }
    }

    /// When a probe counts as failed, whether it has ended or not.
    fn decided_by(&self, probe: &Probe) -> Option<Instant> {
        probe.since.checked_add(self.limits.slow_call)
    }

    /// Goes through the phases that time alone brings.
    fn catch_up(&mut self, now: Instant) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(next) = self.due(now) {
            changes.push(self.enter(next));
        }
        changes
    }

    fn enter(&mut self, next: Phase) -> Change {
        let change = Change {
            from: self.phase.state(),
            to: next.state(),
            cause: next.cause(),
        };
        self.phase = next;
        self.generation += 1;
        change
    }

    fn open(&mut self, cause: Cause, now: Instant) -> Change {
        self.enter(Phase::Open {
            until: now.checked_add(self.limits.open_for),
            cause,
        })
    }

    /// The id of the probe, if the call is one.
    fn admit(&mut self, now: Instant) -> Result<Option<u64>, Refusal> {
        let wait = |at: Option<Instant>| at.map(|at| at.saturating_duration_since(now));
        let oldest = match &self.phase {
            Phase::HalfOpen { probes, .. } => probes.front().and_then(|p| self.decided_by(p)),
            _ => None,
        };
        match &mut self.phase {
            Phase::Closed(_) => Ok(None),
            Phase::Open { until, cause } => Err(Refusal {
                cause: Some(*cause),
                retry_after: wait(*until),
            }),
            Phase::HalfOpen { probes, succeeded } => {
                let taken = u32::try_from(probes.len()).unwrap_or(u32::MAX);
                if taken.saturating_add(*succeeded) >= self.limits.probes {
                    return Err(Refusal {
                        cause: None,
                        retry_after: wait(oldest),
                    });
                }
                let id = self.next_probe;
                self.next_probe += 1;
                probes.push_back(Probe { id, since: now });
                Ok(Some(id))
            }
        }
    }

    fn free(&mut self, probe: Option<u64>) {
        if let (Phase::HalfOpen { probes, .. }, Some(id)) = (&mut self.phase, probe) {
            probes.retain(|probe| probe.id != id);
        }
    }

    fn record(
        &mut self,
        probe: Option<u64>,
        sample: Option<Sample>,
        now: Instant,
    ) -> Option<Change> {
        self.free(probe);
        let sample = sample?;
        match &mut self.phase {
            Phase::Closed(window) => {
                window.add(sample, now, &self.limits);
                let cause = window.judge(sample, &self.limits)?;
                Some(self.open(cause, now))
            }
            Phase::HalfOpen { succeeded, .. } if sample.is_good() => {
                *succeeded += 1;
                (*succeeded >= self.limits.probes)
                    .then(|| self.enter(Phase::Closed(Window::default())))
            }
            Phase::HalfOpen { .. } => {
                let cause = sample.failure.map_or(Cause::SlowProbe, Cause::FailedProbe);
                Some(self.open(cause, now))
            }
            Phase::Open { .. } => None, // nothing is let through while it is open
        }
    }
}

impl Phase {
    fn state(&self) -> CircuitState {
        match self {
            Self::Closed(_) => CircuitState::Closed,
            Self::Open { .. } => CircuitState::Open,
            Self::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    fn cause(&self) -> Option<Cause> {
        match self {
            Self::Open { cause, .. } => Some(*cause),
            _ => None,
        }
    }
}

/// The last calls.
#[derive(Debug, Default)]
struct Window {
    samples: VecDeque<(Instant, Sample)>,
    failed: u32,
    slow: u32,
}

impl Window {
    fn add(&mut self, sample: Sample, now: Instant, limits: &Limits) {
        let age = |at: Instant| now.saturating_duration_since(at);
        while let Some(&(at, _)) = self.samples.front() {
            if age(at) < limits.window_time && self.calls() < limits.window_calls {
                break;
            }
            self.forget_oldest();
        }
        self.failed += u32::from(sample.failure.is_some());
        self.slow += u32::from(sample.slow);
        self.samples.push_back((now, sample));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, sample)) = self.samples.pop_front() {
            self.failed -= u32::from(sample.failure.is_some());
            self.slow -= u32::from(sample.slow);
        }
    }

    fn calls(&self) -> u32 {
        u32::try_from(self.samples.len()).unwrap_or(u32::MAX)
    }

    /// Whether the `latest` call was the one too many. A good call never is, even if it pushes
    /// another good one out of the window.
    fn judge(&self, latest: Sample, limits: &Limits) -> Option<Cause> {
        let of = self.calls();
        if of < limits.min_calls {
            return None;
        }
        let reaches = |count: u32, ratio: f64| f64::from(count) / f64::from(of) >= ratio;
        match latest.failure {
            Some(last) if reaches(self.failed, limits.failure_ratio) => Some(Cause::Failures {
                failed: self.failed,
                of,
                last,
            }),
            _ if latest.slow && reaches(self.slow, limits.slow_ratio) => Some(Cause::SlowCalls {
                slow: self.slow,
                of,
            }),
            _ => None,
        }
    }
}
