use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Charge, Recovery};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::testing::{Named, Script, challenge, drag, error, millis, secs};
use crate::{DragSolverExt, RetryPolicy};

fn one_at_a_time() -> ConcurrencyLimitPolicy {
    ConcurrencyLimitPolicy::default().max_in_flight(1)
}

/// Always answers, after this long.
fn answers_after(takes: Duration) -> MockSolver {
    MockSolver::new("a").always(Outcome::answer(drag()).after(takes))
}

/// When each call reached the solver, counted from `begun`.
fn times(solver: &MockSolver, begun: Instant) -> Vec<Duration> {
    let calls = solver.calls();
    calls.iter().map(|call| call.started - begun).collect()
}

#[tokio::test(start_paused = true)]
async fn permits_are_given_in_order_and_to_the_instant() {
    let begun = Instant::now();
    let a = answers_after(secs(10));
    let limited = a.clone().concurrency_limit(one_at_a_time()).unwrap();
    let finished = std::sync::Mutex::new(Vec::new());
    let call = |number: usize| {
        let (limited, finished) = (&limited, &finished);
        async move {
            limited.solve(&challenge()).await.unwrap();
            finished.lock().unwrap().push((number, begun.elapsed()));
        }
    };
    tokio::join!(call(1), call(2), call(3));
    assert_eq!(times(&a, begun), [secs(0), secs(10), secs(20)]);
    let expected = [(1, secs(10)), (2, secs(20)), (3, secs(30))];
    assert_eq!(finished.into_inner().unwrap(), expected);
    assert_eq!(a.max_in_flight(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_somebody_who_waits() {
    let a = answers_after(secs(10));
    let limited = Arc::new(a.clone().concurrency_limit(one_at_a_time()).unwrap());
    let challenge = challenge();
    let mut first = limited.solve(&challenge);
    let mut second = limited.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut first).await.is_err());
    assert!(tokio::time::timeout(secs(1), &mut second).await.is_err());
    first.await.unwrap(); // the permit is the second's now, though nobody polled it since
    assert!(limited.permits().free().is_none());
    assert_eq!(limited.permits().in_flight(), 1);
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once() {
    let a = answers_after(secs(10));
    let policy = one_at_a_time().max_waiting(1);
    let limited = a.clone().concurrency_limit(policy).unwrap();
    let challenge = challenge();
    let begun = Instant::now();
    let refused = async {
        let refused = limited.solve(&challenge).await.unwrap_err();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        refused
    };
    let (first, second, refused) = tokio::join!(
        limited.solve(&challenge),
        limited.solve(&challenge),
        refused
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(a.call_count(), 2);
    assert_eq!(refused.kind(), ErrorKind::Overloaded);
    assert_eq!(refused.recovery(), Recovery::Switch);
    assert_eq!(refused.charge(), Charge::No);
    assert_eq!(
        refused.to_string(),
        "a: nothing was sent: 1 calls are under way and 1 wait, which is all that \
         concurrency_limit allows (overloaded)"
    );
}

#[tokio::test(start_paused = true)]
async fn with_no_queue_whatever_finds_no_permit_is_refused() {
    let policy = one_at_a_time().max_waiting(0);
    let limited = answers_after(secs(10)).concurrency_limit(policy).unwrap();
    let challenge = challenge();
    let (first, second) = tokio::join!(limited.solve(&challenge), limited.solve(&challenge));
    first.unwrap();
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Overloaded);
}

#[tokio::test(start_paused = true)]
async fn patience_ends_to_the_millisecond() {
    for (busy_for, admitted) in [(millis(4_999), true), (millis(5_001), false)] {
        let a = answers_after(busy_for);
        let policy = one_at_a_time().max_wait(secs(5));
        let limited = a.clone().concurrency_limit(policy).unwrap();
        let challenge = challenge();
        let begun = Instant::now();
        let second = async {
            let outcome = limited.solve(&challenge).await;
            (outcome, begun.elapsed())
        };
        let (first, (second, at)) = tokio::join!(limited.solve(&challenge), second);
        first.unwrap();
        if admitted {
            second.unwrap();
            assert_eq!(times(&a, begun)[1], busy_for);
        } else {
            let refused = second.unwrap_err();
            assert_eq!(at, secs(5));
            assert_eq!(refused.kind(), ErrorKind::Overloaded);
            assert!(refused.message().contains("waited 5s"), "{refused}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_past_the_deadline() {
    // A permit that comes at the very instant is too late: nobody can answer in no time.
    for busy_for in [secs(3), secs(10)] {
        let a = answers_after(busy_for);
        let limited = a.clone().concurrency_limit(one_at_a_time()).unwrap();
        let challenge = challenge();
        let hasty = challenge.clone().within(secs(3));
        let begun = Instant::now();
        let late = async {
            let late = limited.solve(&hasty).await.unwrap_err();
            assert_eq!(begun.elapsed(), secs(3));
            late
        };
        let (first, late) = tokio::join!(limited.solve(&challenge), late);
        first.unwrap();
        assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(late.charge(), Charge::No);
        assert_eq!(a.call_count(), 1);
        assert_eq!(limited.permits().in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gave_up_is_not_granted_a_permit() {
    let a = answers_after(secs(10));
    let limited = a.clone().concurrency_limit(one_at_a_time()).unwrap();
    let permits = limited.permits().clone();
    let challenge = challenge();
    let mut first = limited.solve(&challenge);
    let mut second = limited.solve(&challenge);
    let mut third = limited.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut first).await.is_err());
    assert!(tokio::time::timeout(secs(1), &mut second).await.is_err());
    assert!(tokio::time::timeout(secs(1), &mut third).await.is_err());
    assert_eq!((permits.in_flight(), permits.waiting()), (1, 2));
    drop(second);
    assert_eq!(permits.waiting(), 1);
    first.await.unwrap();
    // The permit was handed to the third; given up now, it goes back.
    drop(third);
    assert_eq!((permits.in_flight(), permits.waiting()), (0, 0));
    limited.solve(&challenge).await.unwrap();
    assert_eq!(a.call_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_or_never_polled_gives_everything_back() {
    let a = answers_after(secs(10));
    let limited = a.concurrency_limit(one_at_a_time()).unwrap();
    let challenge = challenge();
    drop(limited.solve(&challenge));
    let mut call = limited.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut call).await.is_err());
    assert_eq!(limited.permits().in_flight(), 1);
    drop(call);
    assert_eq!(limited.permits().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_held_during_a_backoff_sleep() {
    let a = MockSolver::new("a")
        .fails(
            secs(1),
            error(ErrorKind::Unavailable).with_retry_after(secs(9)),
        )
        .answers(secs(1))
        .answers(secs(1));
    let limited = a.clone().concurrency_limit(one_at_a_time()).unwrap();
    let permits = limited.permits().clone();
    let chain = limited.retry(RetryPolicy::default()).unwrap();
    let challenge = challenge();
    let begun = Instant::now();
    let mut first = chain.solve(&challenge);
    assert!(tokio::time::timeout(secs(2), &mut first).await.is_err());
    assert_eq!(permits.in_flight(), 0);
    chain.solve(&challenge).await.unwrap();
    assert_eq!(begun.elapsed(), secs(3), "in the middle of the backoff");
    first.await.unwrap();
    assert_eq!(begun.elapsed(), secs(11));
}

#[tokio::test(start_paused = true)]
async fn clones_and_sharers_are_under_one_limit() {
    let (a, b) = (answers_after(secs(10)), answers_after(secs(10)));
    let permits = Permits::new(one_at_a_time()).unwrap();
    let first = ConcurrencyLimit::sharing(&a, &permits);
    let clone = first.clone();
    let second = ConcurrencyLimit::sharing(&b, &permits);
    let challenge = challenge();
    let begun = Instant::now();
    let outcomes = tokio::join!(
        first.solve(&challenge),
        second.solve(&challenge),
        clone.solve(&challenge)
    );
    assert!(outcomes.0.is_ok() && outcomes.1.is_ok() && outcomes.2.is_ok());
    assert_eq!(begun.elapsed(), secs(30));
}

#[tokio::test(start_paused = true)]
async fn huge_settings_do_not_panic() {
    let policy = ConcurrencyLimitPolicy::default()
        .max_in_flight(u32::MAX)
        .max_waiting(u32::MAX)
        .max_wait(Duration::MAX);
    let limited = answers_after(secs(1)).concurrency_limit(policy).unwrap();
    limited.solve(&challenge()).await.unwrap();
    let patient = policy.max_in_flight(1);
    let limited = answers_after(secs(1)).concurrency_limit(patient).unwrap();
    let challenge = challenge();
    let (first, second) = tokio::join!(limited.solve(&challenge), limited.solve(&challenge));
    first.unwrap();
    second.unwrap();
}

#[test]
fn impossible_settings_are_named() {
    let none = ConcurrencyLimitPolicy::default().max_in_flight(0);
    assert_eq!(none.check().unwrap_err().setting(), "max_in_flight");
    let hasty = ConcurrencyLimitPolicy::default().max_wait(Duration::ZERO);
    assert_eq!(hasty.check().unwrap_err().setting(), "max_wait");
    assert_eq!(hasty.max_waiting(0).check(), Ok(()));
    let typo = serde_json::from_str::<ConcurrencyLimitPolicy>(r#"{"max_inflight": 3}"#);
    assert!(typo.unwrap_err().to_string().contains("`max_in_flight`"));
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let limited = a.clone().concurrency_limit(one_at_a_time()).unwrap();
    assert_eq!(limited.name(), "a");
    let solution = limited.solve(&challenge()).await.unwrap();
    let _busy = limited.permits().free().unwrap();
    limited.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let policy = ConcurrencyLimitPolicy::default();
    let limited = Named("a").concurrency_limit(policy).unwrap();
    assert_eq!(
        limited.to_string(),
        "a.concurrency_limit(max_in_flight: 10, max_waiting: 20, max_wait: 30s)"
    );
    let refusing = Named("a").concurrency_limit(policy.max_waiting(0)).unwrap();
    assert_eq!(
        refusing.to_string(),
        "a.concurrency_limit(max_in_flight: 10, max_waiting: 0)"
    );
}

#[test]
fn the_worst_case_waits_first() {
    let takes = |policy: ConcurrencyLimitPolicy| {
        let a = MockSolver::new("a").timeout(secs(60)).unwrap();
        a.concurrency_limit(policy).unwrap().worst_case().time
    };
    let policy = ConcurrencyLimitPolicy::default();
    assert_eq!(takes(policy), Some(secs(90)));
    assert_eq!(takes(policy.max_waiting(0)), Some(secs(60)));
}
