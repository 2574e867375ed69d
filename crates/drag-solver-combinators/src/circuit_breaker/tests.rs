use std::time::Duration;

use drag_solver_core::{Billed, CheckSettings, Ratio, Recovery, Verdict};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::tests::{Named, Script, challenge, drag, error, job, millis, secs};
use crate::{DragSolverExt, RetryPolicy};

/// Opens at the first failure, and closes at the first success.
fn touchy() -> CircuitBreakerPolicy {
    CircuitBreakerPolicy::default().min_samples(1).probes(1)
}

fn answers_after(takes: Duration) -> MockSolver {
    MockSolver::new("a").always(Outcome::answer(drag()).after(takes))
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_costs_nothing_and_says_when_to_come_back() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .always(drag());
    let breaker = a.clone().circuit_breaker(touchy());
    breaker.solve(&challenge()).await.unwrap_err();
    tokio::time::advance(secs(10)).await;
    let refused = breaker.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.call_count(), 1);
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    assert_eq!(refused.recovery(), Recovery::Switch);
    assert_eq!(refused.billed(), Billed::No);
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
    let breaker = a.circuit_breaker(touchy());
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
    let policy = CircuitBreakerPolicy::default().min_samples(4);
    let breaker = a.circuit_breaker(policy);
    for _ in 0..20 {
        assert_eq!(breaker.circuit().state(), CircuitState::Closed);
        breaker.solve(&challenge()).await.unwrap_err();
    }
    assert_eq!(breaker.circuit().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_chain_failed_if_any_attempt_of_it_did() {
    let chain = |kinds: [ErrorKind; 2]| SolveError::all_failed(kinds.map(error).into());
    assert!(opens(chain([ErrorKind::Unavailable, ErrorKind::CircuitOpen])).await);
    assert!(!opens(chain([ErrorKind::Unsolvable, ErrorKind::CircuitOpen])).await);
    let attempts = error(ErrorKind::Timeout).attempts();
    assert!(opens(error(ErrorKind::Overloaded).with_failed_attempts(attempts)).await);
}

#[tokio::test(start_paused = true)]
async fn a_hurried_caller_does_not_count_and_a_long_wait_does() {
    for (deadline, opened) in [(millis(44_999), false), (secs(45), true)] {
        let breaker = MockSolver::new("a").then(Outcome::hang());
        let breaker = breaker.circuit_breaker(touchy());
        let late = breaker.solve(&challenge().within(deadline)).await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
        let is_open = breaker.circuit().state() == CircuitState::Open;
        assert_eq!(is_open, opened, "{deadline:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_slow_to_the_millisecond() {
    for (takes, opened) in [(millis(44_999), false), (secs(45), true)] {
        let breaker = answers_after(takes).circuit_breaker(touchy());
        breaker.solve(&challenge()).await.unwrap();
        let is_open = breaker.circuit().state() == CircuitState::Open;
        assert_eq!(is_open, opened, "{takes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_says_nothing_however_long_it_took() {
    for kind in [
        ErrorKind::Unsolvable,
        ErrorKind::InvalidChallenge,
        ErrorKind::Unsupported,
        ErrorKind::Overloaded,
    ] {
        let a = MockSolver::new("a").fails(secs(60), error(kind));
        let breaker = a.circuit_breaker(touchy());
        breaker.solve(&challenge()).await.unwrap_err();
        assert_eq!(breaker.circuit().state(), CircuitState::Closed, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hurried_caller_does_not_close_the_circuit() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .then(Outcome::hang());
    let breaker = a.circuit_breaker(touchy());
    breaker.solve(&challenge()).await.unwrap_err();
    tokio::time::advance(secs(30)).await;
    let late = breaker.solve(&challenge().within(secs(1))).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(breaker.circuit().state(), CircuitState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn the_policy_that_it_was_built_with_decides_what_is_slow() {
    let policy = touchy().slow_call(secs(5));
    let breaker = answers_after(secs(5)).circuit_breaker(policy);
    assert_eq!(breaker.circuit().policy(), policy);
    breaker.solve(&challenge()).await.unwrap();
    assert_eq!(breaker.circuit().state(), CircuitState::Open);
}

#[test]
fn a_state_is_told_by_its_name() {
    for (state, name) in [
        (CircuitState::Closed, "closed"),
        (CircuitState::Open, "open"),
        (CircuitState::HalfOpen, "half_open"),
    ] {
        assert_eq!(state.as_str(), name);
        assert_eq!(state.to_string(), name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_no_trace() {
    let breaker = answers_after(secs(60)).circuit_breaker(touchy());
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
    let breaker = a.circuit_breaker(touchy());
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
    let breaker = a.clone().circuit_breaker(touchy());
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
    let breaker = a.clone().circuit_breaker(touchy());
    assert_eq!(breaker.name(), "a");
    let solution = breaker.solve(&challenge()).await.unwrap();
    breaker.solve(&challenge()).await.unwrap_err();
    assert_eq!(breaker.circuit().state(), CircuitState::Open);
    breaker.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_that_opens_the_circuit_does_not_refuse_the_resume() {
    let a = MockSolver::new("a").stalls().answers(secs(1));
    let breaker = a.clone().timeout(secs(20)).circuit_breaker(touchy());
    let circuit = breaker.circuit().clone();
    let chain = breaker.retry(RetryPolicy::default());
    chain.solve(&challenge()).await.unwrap();
    assert_eq!((a.call_count(), a.purchases()), (2, 1));
    assert_eq!(
        circuit.state(),
        CircuitState::Open,
        "a resume counts for nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_resume_passes_and_a_refusal_hands_back_the_jobs_of_others() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .always(drag());
    let b = MockSolver::new("b")
        .then(ErrorKind::Unavailable)
        .always(drag());
    let inside = a.or(b);
    let breaker = inside.circuit_breaker(touchy());
    breaker.solve(&challenge()).await.unwrap_err();
    for resumed in [job("a", 7), job("b", 8)] {
        breaker
            .solve(&challenge().resume_job(resumed))
            .await
            .unwrap();
        assert_eq!(breaker.circuit().state(), CircuitState::Open);
    }
    let elsewhere = challenge().resume_job(job("c", 9));
    let refused = breaker.solve(&elsewhere).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    assert_eq!(refused.unfinished_jobs(), [job("c", 9)]);
    assert_eq!(refused.billed(), Billed::Maybe);
}

#[tokio::test(start_paused = true)]
async fn a_resume_takes_no_place_of_a_probe_and_its_failure_opens_nothing() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .then(ErrorKind::Unavailable)
        .always(drag());
    let breaker = a.circuit_breaker(touchy());
    breaker.solve(&challenge()).await.unwrap_err();
    tokio::time::advance(secs(30)).await;
    let resumed = challenge().resume_job(job("a", 7));
    breaker.solve(&resumed).await.unwrap_err();
    assert_eq!(breaker.circuit().state(), CircuitState::HalfOpen);
    breaker.solve(&challenge()).await.unwrap();
    assert_eq!(breaker.circuit().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn clones_and_sharers_are_behind_one_circuit() {
    let circuit = Circuit::new(touchy());
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let b = MockSolver::new("b").always(drag());
    let first = a.clone().circuit_breaker(&circuit);
    let clone = first.clone();
    let second = b.clone().circuit_breaker(&circuit);
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
        .window(Duration::MAX)
        .slow_call(Duration::MAX)
        .open_for(Duration::MAX)
        .probes(u32::MAX);
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let breaker = a.circuit_breaker(policy);
    breaker.solve(&challenge()).await.unwrap_err();
    let refused = breaker.solve(&challenge()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    assert_eq!(refused.retry_after(), None, "never");
}

#[test]
fn what_a_file_may_not_say_is_named() {
    let policy = CircuitBreakerPolicy::default();
    assert_eq!(policy.check(), Ok(()));
    let path = |policy: CircuitBreakerPolicy| policy.check().unwrap_err().path();
    assert_eq!(path(policy.max_samples(100_001)), "max_samples");
    assert_eq!(path(policy.window(Duration::ZERO)), "window");
    assert_eq!(path(policy.slow_call(Duration::ZERO)), "slow_call");
    assert_eq!(path(policy.open_for(Duration::ZERO)), "open_for");
    assert_eq!(path(policy.failure_ratio(Ratio::ZERO)), "failure_ratio");
    assert_eq!(path(policy.slow_ratio(Ratio::ZERO)), "slow_ratio");
    assert_eq!(
        policy.min_samples(21).check().unwrap_err().to_string(),
        "min_samples: must not be more than max_samples, but 21 > 20: it would never open"
    );
    let typo = serde_json::from_str::<CircuitBreakerPolicy>(r#"{"ratio": 1}"#);
    assert!(typo.unwrap_err().to_string().contains("`failure_ratio`"));
    for bad in [
        r#"{"failure_ratio": 1.1}"#,
        r#"{"slow_ratio": -0.1}"#,
        r#"{"max_samples": 0}"#,
        r#"{"min_samples": 0}"#,
        r#"{"probes": 0}"#,
    ] {
        let policy = serde_json::from_str::<CircuitBreakerPolicy>(bad);
        assert!(policy.is_err(), "{bad}");
    }
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let policy = CircuitBreakerPolicy::default();
    let breaker = Named("a").circuit_breaker(policy);
    assert_eq!(
        breaker.to_string(),
        "a.circuit_breaker(max_samples: 20, window: 2m, min_samples: 10, failure_ratio: 0.5, \
         slow_call: 45s, slow_ratio: 0.8, open_for: 30s, probes: 3)"
    );
}

#[test]
fn the_worst_case_is_that_of_a_closed_circuit() {
    let a = MockSolver::new("a").timeout(secs(60));
    let breaker = a.clone().circuit_breaker(CircuitBreakerPolicy::default());
    assert_eq!(breaker.profile(), a.profile());
    assert_eq!(breaker.get_ref().to_string(), a.to_string());
}
