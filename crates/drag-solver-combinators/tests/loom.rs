//! Every interleaving of a few callers, over the state of the breaker and of the budget.
//!
//! Their files are compiled a second time here, over loom's locks, as nothing else of the crate
//! shares state that a scheduler could tear apart: what remains are single atomic operations and
//! tokio's semaphore, which has models of its own. No `--cfg loom` is needed.

#![allow(dead_code, unreachable_pub)] // of the files compiled here, some is not used
#![allow(clippy::unwrap_used)]

#[path = "../src/budget/account.rs"]
mod account;
#[path = "../src/circuit_breaker/machine.rs"]
mod machine;
#[path = "../src/circuit_breaker/state.rs"]
mod state;
#[path = "../src/circuit_breaker/transition.rs"]
mod transition;

/// What `crate::sync` is in the library.
mod sync {
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap()
    }
}

use std::time::Duration;

use drag_solver_combinators::{BudgetPolicy, CircuitBreakerPolicy};
use drag_solver_core::{ErrorKind, JobId, PaidJob, Ratio, Usd};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use tokio::time::Instant;

use self::account::{Budget, Entry, Reservation, Shortage};
use self::state::Circuit;
use self::transition::{CircuitState, Sample};

const PRICE: i64 = 900;

fn usd(answers: i64) -> Usd {
    Usd::from_micros(answers * PRICE)
}

fn budget(answers: i64) -> Budget {
    let policy = BudgetPolicy::default()
        .total(usd(answers))
        .per_period(usd(answers))
        .period(Duration::from_secs(3_600));
    Budget::new(policy)
}

/// Books an answer for the full price, or one whose job has not ended yet.
fn spend(reservation: Reservation, job: Option<PaidJob>, now: Instant) {
    reservation.settle(|ledger| ledger.book(Entry::Spent(usd(1), job), now));
}

/// Buys until it is refused, and says how often it bought.
fn buy_all(budget: &Budget, now: Instant) -> i64 {
    let mut bought = 0;
    while let Ok(reservation) = budget.reserve(usd(1), now) {
        spend(reservation, None, now);
        bought += 1;
    }
    bought
}

/// Checks `model` under every schedule, or under those that switch threads at most this often against
/// their will.
fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(model);
}

#[test]
fn two_callers_never_get_the_same_last_cent() {
    let now = Instant::now();
    check(None, move || {
        let budget = budget(1);
        let other = budget.clone();
        let other = thread::spawn(move || buy_all(&other, now));
        let bought = buy_all(&budget, now) + other.join().unwrap();
        assert_eq!(bought, 1);
        assert_eq!((budget.spent(), budget.reserved()), (usd(1), Usd::ZERO));
    });
}

#[test]
fn four_callers_buy_exactly_ten_answers_between_them() {
    let now = Instant::now();
    check(Some(2), move || {
        let budget = budget(10);
        let others: Vec<_> = (0..3)
            .map(|_| {
                let budget = budget.clone();
                thread::spawn(move || buy_all(&budget, now))
            })
            .collect();
        let mut bought = buy_all(&budget, now);
        for other in others {
            bought += other.join().unwrap();
        }
        assert_eq!(bought, 10);
        assert_eq!((budget.spent(), budget.reserved()), (usd(10), Usd::ZERO));
        assert_eq!(budget.spent_in_period_at(now), usd(10));
    });
}

#[test]
fn a_reservation_that_is_dropped_is_free_for_others_and_never_twice() {
    let now = Instant::now();
    check(None, move || {
        let budget = budget(1);
        let other = budget.clone();
        let other = thread::spawn(move || drop(other.reserve(usd(1), now)));
        let refused = match budget.reserve(usd(1), now) {
            Ok(reservation) => {
                spend(reservation, None, now);
                false
            }
            Err(Shortage { reserved, .. }) => {
                assert_eq!(reserved, usd(1), "nothing was spent");
                true
            }
        };
        other.join().unwrap();
        assert_eq!(budget.reserved(), Usd::ZERO);
        assert_eq!(budget.spent(), usd(i64::from(!refused)));
        assert_eq!(budget.reserve(usd(1), now).is_ok(), refused);
    });
}

#[test]
fn the_end_of_a_job_corrects_its_estimate_once_however_many_hear_of_it() {
    let now = Instant::now();
    check(None, move || {
        let budget = budget(2);
        let job = PaidJob::new("a", JobId::from(1));
        let first = budget.reserve(usd(1), now).unwrap();
        spend(first, Some(job.clone()), now);
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let (budget, job) = (budget.clone(), job.clone());
                thread::spawn(move || {
                    let ended = Entry::Ended(job, Some(Usd::ZERO));
                    let nothing = budget.reserve_nothing();
                    nothing.settle(|ledger| ledger.book(ended, now));
                })
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
        assert_eq!((budget.spent(), budget.reserved()), (Usd::ZERO, Usd::ZERO));
        assert_eq!(budget.spent_in_period_at(now), Usd::ZERO);
    });
}

const OPEN_FOR: Duration = Duration::from_secs(30);

