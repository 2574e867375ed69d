use drag_solver_core::{Billed, ErrorKind, Ratio, Recovery, Usd};
use drag_solver_mock::{CallStatus, MockSolver, Outcome};
use tokio::time::Instant;

use super::*;
use crate::tests::{Named, Script, challenge, drag, error, job, millis, secs};
use crate::{ConcurrencyLimitPolicy, DragSolverExt, RetryBudgetPolicy};

pub(super) fn mock(name: &'static str) -> MockSolver {
    MockSolver::new(name)
}

pub(super) fn hedge(solvers: &[&MockSolver], policy: impl Into<HedgePolicy>) -> Hedge {
    let solvers = solvers
        .iter()
        .map(|&s| Arc::new(s.clone()) as Arc<dyn DragSolver>);
    Hedge::new(solvers, policy)
}

/// When each call came, counted from `begun`.
fn times(solver: &MockSolver, begun: Instant) -> Vec<Duration> {
    let calls = solver.calls().into_iter();
    calls.map(|call| call.started - begun).collect()
}

#[tokio::test(start_paused = true)]
async fn the_second_is_asked_at_the_very_end_of_the_delay() {
    let (a, b) = (mock("a").answers(secs(20)), mock("b").answers(secs(4)));
    let begun = Instant::now();
    let solution = hedge(&[&a, &b], secs(8)).solve(&challenge()).await.unwrap();
    assert_eq!(solution.solver(), "b");
    assert_eq!(times(&b, begun), [secs(8)]);
    assert_eq!(begun.elapsed(), secs(12));
    assert_eq!(solution.elapsed(), secs(12), "from when the call began");
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_end_of_the_delay_is_in_time() {
    let (a, b) = (mock("a").answers(secs(8)), mock("b"));
    let pair = hedge(&[&a, &b], secs(8));
    let solution = pair.solve(&challenge()).await.unwrap();
    assert_eq!(solution.solver(), "a");
    assert_eq!(b.call_count(), 0);
    assert!(solution.failed_attempts().is_empty());
    assert_eq!(pair.stats().hedged, 0);

    let a = mock("a").answers(millis(8_001));
    let b = mock("b").answers(secs(1));
    let pair = hedge(&[&a, &b], secs(8));
    let solution = pair.solve(&challenge()).await.unwrap();
    assert_eq!((solution.solver(), b.call_count()), ("a", 1));
    assert_eq!((pair.stats().answered, pair.stats().hedged), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_quick_error_never_beats_a_slow_success() {
    for &kind in ErrorKind::ALL {
        if kind.recovery() == Recovery::Stop || kind == ErrorKind::AllFailed {
            continue; // ends all; has no attempt of its own
        }
        let a = mock("a").answers(secs(20));
        let b = mock("b").fails(secs(1), error(kind));
        let begun = Instant::now();
        let solution = hedge(&[&a, &b], secs(8)).solve(&challenge()).await;
        let solution = solution.unwrap();
        assert_eq!(begun.elapsed(), secs(20), "{kind}");
        assert_eq!(solution.solver(), "a");
        assert_eq!(solution.failed_attempts()[0].kind, kind);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_before_the_delay_starts_the_next_at_once() {
    let a = mock("a").fails(secs(3), error(ErrorKind::Unavailable));
    let b = mock("b").answers(secs(4));
    let begun = Instant::now();
    let solution = hedge(&[&a, &b], secs(8)).solve(&challenge()).await.unwrap();
    assert_eq!(times(&b, begun), [secs(3)]);
    assert_eq!(begun.elapsed(), secs(7));
    let [failed] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(
        (failed.kind, failed.elapsed),
        (ErrorKind::Unavailable, secs(3))
    );
}

#[tokio::test(start_paused = true)]
async fn the_delay_counts_from_the_latest_start() {
    let a = mock("a").fails(secs(3), error(ErrorKind::Unavailable));
    let (b, c) = (mock("b").answers(secs(30)), mock("c").answers(secs(2)));
    let begun = Instant::now();
    let three = hedge(&[&a, &b, &c], secs(8));
    let solution = three.solve(&challenge()).await.unwrap();
    assert_eq!(times(&c, begun), [secs(11)]);
    assert_eq!(solution.solver(), "c");
    assert_eq!(begun.elapsed(), secs(13));
}

#[tokio::test(start_paused = true)]
async fn stop_ends_all_and_drops_those_at_work() {
    let a = mock("a").stalls();
    let b = mock("b").fails(secs(1), error(ErrorKind::InvalidChallenge));
    let c = mock("c");
    let three = hedge(&[&a, &b, &c], secs(8));
    let begun = Instant::now();
    let stopped = three.solve(&challenge()).await.unwrap_err();
    assert_eq!(begun.elapsed(), secs(9));
    assert_eq!(stopped.kind(), ErrorKind::InvalidChallenge);
    assert_eq!(a.calls()[0].status, CallStatus::Dropped);
    assert_eq!((a.in_flight(), c.call_count()), (0, 0));
    assert_eq!(stopped.billed(), Billed::Maybe, "a may send a bill");
    let brought = job("a", 1);
    assert_eq!(stopped.unfinished_jobs(), [brought]);
    assert_eq!(three.stats().abandoned.answers, 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_make_the_deadline_does_not_end_those_at_work() {
    let a = mock("a").answers(secs(20));
    let b = mock("b").fails(Duration::ZERO, error(ErrorKind::DeadlineExceeded));
    let pair = hedge(&[&a, &b], secs(8));
    let solution = pair.solve(&challenge().within(secs(25))).await.unwrap();
    assert_eq!(solution.solver(), "a");

    let a = mock("a").fails(Duration::ZERO, error(ErrorKind::DeadlineExceeded));
    let b = mock("b");
    let pair = hedge(&[&a, &b], secs(8));
    let alone = pair.solve(&challenge().within(secs(25))).await.unwrap_err();
    assert_eq!(alone.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(b.call_count(), 0, "as in a fallback");
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_every_unfinished_job_is_in_the_error() {
    let (a, b) = (mock("a").stalls(), mock("b").stalls());
    let begun = Instant::now();
    let late = hedge(&[&a, &b], secs(8))
        .solve(&challenge().within(secs(30)))
        .await
        .unwrap_err();
    assert_eq!(begun.elapsed(), secs(30));
    assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
    let jobs = ["a", "b"].map(|name| job(name, 1));
    assert_eq!(late.unfinished_jobs(), jobs);
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_deadline_beats_the_deadline() {
    let (a, b) = (mock("a").stalls(), mock("b").answers(secs(12)));
    let pair = hedge(&[&a, &b], secs(8));
    let solution = pair.solve(&challenge().within(secs(20))).await.unwrap();
    assert_eq!(solution.solver(), "b");
    assert_eq!(solution.failed_attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_cannot_finish_is_not_bought() {
    for (limit, asked) in [(millis(12_999), 0), (secs(13), 1)] {
        let (a, b) = (mock("a").stalls(), mock("b").stalls());
        let begun = Instant::now();
        let pair = hedge(&[&a, &b], secs(8)); // and 5 s to answer
        let late = pair.solve(&challenge().within(limit)).await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(begun.elapsed(), limit);
        assert_eq!(b.call_count(), asked, "{limit:?}");
    }
    // Nor after an error.
    let a = mock("a").fails(secs(3), error(ErrorKind::Unavailable));
    let b = mock("b");
    let pair = hedge(&[&a, &b], secs(8));
    let late = pair.solve(&challenge().within(secs(7))).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(late.message(), "too little time was left to ask b");
    assert_eq!(late.attempts()[0].kind, ErrorKind::Unavailable);
    assert_eq!(b.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn with_no_minimum_a_hedge_still_starts_before_the_deadline() {
    let policy = HedgePolicy::from(secs(8)).min_time_left(Duration::ZERO);
    for (limit, asked) in [(secs(8), 0), (millis(8_001), 1)] {
        let (a, b) = (mock("a").stalls(), mock("b").stalls());
        let pair = hedge(&[&a, &b], policy);
        pair.solve(&challenge().within(limit)).await.unwrap_err();
        assert_eq!(b.call_count(), asked, "{limit:?}");
    }
    let (a, b) = (mock("a").exceeds_deadline(), mock("b").stalls());
    let pair = hedge(&[&a, &b], policy).deadline(secs(30));
    let at_the_deadline = pair.solve(&challenge().within(secs(8))).await;
    at_the_deadline.unwrap_err();
    assert_eq!(b.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn all_failed_keeps_every_attempt_in_order() {
    let a = mock("a").fails(secs(20), error(ErrorKind::Unavailable));
    let b = mock("b").fails(secs(1), error(ErrorKind::Protocol));
    let all = hedge(&[&a, &b], secs(8))
        .solve(&challenge())
        .await
        .unwrap_err();
    assert_eq!(all.kind(), ErrorKind::AllFailed);
    assert_eq!(all.recovery(), Recovery::Retry);
    let attempts: Vec<_> = all.attempts().iter().map(|a| (a.kind, a.elapsed)).collect();
    let expected = [
        (ErrorKind::Protocol, secs(1)),
        (ErrorKind::Unavailable, secs(20)),
    ];
    assert_eq!(attempts, expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_polled_does_nothing() {
    let (a, b) = (mock("a"), mock("b"));
    let pair = hedge(&[&a, &b], secs(8));
    drop(pair.solve(&challenge()));
    assert_eq!(a.call_count(), 0);
    assert_eq!(pair.stats(), HedgeStats::default());
}

#[tokio::test(start_paused = true)]
async fn a_report_goes_to_the_winner_and_to_no_loser() {
    // Both have one name: nothing but the route tells them apart.
    let (a, b) = (mock("a").stalls(), mock("a").answers(secs(4)));
    let pair = hedge(&[&a, &b], secs(8));
    let solution = pair.solve(&challenge()).await.unwrap();
    pair.report(&solution, Verdict::Incorrect).await.unwrap();
    assert!(a.heard().is_empty());
    assert_eq!(b.heard().len(), 1);
    assert!(
        b.heard()[0].0.pop_route().is_none(),
        "b sees its own answer"
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_stops_hedges_but_not_the_next_after_an_error() {
    let policy = RetryBudgetPolicy::default().burst(1).ratio(Ratio::ZERO);
    let budget = RetryBudget::new(policy);
    let slow = Outcome::answer(drag()).after(secs(20));
    let (a, b) = (mock("a").then_times(2, slow), mock("b").answers(secs(1)));
    let pair = hedge(&[&a, &b], secs(8)).with_retry_budget(budget.clone());
    assert_eq!(pair.solve(&challenge()).await.unwrap().solver(), "b");
    assert_eq!(budget.available(), 0);
    assert_eq!(pair.solve(&challenge()).await.unwrap().solver(), "a");
    assert_eq!(b.call_count(), 1);

    a.push(ErrorKind::Unavailable);
    b.push(drag());
    assert_eq!(pair.solve(&challenge()).await.unwrap().solver(), "b");
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_is_not_made_takes_no_token() {
    let policy = RetryBudgetPolicy::default().burst(1).ratio(Ratio::ZERO);
    let budget = RetryBudget::new(policy);
    let (a, b) = (mock("a").answers(secs(3)), mock("b"));
    let pair = hedge(&[&a, &b], secs(8)).with_retry_budget(budget.clone());
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(budget.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn huge_delays_do_not_panic() {
    let (a, b) = (mock("a").answers(secs(20)), mock("b"));
    let policy = HedgePolicy::from(Duration::MAX).min_time_left(Duration::MAX);
    let pair = hedge(&[&a, &b], policy);
    pair.solve(&challenge().within(secs(60))).await.unwrap();
    assert_eq!(b.call_count(), 0);
    let _ = pair.profile().worst_case;
}

#[test]
fn the_worst_case_counts_every_solver_and_every_delay() {
    let of = |name, seconds, micros| {
        let worst = WorstCase::one_purchase().with_time(secs(seconds));
        mock(name).with_worst_case(worst.with_cost(Usd::from_micros(micros)))
    };
    let pair = hedge(&[&of("a", 60, 900), &of("b", 60, 1_200)], secs(8));
    assert_eq!(
        pair.profile().worst_case.to_string(),
        "2 answers, 68s, $0.0021"
    );
    // The second starts when the first has failed, at the latest.
    let pair = hedge(&[&of("a", 5, 900), &of("b", 60, 1_200)], secs(8));
    assert_eq!(
        pair.profile().worst_case.to_string(),
        "2 answers, 65s, $0.0021"
    );
    let policy = HedgePolicy::from(secs(8)).quantile(Ratio::percent(90));
    let three = hedge(&[&of("a", 60, 1), &of("b", 60, 1), &of("c", 60, 1)], policy);
    assert_eq!(
        three.profile().worst_case.to_string(),
        "3 answers, 120s, $0.000003"
    );
    // Without a token none starts before the one in front has failed.
    let budget = RetryBudget::new(RetryBudgetPolicy::default());
    let pair = hedge(&[&of("a", 60, 900), &of("b", 60, 1_200)], secs(8)).with_retry_budget(budget);
    assert_eq!(pair.profile().worst_case.time, Some(secs(120)));
}

#[tokio::test(start_paused = true)]
async fn the_worst_case_is_reached_and_not_exceeded() {
    let pair = |order: [u64; 2]| {
        let [a, b] = order.map(|seconds| {
            let worst = WorstCase::one_purchase().with_time(secs(seconds));
            mock(if seconds == order[0] { "a" } else { "b" })
                .fails(secs(seconds), error(ErrorKind::Unavailable))
                .with_worst_case(worst)
        });
        hedge(&[&a, &b], secs(8))
    };
    for (order, resumed) in [([60, 61], None), ([61, 60], None), ([61, 20], Some("b"))] {
        let pair = pair(order);
        let begun = Instant::now();
        let challenge = resumed.map_or_else(challenge, |name| challenge().resume_job(job(name, 1)));
        pair.solve(&challenge).await.unwrap_err();
        let bound = pair.profile().worst_case.time.unwrap();
        assert!(
            begun.elapsed() <= bound,
            "{order:?} {:?} {bound:?}",
            begun.elapsed()
        );
        assert!(begun.elapsed() + secs(9) > bound, "{order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_solver_is_asked_as_if_alone_and_with_none_there_is_none_to_ask() {
    let a = mock("a").answers(secs(20));
    let alone = hedge(&[&a], secs(8));
    assert_eq!(alone.solve(&challenge()).await.unwrap().solver(), "a");
    let none = hedge(&[], secs(8)).solve(&challenge()).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::AllFailed);
    assert_eq!(none.message(), "there is no solver to ask");
    let _ = hedge(&[], secs(8)).profile();
}

/// Answers of 6 s, hedged after 8 s, with one permit inside: what waits for the permit is our own
/// queue, and not the provider's slowness.
#[tokio::test(start_paused = true)]
async fn the_delay_runs_from_when_the_solver_is_asked_and_not_while_the_call_waits_here() {
    let slow = Outcome::answer(drag()).after(secs(6));
    let (a, b) = (mock("a").always(slow), mock("b").always(drag()));
    let one_at_a_time = ConcurrencyLimitPolicy::default().max_in_flight(1);
    let pair = a
        .clone()
        .concurrency_limit(one_at_a_time)
        .hedge(b.clone(), secs(8));
    let challenge = challenge();
    let (first, second) = tokio::join!(pair.solve(&challenge), pair.solve(&challenge));
    assert_eq!(
        (first.unwrap().solver(), second.unwrap().solver()),
        ("a", "a")
    );
    assert_eq!((a.purchases(), b.purchases()), (2, 0));
    assert_eq!(pair.stats().hedged, 0);

    // Asked at 6 s and silent, it is hedged at 14 s.
    let a = mock("a")
        .then(Outcome::answer(drag()).after(secs(6)))
        .stalls();
    let pair = a
        .clone()
        .concurrency_limit(one_at_a_time)
        .hedge(b.clone(), secs(8));
    let begun = Instant::now();
    let (_, second) = tokio::join!(pair.solve(&challenge), pair.solve(&challenge));
    assert_eq!(second.unwrap().solver(), "b");
    assert_eq!(begun.elapsed(), secs(14));
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let pair = Named("a").hedge(Named("b"), secs(8));
    assert_eq!(pair.name(), "a|b");
    assert_eq!(
        pair.to_string(),
        "hedge[a, b](delay: 8s, min_time_left: 5s)"
    );
    let policy = HedgePolicy::default().quantile(Ratio::percent(95));
    assert_eq!(
        Named("a").hedge(Named("b"), policy).to_string(),
        "hedge[a, b](delay: 10s, quantile: 0.95, min_samples: 20, max_delay: 30s, min_time_left: 5s)"
    );
}
