use std::sync::Arc;

use drag_solver_core::{Billed, CheckSettings, Event, Recovery, Usd, Verdict};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::tests::{Named, Script, challenge, drag, error, job, millis, secs};
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
    let limited = a.clone().concurrency_limit(one_at_a_time());
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
async fn a_newcomer_does_not_overtake_a_call_that_waits() {
    let a = answers_after(secs(10));
    let limited = Arc::new(a.clone().concurrency_limit(one_at_a_time()));
    let challenge = challenge();
    let mut first = limited.solve(&challenge);
    let mut second = limited.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut first).await.is_err());
    assert!(tokio::time::timeout(secs(1), &mut second).await.is_err());
    first.await.unwrap(); // the permit is the second's now, though it was not polled since
    assert!(limited.permits().free().is_none());
    assert_eq!(limited.permits().in_flight(), 1);
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once() {
    let a = answers_after(secs(10));
    let policy = one_at_a_time().max_waiting(1);
    let limited = a.clone().concurrency_limit(policy);
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
    assert_eq!(refused.billed(), Billed::No);
    assert_eq!(
        refused.to_string(),
        "a: nothing was sent: 1 calls are under way and 1 wait, which is all that \
         concurrency_limit allows (overloaded; retry after 1s)"
    );
}

#[tokio::test(start_paused = true)]
async fn with_no_queue_a_call_that_finds_no_permit_is_refused() {
    for policy in [
        one_at_a_time().max_waiting(0),
        one_at_a_time().max_wait(Duration::ZERO),
    ] {
        let limited = answers_after(secs(10)).concurrency_limit(policy);
        let challenge = challenge();
        let (first, second) = tokio::join!(limited.solve(&challenge), limited.solve(&challenge));
        first.unwrap();
        let refused = second.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Overloaded);
        assert_eq!(refused.retry_after(), Some(secs(1)));
        let none_waits = "1 calls are under way and 0 wait";
        assert!(refused.message().contains(none_waits), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn patience_ends_to_the_millisecond() {
    for (busy_for, admitted) in [(millis(4_999), true), (millis(5_001), false)] {
        let a = answers_after(busy_for);
        let policy = one_at_a_time().max_wait(secs(5));
        let limited = a.clone().concurrency_limit(policy);
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
async fn no_call_waits_past_the_deadline() {
    // A permit that comes at the very instant is too late: there is no time left for an answer.
    for busy_for in [secs(3), secs(10)] {
        let a = answers_after(busy_for);
        let limited = a.clone().concurrency_limit(one_at_a_time());
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
        assert_eq!(late.billed(), Billed::No);
        assert_eq!(a.call_count(), 1);
        assert_eq!(limited.permits().in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gave_up_is_not_granted_a_permit() {
    let a = answers_after(secs(10));
    let limited = a.clone().concurrency_limit(one_at_a_time());
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
    let limited = a.concurrency_limit(one_at_a_time());
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
    let limited = a.clone().concurrency_limit(one_at_a_time());
    let permits = limited.permits().clone();
    let chain = limited.retry(RetryPolicy::default());
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
    let permits = Permits::new(one_at_a_time());
    let first = a.concurrency_limit(&permits);
    let clone = first.clone();
    let second = b.concurrency_limit(&permits);
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
    let limited = answers_after(secs(1)).concurrency_limit(policy);
    limited.solve(&challenge()).await.unwrap();
    let patient = policy.max_in_flight(1);
    let limited = answers_after(secs(1)).concurrency_limit(patient);
    let challenge = challenge();
    let (first, second) = tokio::join!(limited.solve(&challenge), limited.solve(&challenge));
    first.unwrap();
    second.unwrap();
}

#[test]
fn what_a_file_may_not_say_is_named() {
    let hasty = ConcurrencyLimitPolicy::default().max_wait(Duration::ZERO);
    assert_eq!(hasty.check().unwrap_err().path(), "max_wait");
    assert_eq!(hasty.max_waiting(0).check(), Ok(()));
    let none = serde_json::from_str::<ConcurrencyLimitPolicy>(r#"{"max_in_flight": 0}"#);
    assert!(none.is_err());
    let none = Permits::new(ConcurrencyLimitPolicy::default().max_in_flight(0));
    assert!(none.free().is_some(), "in code, 0 counts as 1");
    let typo = serde_json::from_str::<ConcurrencyLimitPolicy>(r#"{"max_inflight": 3}"#);
    assert!(typo.unwrap_err().to_string().contains("`max_in_flight`"));
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_ten_times_the_permits_loses_nothing_that_had_time_to_wait() {
    let a = answers_after(secs(6));
    let policy = ConcurrencyLimitPolicy::default().max_in_flight(50);
    let limited = Arc::new(a.clone().concurrency_limit(policy));
    let begun = Instant::now();
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let limited = Arc::clone(&limited);
            tokio::spawn(async move { limited.solve(&challenge().within(secs(120))).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(begun.elapsed(), secs(60));
    assert_eq!((a.purchases(), a.max_in_flight()), (500, 50));
}

/// What a call says of its waits.
async fn waits_of(limited: &ConcurrencyLimit<MockSolver>, deadline: Duration) -> Vec<String> {
    #[derive(Debug, Default)]
    struct Waits(std::sync::Mutex<Vec<String>>);

    #[async_trait]
    impl drag_solver_core::Observer for Waits {
        async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
            let wait = match event {
                Event::Waiting { solver, reason } => format!("{solver} waits for {reason}"),
                Event::WaitEnded { solver } => format!("{solver} waits no more"),
                _ => return Ok(()),
            };
            self.0.lock().unwrap().push(wait);
            Ok(())
        }
    }

    let waits = Arc::new(Waits::default());
    let observed = challenge()
        .within(deadline)
        .with_observer(Arc::clone(&waits) as _);
    let _ = limited.solve(&observed).await;
    waits.0.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_real_wait_is_told_and_a_free_permit_is_not() {
    let limited = answers_after(secs(5)).concurrency_limit(one_at_a_time());
    let told = ["a waits for a permit", "a waits no more"];
    let (first, second, late) = tokio::join!(
        waits_of(&limited, secs(60)),
        waits_of(&limited, secs(60)),
        waits_of(&limited, secs(2)),
    );
    assert_eq!(first, [""; 0]);
    assert_eq!(second, told);
    assert_eq!(late, told, "one that waited in vain waits no more either");
}

#[tokio::test(start_paused = true)]
async fn a_resume_needs_no_permit_and_a_refusal_hands_back_the_jobs_of_others() {
    let a = answers_after(secs(10));
    let policy = one_at_a_time().max_waiting(0);
    let limited = a.clone().or(Named("b")).concurrency_limit(policy);
    let _busy = limited.permits().free().unwrap();
    let begun = Instant::now();
    let resumed = challenge().resume_job(job("a", 7));
    limited.solve(&resumed).await.unwrap();
    assert_eq!(begun.elapsed(), secs(10));
    assert_eq!((a.purchases(), limited.permits().in_flight()), (0, 1));
    let elsewhere = challenge().resume_job(job("c", 9));
    for challenge in [elsewhere.clone(), elsewhere.within(Duration::ZERO)] {
        let refused = limited.solve(&challenge).await.unwrap_err();
        assert_eq!(refused.unfinished_jobs(), [job("c", 9)], "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_books_nothing() {
    let budget = crate::Budget::new(crate::BudgetPolicy::default().total(Usd::from_micros(9_000)));
    let limited = answers_after(secs(10)).concurrency_limit(one_at_a_time());
    let permits = limited.permits().clone();
    let chain = limited.budget(&budget, Usd::from_micros(900));
    let _busy = permits.free().unwrap();
    let challenge = challenge();
    for _ in 0..5 {
        let call = tokio::time::timeout(secs(1), chain.solve(&challenge));
        assert!(call.await.is_err());
    }
    assert_eq!((budget.spent(), budget.reserved()), (Usd::ZERO, Usd::ZERO));
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let limited = a.clone().concurrency_limit(one_at_a_time());
    assert_eq!(limited.name(), "a");
    let solution = limited.solve(&challenge()).await.unwrap();
    let _busy = limited.permits().free().unwrap();
    limited.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let policy = ConcurrencyLimitPolicy::default();
    let limited = Named("a").concurrency_limit(policy);
    assert_eq!(
        limited.to_string(),
        "a.concurrency_limit(max_in_flight: 10)"
    );
    let bounded = policy.max_waiting(20).max_wait(secs(90));
    assert_eq!(
        Named("a").concurrency_limit(bounded).to_string(),
        "a.concurrency_limit(max_in_flight: 10, max_waiting: 20, max_wait: 1m 30s)"
    );
}

#[test]
fn the_worst_case_waits_first() {
    let takes = |policy: ConcurrencyLimitPolicy| {
        let a = MockSolver::new("a").timeout(secs(60));
        a.concurrency_limit(policy).profile().worst_case.time
    };
    let policy = ConcurrencyLimitPolicy::default();
    assert_eq!(takes(policy), None, "as long as the deadline allows");
    assert_eq!(takes(policy.max_wait(secs(30))), Some(secs(90)));
    assert_eq!(takes(policy.max_waiting(0)), Some(secs(60)));
    let due = Named("a").concurrency_limit(policy).deadline(secs(100));
    assert_eq!(due.profile().worst_case.time, Some(secs(100)));
}

#[tokio::test(start_paused = true)]
async fn under_a_lower_limit_none_begins_until_fewer_are_under_way() {
    let a = answers_after(secs(10));
    let permits = Permits::new(ConcurrencyLimitPolicy::default().max_in_flight(5));
    let limited = a.clone().concurrency_limit(&permits);
    let challenge = challenge();
    let begun = Instant::now();
    let calls: Vec<_> = (0..8_u64)
        .map(|index| {
            let (limited, challenge) = (&limited, &challenge);
            async move {
                // Four are under way, and four wait from when the limit is lowered on.
                tokio::time::sleep(secs(index.min(4))).await;
                if index == 4 {
                    let policy = limited.permits().policy().max_in_flight(2);
                    limited.permits().set_policy(policy);
                    assert_eq!(limited.permits().in_flight(), 4);
                }
                limited.solve(challenge).await.unwrap();
            }
        })
        .collect();
    let mut calls: Vec<_> = calls.into_iter().map(Box::pin).collect();
    let all = std::future::poll_fn(|cx| {
        calls.retain_mut(|call| call.as_mut().poll(cx).is_pending());
        if calls.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    });
    all.await;
    let starts: Vec<_> = a.calls().iter().map(|call| call.started - begun).collect();
    // They end at 10, 11, 12 and 13 s: at 12 s one is left, which makes room for one.
    let expected = [0, 1, 2, 3, 12, 13, 22, 23].map(secs);
    assert_eq!(starts, expected);
    assert_eq!((permits.in_flight(), permits.waiting()), (0, 0));
    permits.set_policy(permits.policy().max_in_flight(3));
    let held: Vec<_> = std::iter::from_fn(|| permits.free()).collect();
    assert_eq!(held.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_lets_those_in_that_wait() {
    let permits = Permits::new(one_at_a_time());
    let limited = answers_after(secs(10)).concurrency_limit(&permits);
    let challenge = challenge();
    let begun = Instant::now();
    let raise = async {
        tokio::time::sleep(secs(3)).await;
        permits.set_policy(one_at_a_time().max_in_flight(2));
    };
    let (first, second, ()) =
        tokio::join!(limited.solve(&challenge), limited.solve(&challenge), raise);
    first.unwrap();
    second.unwrap();
    assert_eq!(begun.elapsed(), secs(13));
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_was_granted_and_not_taken_is_not_one_too_many() {
    let permits = Permits::new(one_at_a_time().max_in_flight(2));
    let held = (permits.free().unwrap(), permits.free().unwrap());
    let mut waits = Box::pin(permits.queue().unwrap().permit_by(None));
    let polled = tokio::time::timeout(Duration::ZERO, &mut waits).await;
    assert!(polled.is_err(), "it waits");
    drop(held.0); // the waiter's now, though it was not polled since
    permits.set_policy(one_at_a_time());
    drop(waits);
    assert_eq!(permits.in_flight(), 1);
    assert!(permits.free().is_none());
    drop(held.1);
    let held = permits.free().unwrap();
    assert!(permits.free().is_none());
    drop(held);
}

#[test]
fn however_often_the_limit_changes_meanwhile_there_are_as_many_permits_as_it_says() {
    let policy = ConcurrencyLimitPolicy::default();
    let permits = Permits::new(policy);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let held = (permits.free(), permits.free());
                    drop(held);
                }
            });
        }
        for step in 0..5_000 {
            permits.set_policy(policy.max_in_flight(1 + step % 7));
        }
    });
    permits.set_policy(policy.max_in_flight(3));
    let held: Vec<_> = std::iter::from_fn(|| permits.free()).collect();
    assert_eq!((held.len(), permits.in_flight()), (3, 3));
}
