use std::time::Duration;

use drag_solver_core::{Charge, JobId, PaidJob, Recovery};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::testing::{Named, Script, challenge, drag, error, millis, secs};
use crate::{DragSolverExt, RetryPolicy};

/// Opens at the first failure, and closes at the first success.
fn touchy() -> CircuitBreakerPolicy {
    CircuitBreakerPolicy::default().min_calls(1).probes(1)
}

fn answers_after(takes: Duration) -> MockSolver {
    MockSolver::new("a").always(Outcome::answer(drag()).after(takes))
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_costs_nothing_and_says_when_to_come_back() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .always(drag());
    let breaker = a.clone().circuit_breaker(touchy()).unwrap();
    breaker.solve(&challenge()).await.unwrap_err();
    tokio::time::advance(secs(10)).await;
    let refused = breaker.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.call_count(), 1);
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    assert_eq!(refused.recovery(), Recovery::Switch);
    assert_eq!(refused.charge(), Charge::No);
    assert_eq!(
        refused.to_string(),
        "a: nothing was sent: the circuit is open, as 1 of the last 1 calls failed, this one with \
         unavailable (circuit_open; retry after 20s)"
    );
    tokio::time::advance(refused.retry_after().unwrap()).await;
    breaker.solve(&challenge()).await.unwrap();
    assert_eq!(breaker.circuit().state(), CircuitState::Closed);
}

/// Whether one call that ends like this opens a touchy circuit.
async fn opens(error: SolveError) -> bool {
    let a = MockSolver::new("a").fails(Duration::ZERO, error);
    let breaker = a.circuit_breaker(touchy()).unwrap();
    breaker.solve(&challenge()).await.unwrap_err();
    breaker.circuit().state() == CircuitState::Open
}

