//! The state machine alone, with instants made up.

use std::time::Duration;

use drag_solver_core::ErrorKind;
use tokio::time::Instant;

use super::state::{Admission, Cause, CircuitState, Limits, Refusal, Sample, Shared};
use crate::testing::secs;

const OPEN_FOR: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(45);

fn limits() -> Limits {
    Limits {
        window_calls: 6,
        window_time: secs(100),
        min_calls: 4,
        failure_ratio: 0.5,
        slow_call: SLOW,
        slow_ratio: 0.75,
        open_for: OPEN_FOR,
        probes: 2,
    }
}

/// A circuit and a clock.
struct Circuit {
    shared: Shared,
    now: Instant,
}

const GOOD: Option<Sample> = Some(Sample {
    failure: None,
    slow: false,
});

const BAD: Option<Sample> = Some(Sample {
    failure: Some(ErrorKind::Unavailable),
    slow: false,
});

const TARDY: Option<Sample> = Some(Sample {
    failure: None,
    slow: true,
});

impl Circuit {
    fn new(limits: Limits) -> Self {
        Self {
            shared: Shared::new(limits),
            now: Instant::now(),
        }
    }

    /// One that has just opened.
    fn open() -> Self {
        let circuit = Self::new(limits());
        for _ in 0..4 {
            circuit.call(BAD);
        }
        assert_eq!(circuit.state(), CircuitState::Open);
        circuit
    }

    fn half_open() -> Self {
        let mut circuit = Self::open();
        circuit.now += OPEN_FOR;
        assert_eq!(circuit.state(), CircuitState::HalfOpen);
        circuit
    }

    fn state(&self) -> CircuitState {
        self.shared.state(self.now)
    }

    fn begin(&self) -> Result<Admission, Refusal> {
        self.shared.admit(self.now).0
    }

    fn end(&self, call: Admission, sample: Option<Sample>) {
        let _ = call.end(sample, self.now);
    }

    fn call(&self, sample: Option<Sample>) {
        let call = self.begin().unwrap();
        self.end(call, sample);
    }
}

#[test]
fn it_does_not_judge_by_too_few_calls() {
    let circuit = Circuit::new(limits());
    for _ in 0..3 {
        circuit.call(BAD);
        assert_eq!(circuit.state(), CircuitState::Closed);
    }
    circuit.call(BAD);
    assert_eq!(circuit.state(), CircuitState::Open);
}

#[test]
fn it_opens_at_the_ratio_and_not_before() {
    let circuit = Circuit::new(limits());
    for sample in [GOOD, GOOD, GOOD, BAD, BAD] {
        circuit.call(sample);
    }
    assert_eq!(circuit.state(), CircuitState::Closed, "2 of 5");
    circuit.call(BAD);
    assert_eq!(circuit.state(), CircuitState::Open, "3 of 6");
    let of_twenty = Limits {
        window_calls: 20,
        min_calls: 20,
        failure_ratio: 0.55,
        ..limits()
    };
    for failed in [10, 11] {
        let circuit = Circuit::new(of_twenty);
        (failed..20).for_each(|_| circuit.call(GOOD));
        (0..failed).for_each(|_| circuit.call(BAD));
        let opened = circuit.state() == CircuitState::Open;
        assert_eq!(opened, failed == 11, "{failed} of 20, and 0.55 * 20 > 11.0");
    }
}

#[test]
fn only_the_last_calls_count() {
    let circuit = Circuit::new(limits());
    for sample in [BAD, GOOD, GOOD, GOOD, BAD, GOOD] {
        circuit.call(sample);
    }
    circuit.call(BAD); // the first failure is forgotten: 2 of 6
    assert_eq!(circuit.state(), CircuitState::Closed);
    circuit.call(BAD); // a good one is forgotten: 3 of 6
    assert_eq!(circuit.state(), CircuitState::Open);
}

