//! The state machine alone, with instants made up.

use std::time::Duration;

use drag_solver_core::{ErrorKind, Ratio};
use tokio::time::Instant;

use super::machine::Refusal;
use super::state::Admission;
use super::transition::{Cause, Sample};
use super::{Circuit, CircuitBreakerPolicy, CircuitState};
use crate::tests::secs;

const OPEN_FOR: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(45);

fn policy() -> CircuitBreakerPolicy {
    CircuitBreakerPolicy::default()
        .max_samples(6)
        .window(secs(100))
        .min_samples(4)
        .failure_ratio(Ratio::percent(50))
        .slow_call(SLOW)
        .slow_ratio(Ratio::percent(75))
        .open_for(OPEN_FOR)
        .probes(2)
}

/// A circuit and a clock.
struct Clocked {
    circuit: Circuit,
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

impl Clocked {
    fn new(policy: CircuitBreakerPolicy) -> Self {
        Self {
            circuit: Circuit::new(policy),
            now: Instant::now(),
        }
    }

    /// One that has just opened.
    fn open() -> Self {
        let clocked = Self::new(policy());
        for _ in 0..4 {
            clocked.call(BAD);
        }
        assert_eq!(clocked.state(), CircuitState::Open);
        clocked
    }

    fn half_open() -> Self {
        let mut clocked = Self::open();
        clocked.now += OPEN_FOR;
        assert_eq!(clocked.state(), CircuitState::HalfOpen);
        clocked
    }

    fn state(&self) -> CircuitState {
        self.circuit.state_at(self.now)
    }

