use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{CheckSettings, Event, Recovery, Verdict};
use drag_solver_mock::MockSolver;

use super::*;
use crate::DragSolverExt;
use crate::tests::{Named, Script, challenge, drag, millis, secs};

/// One call every ten seconds.
pub(super) fn slow() -> RateLimitPolicy {
    RateLimitPolicy::default()
        .max_calls(6)
        .burst(1)
        .max_wait(secs(3_600))
}

pub(super) fn answers() -> MockSolver {
    MockSolver::new("a").always(drag())
}

/// When each call reached the solver, counted from `begun`.
pub(super) fn times(solver: &MockSolver, begun: Instant) -> Vec<Duration> {
    let calls = solver.calls();
    calls.iter().map(|call| call.started - begun).collect()
}

/// Polls a call once, so that it takes its place.
pub(super) async fn enters<F: Future + Unpin>(call: &mut F) {
    assert!(
        tokio::time::timeout(Duration::ZERO, call).await.is_err(),
        "it must wait"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_are_spread_to_the_instant() {
    let a = answers();
    let limited = a.clone().rate_limit(slow().burst(2));
    let begun = Instant::now();
    let challenge = challenge();
    for _ in 0..4 {
        limited.solve(&challenge).await.unwrap();
    }
    tokio::time::advance(secs(5)).await; // half an interval
    limited.solve(&challenge).await.unwrap();
    tokio::time::advance(secs(100)).await; // the burst is whole again, and no larger
    for _ in 0..3 {
        limited.solve(&challenge).await.unwrap();
    }
    let expected = [0, 0, 10, 20, 30, 130, 130, 140].map(secs);
    assert_eq!(times(&a, begun), expected);
}

#[tokio::test(start_paused = true)]
async fn no_period_has_more_calls_than_the_policy_says() {
    // A limit per window would let 2 * 60 calls through around the edge of a window.
    let a = answers();
    let policy = RateLimitPolicy::default().burst(10).max_wait(secs(3_600));
    let limited = a.clone().rate_limit(policy);
    let challenge = challenge();
    for pause in [millis(59_500), millis(700), secs(17)] {
        tokio::time::sleep(pause).await;
        for _ in 0..70 {
            limited.solve(&challenge).await.unwrap();
        }
    }
    let starts: Vec<Instant> = a.calls().iter().map(|call| call.started).collect();
    let most = starts.iter().map(|&from| {
        let within = |&&at: &&Instant| at >= from && at - from < secs(60);
        starts.iter().filter(within).count()
    });
    assert_eq!(most.max(), Some(60 + 10 - 1));
}

#[tokio::test(start_paused = true)]
async fn turns_come_in_order() {
    let limited = Arc::new(answers().rate_limit(slow()));
    let begun = Instant::now();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let callers: Vec<_> = (0..4)
        .map(|number| {
            let (limited, order) = (Arc::clone(&limited), Arc::clone(&order));
            tokio::spawn(async move {
                limited.solve(&challenge()).await.unwrap();
                order.lock().unwrap().push((number, begun.elapsed()));
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let expected = [(0, secs(0)), (1, secs(10)), (2, secs(20)), (3, secs(30))];
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_a_call_that_waits() {
    let limited = answers().rate_limit(slow().burst(2));
    let challenge = challenge();
    limited.solve(&challenge).await.unwrap();
    limited.solve(&challenge).await.unwrap();
    let mut third = limited.solve(&challenge);
    enters(&mut third).await;
    tokio::time::advance(secs(100)).await; // two slots are free, and the third has yet to wake up
    let mut newcomer = limited.solve(&challenge);
    enters(&mut newcomer).await;
    third.await.unwrap();
    newcomer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_fit_the_deadline_is_not_begun() {
    for (deadline, admitted) in [
        (millis(9_999), false),
        (secs(10), false),
        (millis(10_001), true),
    ] {
        let a = answers();
        let limited = a.clone().rate_limit(slow());
        limited.solve(&challenge()).await.unwrap();
        let begun = Instant::now();
        let outcome = limited.solve(&challenge().within(deadline)).await;
        if admitted {
            outcome.unwrap();
            assert_eq!(begun.elapsed(), secs(10));
            continue;
        }
        let refused = outcome.unwrap_err();
        assert_eq!(begun.elapsed(), Duration::ZERO, "it must fail now");
        assert_eq!(a.call_count(), 1);
        assert_eq!(refused.kind(), ErrorKind::Overloaded);
        assert_eq!(refused.recovery(), Recovery::Switch);
        assert_eq!(refused.billed(), Billed::No);
        assert_eq!(refused.retry_after(), Some(secs(10)));
        assert_eq!(
            refused.message(),
            format!(
                "nothing was sent: with 6 calls per 60s the next turn is in 10s, and the deadline \
                 is in {deadline:?}"
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_longer_than_max_wait() {
    for (max_wait, admitted) in [(millis(9_999), false), (secs(10), true)] {
        let limited = answers().rate_limit(slow().max_wait(max_wait));
        limited.solve(&challenge()).await.unwrap();
        let begun = Instant::now();
        let outcome = limited.solve(&challenge()).await;
        assert_eq!(outcome.is_ok(), admitted, "{max_wait:?}");
        if let Err(refused) = outcome {
            assert_eq!(begun.elapsed(), Duration::ZERO);
            assert!(refused.message().ends_with("and max_wait is 9.999s"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_nearer_of_the_two_limits() {
    for (deadline, named) in [
        (secs(3), "and the deadline is in 3s"),
        (secs(5), "and the deadline is in 5s"),
        (secs(8), "and max_wait is 5s"),
    ] {
        let limited = answers().rate_limit(slow().max_wait(secs(5)));
        limited.solve(&challenge()).await.unwrap();
        let refused = limited.solve(&challenge().within(deadline)).await;
        let refused = refused.unwrap_err();
        assert!(refused.message().ends_with(named), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_back_after_retry_after_has_a_slot() {
    let limited = answers().rate_limit(slow());
    let challenge = challenge();
    limited.solve(&challenge).await.unwrap();
    let mut second = limited.solve(&challenge);
    enters(&mut second).await;
    let hasty = challenge.clone().within(secs(15));
    let refused = limited.solve(&hasty).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(secs(20)), "behind the second");
    let (second, third) = tokio::join!(second, async {
        tokio::time::sleep(secs(20)).await;
        let begun = Instant::now();
        limited.solve(&challenge).await.unwrap();
        begun.elapsed()
    });
    second.unwrap();
    assert_eq!(third, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_told_as_one_and_a_free_slot_is_not() {
    #[derive(Debug, Default)]
    struct Reasons(std::sync::Mutex<Vec<&'static str>>);

    #[async_trait]
    impl drag_solver_core::Observer for Reasons {
        async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
            let reason = match event {
                Event::Waiting { reason, .. } => reason,
                Event::WaitEnded { .. } => "no more",
                _ => return Ok(()),
            };
            self.0.lock().unwrap().push(reason);
            Ok(())
        }
    }

    let limited = answers().rate_limit(slow());
    let reasons = Arc::new(Reasons::default());
    let observed = challenge().with_observer(Arc::clone(&reasons) as _);
    limited.solve(&observed).await.unwrap();
    assert!(reasons.0.lock().unwrap().is_empty());
    limited.solve(&observed).await.unwrap();
    assert_eq!(*reasons.0.lock().unwrap(), ["its turn", "no more"]);
}

#[tokio::test(start_paused = true)]
async fn clones_and_sharers_are_under_one_limit() {
    let (a, b) = (answers(), answers());
    let limiter = RateLimiter::new(slow());
    let first = a.rate_limit(&limiter);
    let clone = first.clone();
    let second = b.rate_limit(&limiter);
    let begun = Instant::now();
    first.solve(&challenge()).await.unwrap();
    second.solve(&challenge()).await.unwrap();
    clone.solve(&challenge()).await.unwrap();
    assert_eq!(begun.elapsed(), secs(20));
}

#[tokio::test(start_paused = true)]
async fn intervals_are_rounded_up() {
    let policy = RateLimitPolicy::default().max_calls(7);
    assert_eq!(policy.interval(), Duration::from_nanos(8_571_428_572));
    assert!(policy.interval() * 7 >= policy.period);
    let a = answers();
    let limited = a.clone().rate_limit(policy.burst(1));
    let begun = Instant::now();
    limited.solve(&challenge()).await.unwrap();
    limited.solve(&challenge()).await.unwrap();
    assert_eq!(
        times(&a, begun)[1],
        millis(8_572),
        "timers count milliseconds"
    );
}

#[tokio::test(start_paused = true)]
async fn huge_settings_do_not_panic() {
    let policies = [
        slow().period(Duration::MAX).max_wait(Duration::MAX),
        slow().max_calls(u32::MAX).burst(u32::MAX),
        slow().max_calls(1).period(Duration::MAX).burst(u32::MAX),
        slow()
            .period(Duration::from_nanos(1))
            .max_wait(Duration::ZERO),
    ];
    for policy in policies {
        let limited = answers().rate_limit(policy);
        limited.solve(&challenge()).await.unwrap();
        let hasty = challenge().within(secs(1));
        if let Err(refused) = limited.solve(&hasty).await {
            assert_eq!(refused.kind(), ErrorKind::Overloaded, "{policy:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_file_may_not_say_is_named_and_code_gets_what_the_docs_promise() {
    let endless = RateLimitPolicy::default().period(Duration::ZERO);
    assert_eq!(endless.check().unwrap_err().path(), "period");
    for bad in [r#"{"max_calls": 0}"#, r#"{"burst": 0}"#] {
        assert!(
            serde_json::from_str::<RateLimitPolicy>(bad).is_err(),
            "{bad}"
        );
    }
    let typo = serde_json::from_str::<RateLimitPolicy>(r#"{"calls": 3}"#);
    assert!(typo.unwrap_err().to_string().contains("`max_calls`"));

    let begun = Instant::now();
    let limited = answers().rate_limit(endless.burst(0).max_wait(Duration::ZERO));
    for _ in 0..99 {
        limited.solve(&challenge()).await.unwrap();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let one = RateLimitPolicy::default().max_calls(0);
    assert_eq!(one.interval(), secs(60), "0 counts as 1");
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let limited = a.clone().rate_limit(slow());
    assert_eq!(limited.name(), "a");
    let solution = limited.solve(&challenge()).await.unwrap();
    limited.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let limited = Named("a").rate_limit(RateLimitPolicy::default());
    assert_eq!(
        limited.to_string(),
        "a.rate_limit(max_calls: 60, period: 1m, burst: 5)"
    );
}

#[test]
fn the_worst_case_waits_first() {
    let takes = |policy: RateLimitPolicy| {
        let a = MockSolver::new("a").timeout(secs(60));
        a.rate_limit(policy).profile().worst_case.time
    };
    let policy = RateLimitPolicy::default();
    assert_eq!(takes(policy), None, "as long as the deadline allows");
    assert_eq!(takes(policy.max_wait(secs(30))), Some(secs(90)));
}

#[tokio::test(start_paused = true)]
async fn new_settings_move_the_turns_of_those_that_wait() {
    for (max_calls, expected) in [(60, [0, 5, 6, 7]), (3, [0, 20, 40, 60])] {
        let a = answers();
        let limited = a.clone().rate_limit(slow());
        let begun = Instant::now();
        let challenge = challenge();
        let solve = || limited.solve(&challenge);
        let change = async {
            tokio::time::sleep(secs(5)).await;
            limited.limiter().set_policy(slow().max_calls(max_calls));
        };
        let (first, second, third, fourth, ()) =
            tokio::join!(solve(), solve(), solve(), solve(), change);
        for outcome in [first, second, third, fourth] {
            outcome.unwrap();
        }
        assert_eq!(times(&a, begun), expected.map(secs), "{max_calls}");
    }
}