const GOOD: Option<Sample> = Some(Sample {
    failure: None,
    slow: false,
});

const BAD: Option<Sample> = Some(Sample {
    failure: Some(ErrorKind::Unavailable),
    slow: false,
});

fn circuit(probes: u32) -> Circuit {
    let policy = CircuitBreakerPolicy::default()
        .max_samples(4)
        .window(Duration::from_secs(120))
        .min_samples(2)
        .failure_ratio(Ratio::percent(50))
        .slow_call(Duration::from_secs(45))
        .slow_ratio(Ratio::ONE)
        .open_for(OPEN_FOR)
        .probes(probes);
    Circuit::new(policy)
}

/// A circuit that is half-open at the instant returned.
fn half_open(probes: u32) -> (Circuit, Instant) {
    let circuit = circuit(probes);
    let now = Instant::now();
    for _ in 0..2 {
        let _ = circuit.admit(now).0.unwrap().end(BAD, now);
    }
    (circuit, now + OPEN_FOR)
}

#[test]
fn there_are_never_more_probes_than_allowed() {
    check(Some(3), || {
        let (circuit, now) = half_open(1);
        let at_work = Arc::new(AtomicUsize::new(0));
        let probe =
            move |circuit: Circuit, at_work: Arc<AtomicUsize>, end: Option<Option<Sample>>| {
                let Ok(admission) = circuit.admit(now).0 else {
                    return;
                };
                assert_eq!(at_work.fetch_add(1, Ordering::SeqCst), 0);
                thread::yield_now();
                at_work.fetch_sub(1, Ordering::SeqCst);
                match end {
                    Some(sample) => drop(admission.end(sample, now)),
                    None => drop(admission),
                }
            };
        // Nothing that these probes come to closes or opens the circuit.
        let others: Vec<_> = [None, Some(None)]
            .into_iter()
            .map(|end| {
                let (circuit, at_work) = (circuit.clone(), Arc::clone(&at_work));
                thread::spawn(move || probe(circuit, at_work, end))
            })
            .collect();
        probe(circuit.clone(), Arc::clone(&at_work), None);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(circuit.probes(), 0, "every place is free again");
        assert_eq!(circuit.state_at(now), CircuitState::HalfOpen);
        assert!(circuit.admit(now).0.is_ok());
    });
}

#[test]
fn it_opens_once_however_many_fail_at_once() {
    check(None, || {
        let circuit = circuit(1);
        let now = Instant::now();
        let fail = move |circuit: &Circuit| match circuit.admit(now).0 {
            Ok(admission) => admission.end(BAD, now).len(),
            Err(_) => 0,
        };
        let other = circuit.clone();
        let other = thread::spawn(move || fail(&other) + fail(&other));
        let opened = fail(&circuit) + fail(&circuit) + other.join().unwrap();
        assert_eq!(opened, 1);
        assert_eq!(circuit.state_at(now), CircuitState::Open);
    });
}

#[test]
fn results_of_an_older_generation_are_ignored_whenever_they_come() {
    check(None, || {
        let circuit = circuit(1);
        let begun = Instant::now();
        let late = circuit.admit(begun).0.unwrap();
        for _ in 0..2 {
            let _ = circuit.admit(begun).0.unwrap().end(BAD, begun);
        }
        let now = begun + OPEN_FOR;
        let late = thread::spawn(move || drop(late.end(BAD, now)));
        let probe = circuit.admit(now).0.unwrap();
        let _ = probe.end(GOOD, now);
        late.join().unwrap();
        assert_eq!(circuit.state_at(now), CircuitState::Closed);
        assert_eq!(circuit.probes(), 0);
    });
}

#[test]
fn a_result_that_races_the_change_counts_before_it_or_not_at_all() {
    check(None, || {
        let circuit = circuit(1);
        let begun = Instant::now();
        let _ = circuit.admit(begun).0.unwrap().end(BAD, begun);
        let (one, other) = (circuit.admit(begun).0, circuit.admit(begun).0);
        let other = thread::spawn(move || drop(other.unwrap().end(BAD, begun)));
        let _ = one.unwrap().end(BAD, begun);
        let now = begun + OPEN_FOR;
        let probe = circuit.admit(now).0.unwrap();
        let _ = probe.end(GOOD, now);
        other.join().unwrap();
        assert_eq!(circuit.state_at(now), CircuitState::Closed);
    });
}

#[test]
fn a_probe_that_is_dropped_while_another_fails_frees_no_other_place() {
    check(None, || {
        let (circuit, now) = half_open(2);
        let (first, second) = (circuit.admit(now).0.unwrap(), circuit.admit(now).0.unwrap());
        let later = now + OPEN_FOR;
        let dropped = thread::spawn(move || drop(first));
        let _ = second.end(BAD, now);
        // Half-open again: both places are new ones.
        let fresh = [circuit.admit(later).0, circuit.admit(later).0];
        assert!(fresh.iter().all(Result::is_ok));
        dropped.join().unwrap();
        assert_eq!(circuit.probes(), 2);
        drop(fresh);
        assert_eq!(circuit.probes(), 0);
    });
}