    fn begin(&self) -> Result<Admission, Refusal> {
        self.circuit.admit(self.now).0
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
    let clocked = Clocked::new(policy());
    for _ in 0..3 {
        clocked.call(BAD);
        assert_eq!(clocked.state(), CircuitState::Closed);
    }
    clocked.call(BAD);
    assert_eq!(clocked.state(), CircuitState::Open);
}

#[test]
fn it_opens_at_the_ratio_and_not_before() {
    let clocked = Clocked::new(policy());
    for sample in [GOOD, GOOD, GOOD, BAD, BAD] {
        clocked.call(sample);
    }
    assert_eq!(clocked.state(), CircuitState::Closed, "2 of 5");
    clocked.call(BAD);
    assert_eq!(clocked.state(), CircuitState::Open, "3 of 6");
    let of_twenty = policy()
        .max_samples(20)
        .min_samples(20)
        .failure_ratio(Ratio::percent(55));
    for failed in [10, 11] {
        let clocked = Clocked::new(of_twenty);
        (failed..20).for_each(|_| clocked.call(GOOD));
        (0..failed).for_each(|_| clocked.call(BAD));
        let opened = clocked.state() == CircuitState::Open;
        assert_eq!(opened, failed == 11, "{failed} of 20, and 0.55 * 20 > 11.0");
    }
}

#[test]
fn only_the_last_calls_count() {
    let clocked = Clocked::new(policy());
    for sample in [BAD, GOOD, GOOD, GOOD, BAD, GOOD] {
        clocked.call(sample);
    }
    clocked.call(BAD); // the first failure is forgotten: 2 of 6
    assert_eq!(clocked.state(), CircuitState::Closed);
    clocked.call(BAD); // a good one is forgotten: 3 of 6
    assert_eq!(clocked.state(), CircuitState::Open);
}

#[test]
fn old_calls_do_not_count_to_the_millisecond() {
    for (age, opened) in [(99_999, true), (100_000, false)] {
        let mut clocked = Clocked::new(policy());
        for _ in 0..3 {
            clocked.call(BAD);
        }
        clocked.now += Duration::from_millis(age);
        clocked.call(BAD);
        assert_eq!(clocked.state() == CircuitState::Open, opened, "{age} ms");
    }
}

#[test]
fn slow_calls_open_it_too() {
    let clocked = Clocked::new(policy());
    for sample in [GOOD, TARDY, TARDY] {
        clocked.call(sample);
    }
    assert_eq!(clocked.state(), CircuitState::Closed);
    clocked.call(TARDY);
    assert_eq!(clocked.state(), CircuitState::Open, "3 of 4");
    assert_eq!(
        clocked.begin().unwrap_err().cause,
        Some(Cause::SlowCalls { slow: 3, of: 4 })
    );
}

#[test]
fn slow_calls_open_it_at_their_ratio_and_not_before() {
    let clocked = Clocked::new(policy());
    for sample in [GOOD, GOOD, TARDY, TARDY, TARDY, TARDY] {
        clocked.call(sample);
        assert_eq!(clocked.state(), CircuitState::Closed, "up to 4 of 6");
    }
    clocked.call(TARDY);
    assert_eq!(clocked.state(), CircuitState::Open, "5 of 6");
}

#[test]
fn a_quick_failure_is_not_to_blame_for_the_slow_calls_before_it() {
    let clocked = Clocked::new(policy());
    for sample in [TARDY, TARDY, TARDY, BAD] {
        clocked.call(sample);
    }
    assert_eq!(clocked.state(), CircuitState::Closed);
    clocked.call(TARDY);
    assert_eq!(clocked.state(), CircuitState::Open, "4 of 5");
}

#[test]
fn a_good_call_never_opens_it() {
    // Forgetting old good calls raises the ratio; the call that does so is not to blame.
    let mut clocked = Clocked::new(policy());
    for _ in 0..4 {
        clocked.call(GOOD);
    }
    clocked.now += secs(60);
    clocked.call(BAD);
    clocked.call(BAD);
    clocked.now += secs(60);
    for _ in 0..2 {
        clocked.call(GOOD);
        assert_eq!(clocked.state(), CircuitState::Closed);
    }
}

#[test]
fn open_refuses_and_says_for_how_long_to_the_millisecond() {
    let mut clocked = Clocked::open();
    let refusal = clocked.begin().unwrap_err();
    assert_eq!(refusal.retry_after, Some(OPEN_FOR));
    let cause = Cause::Failures {
        failed: 4,
        of: 4,
        last: ErrorKind::Unavailable,
    };
    assert_eq!(refusal.cause, Some(cause));
    clocked.now += Duration::from_millis(29_999);
    let refusal = clocked.begin().unwrap_err();
    assert_eq!(refusal.retry_after, Some(Duration::from_millis(1)));
    clocked.now += Duration::from_millis(1);
    assert!(clocked.begin().is_ok());
}

#[test]
fn half_open_admits_a_fixed_number_of_probes() {
    let clocked = Clocked::half_open();
    let (first, second) = (clocked.begin().unwrap(), clocked.begin().unwrap());
    assert_eq!(clocked.circuit.probes(), 2);
    let refusal = clocked.begin().unwrap_err();
    assert_eq!(refusal.cause, None);
    assert_eq!(refusal.retry_after, Some(SLOW), "by then it is decided");
    clocked.end(first, GOOD);
    assert!(clocked.begin().is_err(), "a success does not free a place");
    clocked.end(second, GOOD);
    assert_eq!(clocked.state(), CircuitState::Closed);
    assert_eq!(clocked.circuit.probes(), 0);
}

#[test]
fn one_failed_or_slow_probe_opens_it_again_for_the_whole_time() {
    for (sample, cause) in [
        (BAD, Cause::FailedProbe(ErrorKind::Unavailable)),
        (TARDY, Cause::SlowProbe),
    ] {
        let clocked = Clocked::half_open();
        clocked.call(GOOD);
        clocked.call(sample);
        let refusal = clocked.begin().unwrap_err();
        assert_eq!(refusal.cause, Some(cause));
        assert_eq!(refusal.retry_after, Some(OPEN_FOR));
    }
}

#[test]
fn a_dropped_probe_frees_its_slot_and_neither_opens_nor_closes() {
    let clocked = Clocked::half_open();
    for _ in 0..9 {
        let probes = (clocked.begin().unwrap(), clocked.begin().unwrap());
        assert!(clocked.begin().is_err());
        drop(probes);
        assert_eq!(clocked.state(), CircuitState::HalfOpen);
        assert_eq!(clocked.circuit.probes(), 0);
    }
}

#[test]
fn a_probe_whose_end_says_nothing_frees_its_slot_too() {
    let clocked = Clocked::half_open();
    for _ in 0..9 {
        clocked.call(None);
        assert_eq!(clocked.state(), CircuitState::HalfOpen);
        assert_eq!(clocked.circuit.probes(), 0);
    }
}

#[test]
fn a_probe_that_never_ends_does_not_keep_out_all_others() {
    let mut clocked = Clocked::half_open();
    let hanging = (clocked.begin().unwrap(), clocked.begin().unwrap());
    clocked.now += Duration::from_millis(44_999);
    assert_eq!(clocked.state(), CircuitState::HalfOpen);
    clocked.now += Duration::from_millis(1);
    assert_eq!(clocked.state(), CircuitState::Open);
    clocked.now += secs(10);
    let refusal = clocked.begin().unwrap_err();
    assert_eq!(refusal.cause, Some(Cause::SlowProbe));
    assert_eq!(refusal.retry_after, Some(secs(20)));
    clocked.now += secs(20);
    assert_eq!(clocked.state(), CircuitState::HalfOpen);
    // The two that hang took places of an earlier generation: there are two new ones.
    let probes = (clocked.begin().unwrap(), clocked.begin().unwrap());
    drop(hanging);
    assert_eq!(clocked.circuit.probes(), 2);
    drop(probes);
    assert_eq!(clocked.circuit.probes(), 0);
}

#[test]
fn time_that_passed_unseen_is_caught_up_with() {
    let mut clocked = Clocked::half_open();
    let hanging = clocked.begin().unwrap();
    clocked.now += SLOW + OPEN_FOR; // overdue, open, and half-open again
    assert_eq!(clocked.state(), CircuitState::HalfOpen);
    let (call, changes) = clocked.circuit.admit(clocked.now);
    let states: Vec<_> = changes.iter().map(|change| change.to).collect();
    assert_eq!(states, [CircuitState::Open, CircuitState::HalfOpen]);
    clocked.end(hanging, BAD);
    assert_eq!(clocked.state(), CircuitState::HalfOpen, "it is ignored");
    clocked.end(call.unwrap(), GOOD);
}

#[test]
fn results_of_an_older_generation_are_ignored() {
    let mut clocked = Clocked::new(policy());
    let mut late: Vec<_> = (0..4).map(|_| clocked.begin().unwrap()).collect();
    (0..4).for_each(|_| clocked.call(BAD));
    clocked.end(late.pop().unwrap(), GOOD);
    assert_eq!(clocked.state(), CircuitState::Open);
    clocked.now += OPEN_FOR;
    let probe = clocked.begin().unwrap();
    clocked.end(late.pop().unwrap(), BAD);
    assert_eq!(clocked.state(), CircuitState::HalfOpen, "no probe failed");
    clocked.end(late.pop().unwrap(), GOOD);
    drop(late);
    assert_eq!(clocked.circuit.probes(), 1, "the probe keeps its place");
    clocked.end(probe, GOOD);
    assert_eq!(clocked.state(), CircuitState::HalfOpen, "one of two");
    clocked.call(GOOD);
    assert_eq!(clocked.state(), CircuitState::Closed);
}

#[test]
fn closed_again_it_starts_from_nothing() {
    let clocked = Clocked::half_open();
    clocked.call(GOOD);
    clocked.call(GOOD);
    for _ in 0..3 {
        clocked.call(BAD);
        assert_eq!(clocked.state(), CircuitState::Closed);
    }
}

#[test]
fn every_change_is_told_once() {
    let mut clocked = Clocked::open();
    clocked.now += OPEN_FOR;
    let (first, changes) = clocked.circuit.admit(clocked.now);
    assert_eq!(changes.len(), 1);
    let (second, changes) = clocked.circuit.admit(clocked.now);
    assert_eq!(changes, []);
    assert_eq!(first.unwrap().end(GOOD, clocked.now), []);
    let changes = second.unwrap().end(GOOD, clocked.now);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].from, CircuitState::HalfOpen);
    assert_eq!(changes[0].to, CircuitState::Closed);
}