#[test]
fn old_calls_do_not_count_to_the_millisecond() {
    for (age, opened) in [(99_999, true), (100_000, false)] {
        let mut circuit = Circuit::new(limits());
        for _ in 0..3 {
            circuit.call(BAD);
        }
        circuit.now += Duration::from_millis(age);
        circuit.call(BAD);
        assert_eq!(circuit.state() == CircuitState::Open, opened, "{age} ms");
    }
}

#[test]
fn slow_calls_open_it_too() {
    let circuit = Circuit::new(limits());
    for sample in [GOOD, TARDY, TARDY] {
        circuit.call(sample);
    }
    assert_eq!(circuit.state(), CircuitState::Closed);
    circuit.call(TARDY);
    assert_eq!(circuit.state(), CircuitState::Open, "3 of 4");
    assert_eq!(
        circuit.begin().unwrap_err().cause,
        Some(Cause::SlowCalls { slow: 3, of: 4 })
    );
}

#[test]
fn a_good_call_never_opens_it() {
    // Forgetting old good calls raises the ratio; the call that does so is not to blame.
    let mut circuit = Circuit::new(limits());
    for _ in 0..4 {
        circuit.call(GOOD);
    }
    circuit.now += secs(60);
    circuit.call(BAD);
    circuit.call(BAD);
    circuit.now += secs(60);
    for _ in 0..2 {
        circuit.call(GOOD);
        assert_eq!(circuit.state(), CircuitState::Closed);
    }
}

#[test]
fn open_refuses_and_says_for_how_long_to_the_millisecond() {
    let mut circuit = Circuit::open();
    let refusal = circuit.begin().unwrap_err();
    assert_eq!(refusal.retry_after, Some(OPEN_FOR));
    let cause = Cause::Failures {
        failed: 4,
        of: 4,
        last: ErrorKind::Unavailable,
    };
    assert_eq!(refusal.cause, Some(cause));
    circuit.now += Duration::from_millis(29_999);
    let refusal = circuit.begin().unwrap_err();
    assert_eq!(refusal.retry_after, Some(Duration::from_millis(1)));
    circuit.now += Duration::from_millis(1);
    assert!(circuit.begin().is_ok());
}

#[test]
fn half_open_admits_a_fixed_number_of_probes() {
    let circuit = Circuit::half_open();
    let (first, second) = (circuit.begin().unwrap(), circuit.begin().unwrap());
    assert_eq!(circuit.shared.probes(), 2);
    let refusal = circuit.begin().unwrap_err();
    assert_eq!(refusal.cause, None);
    assert_eq!(refusal.retry_after, Some(SLOW), "by then it is decided");
    circuit.end(first, GOOD);
    assert!(circuit.begin().is_err(), "a success does not free a place");
    circuit.end(second, GOOD);
    assert_eq!(circuit.state(), CircuitState::Closed);
    assert_eq!(circuit.shared.probes(), 0);
}

#[test]
fn one_failed_or_slow_probe_opens_it_again_for_the_whole_time() {
    for (sample, cause) in [
        (BAD, Cause::FailedProbe(ErrorKind::Unavailable)),
        (TARDY, Cause::SlowProbe),
    ] {
        let circuit = Circuit::half_open();
        circuit.call(GOOD);
        circuit.call(sample);
        let refusal = circuit.begin().unwrap_err();
        assert_eq!(refusal.cause, Some(cause));
        assert_eq!(refusal.retry_after, Some(OPEN_FOR));
    }
}

#[test]
fn an_abandoned_probe_frees_its_slot_and_neither_opens_nor_closes() {
    let circuit = Circuit::half_open();
    for _ in 0..9 {
        let probes = (circuit.begin().unwrap(), circuit.begin().unwrap());
        assert!(circuit.begin().is_err());
        drop(probes);
        assert_eq!(circuit.state(), CircuitState::HalfOpen);
        assert_eq!(circuit.shared.probes(), 0);
    }
}