#[tokio::test(start_paused = true)]
async fn every_kind_has_the_effect_that_the_docs_state() {
    let failures = [
        ErrorKind::Unavailable,
        ErrorKind::Timeout,
        ErrorKind::RateLimited,
        ErrorKind::Protocol,
        ErrorKind::Unauthorized,
        ErrorKind::InsufficientBalance,
        ErrorKind::InvalidAnswer,
    ];
    for &kind in ErrorKind::ALL {
        assert_eq!(opens(error(kind)).await, failures.contains(&kind), "{kind}");
        assert!(!kind.is_local_refusal() || !failures.contains(&kind));
    }
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_is_not_counted_as_a_success_either() {
    // Four failures between sixteen that say nothing are all of the calls, and not a fifth.
    let a = (0..20).fold(MockSolver::new("a"), |a, n| {
        a.then(if n % 5 == 4 {
            ErrorKind::Unavailable
        } else {
            ErrorKind::Unsolvable
        })
    });
    let policy = CircuitBreakerPolicy::default().min_calls(4);
    let breaker = a.circuit_breaker(policy).unwrap();
    for _ in 0..20 {
        assert_eq!(breaker.circuit().state(), CircuitState::Closed);
        breaker.solve(&challenge()).await.unwrap_err();
    }
    assert_eq!(breaker.circuit().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_chain_failed_if_any_attempt_of_it_did() {
    let chain = |kinds: [ErrorKind; 2]| {
        let errors = kinds.map(|kind| (error(kind), Duration::ZERO));
        SolveError::all_failed(errors.into())
    };
    assert!(opens(chain([ErrorKind::Unavailable, ErrorKind::CircuitOpen])).await);
    assert!(!opens(chain([ErrorKind::Unsolvable, ErrorKind::CircuitOpen])).await);
    let attempts = error(ErrorKind::Timeout).history(secs(1));
    assert!(opens(error(ErrorKind::Overloaded).with_attempts(attempts)).await);
}

#[tokio::test(start_paused = true)]
async fn a_hurried_caller_does_not_count_and_a_long_wait_does() {
    for (deadline, opened) in [(millis(44_999), false), (secs(45), true)] {
        let breaker = MockSolver::new("a").then(Outcome::hang());
        let breaker = breaker.circuit_breaker(touchy()).unwrap();
        let late = breaker.solve(&challenge().within(deadline)).await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
        let is_open = breaker.circuit().state() == CircuitState::Open;
        assert_eq!(is_open, opened, "{deadline:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_slow_to_the_millisecond() {
    for (takes, opened) in [(millis(44_999), false), (secs(45), true)] {
        let breaker = answers_after(takes).circuit_breaker(touchy()).unwrap();
        breaker.solve(&challenge()).await.unwrap();
        let is_open = breaker.circuit().state() == CircuitState::Open;
        assert_eq!(is_open, opened, "{takes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_no_trace() {
    let breaker = answers_after(secs(60)).circuit_breaker(touchy()).unwrap();
    let challenge = challenge();
    drop(breaker.solve(&challenge));
    let slow = tokio::time::timeout(secs(50), breaker.solve(&challenge)).await;
    assert!(slow.is_err());
    assert_eq!(breaker.circuit().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_frees_its_slot() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .then(Outcome::hang())
        .always(drag());
    let breaker = a.circuit_breaker(touchy()).unwrap();
    let challenge = challenge();
    breaker.solve(&challenge).await.unwrap_err();
    tokio::time::advance(secs(30)).await;
    let mut probe = breaker.solve(&challenge);
    assert!(tokio::time::timeout(secs(5), &mut probe).await.is_err());
    assert_eq!(breaker.circuit().probes(), 1);
    let refused = breaker.solve(&challenge).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a: nothing was sent: the circuit is half-open, and its probes are under way \
         (circuit_open; retry after 40s)"
    );
    drop(probe);
    assert_eq!(breaker.circuit().probes(), 0);
    assert_eq!(breaker.circuit().state(), CircuitState::HalfOpen);
    breaker.solve(&challenge).await.unwrap();
    assert_eq!(breaker.circuit().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn verdicts_do_not_count() {
    let a = MockSolver::new("a").always(drag());
    let breaker = a.clone().circuit_breaker(touchy()).unwrap();
    let solution = breaker.solve(&challenge()).await.unwrap();
    for _ in 0..20 {
        breaker.report(&solution, Verdict::Incorrect).await.unwrap();
    }
    assert_eq!(breaker.circuit().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_report_passes_through_an_open_circuit() {
    let a = MockSolver::new("a")
        .then(drag())
        .then(ErrorKind::Unavailable);
    let breaker = a.clone().circuit_breaker(touchy()).unwrap();
    assert_eq!(breaker.name(), "a");
    let solution = breaker.solve(&challenge()).await.unwrap();
    breaker.solve(&challenge()).await.unwrap_err();
    assert_eq!(breaker.circuit().state(), CircuitState::Open);
    breaker.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[tokio::test(start_paused = true)]
async fn a_paid_job_is_kept_while_the_circuit_is_open() {
    let a = MockSolver::new("a").stalls().answers(secs(1));
    let limited = a.clone().timeout(secs(20)).unwrap();
    let breaker = limited.circuit_breaker(touchy()).unwrap();
    let chain = breaker.retry(RetryPolicy::default()).unwrap();
    let refused = chain.solve(&challenge()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    let jobs = refused.unfinished_jobs();
    assert_eq!(jobs, [PaidJob::new("a", JobId::from(1))]);
    tokio::time::advance(secs(30)).await;
    let resumed = jobs.into_iter().fold(challenge(), DragChallenge::resuming);
    chain.solve(&resumed).await.unwrap();
    assert_eq!(a.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn clones_and_sharers_are_behind_one_circuit() {
    let circuit = Circuit::new(touchy()).unwrap();
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let b = MockSolver::new("b").always(drag());
    let first = CircuitBreaker::sharing(&a, &circuit);
    let clone = first.clone();
    let second = CircuitBreaker::sharing(&b, &circuit);
    first.solve(&challenge()).await.unwrap_err();
    for refused in [
        clone.solve(&challenge()).await,
        second.solve(&challenge()).await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::CircuitOpen);
    }
    assert_eq!(a.call_count() + b.call_count(), 1);
    assert_eq!(circuit.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn huge_settings_do_not_panic() {
    let policy = touchy()
        .window_time(Duration::MAX)
        .slow_call(Duration::MAX)
        .open_for(Duration::MAX)
        .probes(u32::MAX);
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let breaker = a.circuit_breaker(policy).unwrap();
    breaker.solve(&challenge()).await.unwrap_err();
    let refused = breaker.solve(&challenge()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    assert_eq!(refused.retry_after(), None, "never");
}

#[test]
fn impossible_settings_are_named() {
    let policy = CircuitBreakerPolicy::default();
    assert_eq!(policy.check(), Ok(()));
    let setting = |policy: CircuitBreakerPolicy| policy.check().unwrap_err().setting();
    assert_eq!(setting(policy.window_calls(0)), "window_calls");
    assert_eq!(setting(policy.window_calls(100_001)), "window_calls");
    assert_eq!(setting(policy.min_calls(0)), "min_calls");
    assert_eq!(setting(policy.probes(0)), "probes");
    assert_eq!(setting(policy.window_time(Duration::ZERO)), "window_time");
    assert_eq!(setting(policy.slow_call(Duration::ZERO)), "slow_call");
    assert_eq!(setting(policy.open_for(Duration::ZERO)), "open_for");
    for bad in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(setting(policy.failure_ratio(bad)), "failure_ratio");
        assert_eq!(setting(policy.slow_ratio(bad)), "slow_ratio");
    }
    assert_eq!(
        policy.min_calls(21).check().unwrap_err().to_string(),
        "circuit_breaker.min_calls must not be more than window_calls, but 21 > 20: it would never \
         open"
    );
    let typo = serde_json::from_str::<CircuitBreakerPolicy>(r#"{"ratio": 1}"#);
    assert!(typo.unwrap_err().to_string().contains("`failure_ratio`"));
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let policy = CircuitBreakerPolicy::default();
    let breaker = Named("a").circuit_breaker(policy).unwrap();
    assert_eq!(
        breaker.to_string(),
        "a.circuit_breaker(window_calls: 20, window_time: 120s, min_calls: 10, failure_ratio: 0.5, \
         slow_call: 45s, slow_ratio: 0.8, open_for: 30s, probes: 3)"
    );
}

#[test]
fn the_worst_case_is_that_of_a_closed_circuit() {
    let a = MockSolver::new("a").timeout(secs(60)).unwrap();
    let worst = a.worst_case();
    let breaker = a.circuit_breaker(CircuitBreakerPolicy::default());
    assert_eq!(breaker.unwrap().worst_case(), worst);
}
