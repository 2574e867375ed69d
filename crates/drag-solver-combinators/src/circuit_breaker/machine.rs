//! What a breaker knows and how it decides: plain data, and time is what it is told.
//!
//! The loom models in `tests/loom.rs` compile this file too.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::CircuitBreakerPolicy;
use super::transition::{Cause, CircuitState, Sample, Transition};

/// More calls than this are not remembered: each takes memory.
pub(crate) const MAX_SAMPLES: u32 = 100_000;

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Why it is open; `None` while probes are under way.
    pub(crate) cause: Option<Cause>,
    /// When more will be known, if the clock reaches as far.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) policy: CircuitBreakerPolicy,
    phase: Phase,
    /// Counts the phases.
    pub(crate) generation: u64,
    /// Those that have yet to be logged.
    pub(crate) transitions: Vec<Transition>,
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
    pub(crate) fn new(policy: CircuitBreakerPolicy) -> Self {
        Self {
            policy,
            phase: Phase::Closed(VecDeque::new()),
            generation: 0,
            transitions: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> CircuitState {
        self.phase.state()
    }

    /// When an open circuit lets a probe through.
    pub(crate) fn probes_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open { since, .. } => self.open_until(since),
            _ => None,
        }
    }

    /// How many probes are under way.
    pub(crate) fn probes(&self) -> usize {
        match &self.phase {
            Phase::HalfOpen { probes, .. } => probes.len(),
            _ => 0,
        }
    }

    /// Goes through the phases that time alone brings.
    pub(crate) fn catch_up(&mut self, now: Instant) {
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
    pub(crate) fn close_if_recovered(&mut self) {
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

    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Refusal> {
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
    pub(crate) fn free(&mut self, since: Instant) {
        if let Phase::HalfOpen { probes, .. } = &mut self.phase
            && let Some(probe) = probes.iter().position(|&probe| probe == since)
        {
            probes.swap_remove(probe);
        }
    }

    pub(crate) fn record(&mut self, sample: Sample, now: Instant) {
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