#[test]
fn a_probe_whose_end_says_nothing_frees_its_slot_too() {
    let circuit = Circuit::half_open();
    for _ in 0..9 {
        circuit.call(None);
        assert_eq!(circuit.state(), CircuitState::HalfOpen);
        assert_eq!(circuit.shared.probes(), 0);
    }
}

#[test]
fn a_probe_that_never_ends_does_not_keep_everybody_out() {
    let mut circuit = Circuit::half_open();
    let hanging = (circuit.begin().unwrap(), circuit.begin().unwrap());
    circuit.now += Duration::from_millis(44_999);
    assert_eq!(circuit.state(), CircuitState::HalfOpen);
    circuit.now += Duration::from_millis(1);
    assert_eq!(circuit.state(), CircuitState::Open);
    circuit.now += secs(10);
    let refusal = circuit.begin().unwrap_err();
    assert_eq!(refusal.cause, Some(Cause::SlowProbe));
    assert_eq!(refusal.retry_after, Some(secs(20)));
    circuit.now += secs(20);
    assert_eq!(circuit.state(), CircuitState::HalfOpen);
    // The two that hang took places of an earlier generation: there are two new ones.
    let probes = (circuit.begin().unwrap(), circuit.begin().unwrap());
    drop(hanging);
    assert_eq!(circuit.shared.probes(), 2);
    drop(probes);
    assert_eq!(circuit.shared.probes(), 0);
}

#[test]
fn time_that_nobody_looked_at_is_caught_up_with() {
    let mut circuit = Circuit::half_open();
    let hanging = circuit.begin().unwrap();
    circuit.now += SLOW + OPEN_FOR; // overdue, open, and half-open again
    assert_eq!(circuit.state(), CircuitState::HalfOpen);
    let (call, changes) = circuit.shared.admit(circuit.now);
    let states: Vec<_> = changes.iter().map(|change| change.to).collect();
    assert_eq!(states, [CircuitState::Open, CircuitState::HalfOpen]);
    circuit.end(hanging, BAD);
    assert_eq!(circuit.state(), CircuitState::HalfOpen, "it is ignored");
    circuit.end(call.unwrap(), GOOD);
}

#[test]
fn results_of_an_older_generation_are_ignored() {
    let mut circuit = Circuit::new(limits());
    let mut late: Vec<_> = (0..4).map(|_| circuit.begin().unwrap()).collect();
    (0..4).for_each(|_| circuit.call(BAD));
    circuit.end(late.pop().unwrap(), GOOD);
    assert_eq!(circuit.state(), CircuitState::Open);
    circuit.now += OPEN_FOR;
    let probe = circuit.begin().unwrap();
    circuit.end(late.pop().unwrap(), BAD);
    assert_eq!(circuit.state(), CircuitState::HalfOpen, "no probe failed");
    circuit.end(late.pop().unwrap(), GOOD);
    drop(late);
    assert_eq!(circuit.shared.probes(), 1, "the probe keeps its place");
    circuit.end(probe, GOOD);
    assert_eq!(circuit.state(), CircuitState::HalfOpen, "one of two");
    circuit.call(GOOD);
    assert_eq!(circuit.state(), CircuitState::Closed);
}

#[test]
fn closed_again_it_starts_from_nothing() {
    let circuit = Circuit::half_open();
    circuit.call(GOOD);
    circuit.call(GOOD);
    for _ in 0..3 {
        circuit.call(BAD);
        assert_eq!(circuit.state(), CircuitState::Closed);
    }
}

#[test]
fn every_change_is_told_once() {
    let mut circuit = Circuit::open();
    circuit.now += OPEN_FOR;
    let (first, changes) = circuit.shared.admit(circuit.now);
    assert_eq!(changes.len(), 1);
    let (second, changes) = circuit.shared.admit(circuit.now);
    assert_eq!(changes, []);
    assert_eq!(first.unwrap().end(GOOD, circuit.now), []);
    let changes = second.unwrap().end(GOOD, circuit.now);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].from, CircuitState::HalfOpen);
    assert_eq!(changes[0].to, CircuitState::Closed);
}