#[test]
fn a_look_at_the_state_does_not_swallow_a_transition() {
    let mut clocked = Clocked::open();
    clocked.now += OPEN_FOR;
    assert_eq!(clocked.state(), CircuitState::HalfOpen);
    let (_, transitions) = clocked.circuit.admit(clocked.now);
    assert_eq!(transitions.len(), 1);
}

#[test]
fn of_two_probes_that_began_together_each_frees_one_place() {
    let clocked = Clocked::half_open();
    let (first, second) = (clocked.begin().unwrap(), clocked.begin().unwrap());
    clocked.end(first, GOOD);
    assert_eq!(clocked.circuit.probes(), 1);
    drop(second);
    assert_eq!(clocked.circuit.probes(), 0);
    clocked.call(GOOD);
    assert_eq!(clocked.state(), CircuitState::Closed);
}

#[test]
fn code_that_says_it_gets_what_the_docs_promise() {
    let opens_after = |policy: CircuitBreakerPolicy| {
        let clocked = Clocked::new(policy);
        (1..=200).find(|_| {
            clocked.call(BAD);
            clocked.state() != CircuitState::Closed
        })
    };
    assert_eq!(opens_after(policy().min_samples(0)), Some(1));
    assert_eq!(
        opens_after(policy().min_samples(u32::MAX)),
        Some(6),
        "max_samples"
    );
    let zeros = policy().failure_ratio(Ratio::ZERO).slow_ratio(Ratio::ZERO);
    assert_eq!(opens_after(zeros), Some(4), "min_samples");
    let forgetful = policy().window(Duration::ZERO);
    assert_eq!(
        opens_after(forgetful),
        None,
        "it knows one call, and four are needed"
    );
    assert_eq!(opens_after(forgetful.min_samples(1)), Some(1));
    let hasty = Clocked::new(policy().min_samples(1).open_for(Duration::ZERO));
    hasty.call(BAD);
    assert_eq!(hasty.state(), CircuitState::HalfOpen);
}

#[test]
fn a_call_of_an_older_generation_frees_no_place_even_of_a_probe_that_began_with_it() {
    let clocked = Clocked::new(policy().min_samples(1).open_for(Duration::ZERO));
    let (late, later) = (clocked.begin().unwrap(), clocked.begin().unwrap());
    clocked.call(BAD); // half-open at once: the probe below begins at the same instant
    let probe = clocked.begin().unwrap();
    drop(late);
    clocked.end(later, GOOD);
    assert_eq!(clocked.circuit.probes(), 1);
    drop(probe);
}

#[test]
fn an_open_circuit_stays_open_by_new_settings_for_as_long_as_those_say() {
    let mut clocked = Clocked::open();
    clocked.now += secs(10);
    let now = clocked.now;
    clocked
        .circuit
        .set_policy_at(policy().open_for(secs(60)), now);
    clocked.now += secs(49);
    assert_eq!(clocked.state(), CircuitState::Open);
    let now = clocked.now;
    clocked
        .circuit
        .set_policy_at(policy().open_for(secs(59)), now);
    assert_eq!(clocked.state(), CircuitState::HalfOpen);
}

#[test]
fn calls_that_ended_are_judged_by_new_thresholds_when_the_next_one_ends() {
    let clocked = Clocked::new(policy().min_samples(6));
    for _ in 0..4 {
        clocked.call(BAD);
    }
    clocked.circuit.set_policy_at(policy(), clocked.now);
    assert_eq!(clocked.state(), CircuitState::Closed);
    clocked.call(BAD);
    assert_eq!(clocked.state(), CircuitState::Open);
}

#[test]
fn a_half_open_circuit_that_needs_fewer_probes_now_is_not_stuck() {
    let clocked = Clocked::half_open();
    clocked.call(GOOD);
    assert_eq!(clocked.state(), CircuitState::HalfOpen);
    clocked
        .circuit
        .set_policy_at(policy().probes(1), clocked.now);
    assert_eq!(clocked.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_says_when_it_will_probe() {
    let clocked = Clocked::open();
    assert_eq!(clocked.circuit.probes_in(), Some(OPEN_FOR));
    tokio::time::advance(secs(12)).await;
    assert_eq!(clocked.circuit.probes_in(), Some(secs(18)));
    tokio::time::advance(secs(18)).await;
    assert_eq!(clocked.circuit.probes_in(), None);
}

#[test]
fn what_the_old_settings_decided_is_decided() {
    let mut clocked = Clocked::open();
    clocked.now += OPEN_FOR; // no call came since
    let now = clocked.now;
    clocked
        .circuit
        .set_policy_at(policy().open_for(secs(600)), now);
    assert_eq!(clocked.state(), CircuitState::HalfOpen);
}
