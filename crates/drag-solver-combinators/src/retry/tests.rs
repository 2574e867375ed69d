use std::sync::Arc;

use drag_solver_core::{Ratio, Verdict, WorstCase};

use drag_solver_mock::MockSolver;

use super::*;
use crate::tests::{Named, Script, challenge, error, millis, secs};
use crate::{DragSolverExt, Fallback};

pub(super) const SEED: u64 = 42;

/// The waits that a retry with this seed draws, in order.
pub(super) fn waits(policy: RetryPolicy, count: u32) -> Vec<Duration> {
    let jitter = Jitter::seeded(SEED);
    (1..=count)
        .map(|failures| policy.backoff(failures, jitter.fraction()))
        .collect()
}

pub(super) fn unavailable() -> SolveError {
    error(ErrorKind::Unavailable)
}

/// When each call came, counted from `begun`.
fn times(solver: &MockSolver, begun: Instant) -> Vec<Duration> {
    solver
        .calls()
        .iter()
        .map(|call| call.started - begun)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn waits_are_jittered_and_end_to_the_millisecond() {
    let a = MockSolver::new("a")
        .fails(secs(1), unavailable())
        .fails(secs(2), unavailable())
        .answers(secs(3));
    let policy = RetryPolicy::default();
    let retry = a.clone().retry(policy).with_seed(SEED);
    let begun = Instant::now();
    let solution = retry.solve(&challenge()).await.unwrap();
    let [first, second] = waits(policy, 2)[..] else {
        unreachable!()
    };
    assert!(!first.is_zero() && first < millis(500) && second < millis(1_000));
    let expected = [Duration::ZERO, secs(1) + first, secs(3) + first + second];
    assert_eq!(times(&a, begun), expected);
    assert_eq!(begun.elapsed(), secs(6) + first + second);
    assert_eq!(solution.elapsed(), begun.elapsed());
    let attempts = solution.failed_attempts();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[1].elapsed, secs(2));
}

#[tokio::test(start_paused = true)]
async fn every_call_draws_its_own_jitter() {
    let policy = RetryPolicy::default().max_attempts(2);
    let a = MockSolver::new("a")
        .fails(Duration::ZERO, unavailable())
        .answers(Duration::ZERO)
        .fails(Duration::ZERO, unavailable())
        .answers(Duration::ZERO);
    let retry = a.clone().retry(policy).with_seed(SEED);
    let mut took = Vec::new();
    for _ in 0..2 {
        let begun = Instant::now();
        retry.solve(&challenge()).await.unwrap();
        took.push(begun.elapsed());
    }
    assert_ne!(took[0], took[1]);
}

#[tokio::test(start_paused = true)]
async fn only_what_may_be_retried_is() {
    for &kind in ErrorKind::ALL {
        let a = MockSolver::new("a").fails(Duration::ZERO, error(kind));
        let policy = RetryPolicy::default().max_attempts(1);
        let expected = a.retry(policy).solve(&challenge()).await;
        assert_eq!(expected.unwrap_err().kind(), kind);

        if kind.recovery() != Recovery::Retry {
            let a = MockSolver::new("a").fails(Duration::ZERO, error(kind));
            let refused = a.clone().retry(RetryPolicy::default());
            refused.solve(&challenge()).await.unwrap_err();
            assert_eq!(a.calls().len(), 1, "{kind} was asked again");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_error_comes_back_as_it_was_with_every_attempt() {
    let paid = error(ErrorKind::InvalidAnswer).with_billed(Billed::Yes);
    let a = MockSolver::new("a")
        .fails(secs(1), paid)
        .fails(secs(1), error(ErrorKind::RateLimited))
        .fails(secs(1), unavailable().with_retry_after(secs(9)));
    let retry = a.clone().retry(RetryPolicy::default());
    let last = retry.solve(&challenge()).await.unwrap_err();
    assert_eq!(last.kind(), ErrorKind::Unavailable);
    assert_eq!(last.message(), "unavailable on purpose");
    assert_eq!(last.solver(), Some("a"));
    assert_eq!(last.retry_after(), Some(secs(9)));
    assert_eq!(last.billed(), Billed::Yes, "an earlier attempt cost money");
    let kinds: Vec<_> = last.attempts().iter().map(|attempt| attempt.kind).collect();
    assert_eq!(
        kinds,
        [
            ErrorKind::InvalidAnswer,
            ErrorKind::RateLimited,
            ErrorKind::Unavailable
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_a_floor() {
    let a = MockSolver::new("a")
        .fails(Duration::ZERO, unavailable().with_retry_after(secs(7)))
        .answers(Duration::ZERO);
    let retry = a.clone().retry(RetryPolicy::default());
    let begun = Instant::now();
    retry.solve(&challenge()).await.unwrap();
    assert_eq!(begun.elapsed(), secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_short_retry_after_does_not_shorten_the_backoff() {
    let policy = RetryPolicy::default();
    let a = MockSolver::new("a")
        .fails(Duration::ZERO, unavailable().with_retry_after(millis(1)))
        .answers(Duration::ZERO);
    let retry = a.clone().retry(policy).with_seed(SEED);
    let begun = Instant::now();
    retry.solve(&challenge()).await.unwrap();
    assert_eq!(begun.elapsed(), waits(policy, 1)[0]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_fit_into_the_deadline_is_not_begun() {
    for (deadline, tried_again) in [
        (millis(6_999), false),
        (secs(7), false),
        (millis(7_001), true),
    ] {
        let a = MockSolver::new("a")
            .fails(Duration::ZERO, unavailable().with_retry_after(secs(7)))
            .answers(Duration::ZERO);
        let retry = a.clone().retry(RetryPolicy::default());
        let begun = Instant::now();
        let outcome = retry.solve(&challenge().within(deadline)).await;
        assert_eq!(outcome.is_ok(), tried_again, "{deadline:?}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_eq!(begun.elapsed(), Duration::ZERO, "it must fail now");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_policy_is_not_waited_for() {
    let a = MockSolver::new("a").fails(Duration::ZERO, unavailable().with_retry_after(secs(61)));
    let retry = a.clone().retry(RetryPolicy::default());
    let begun = Instant::now();
    retry.solve(&challenge()).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn attempts_of_nested_retries_do_not_multiply() {
    let a = (0..3).fold(MockSolver::new("a"), |a, _| a.fails(secs(1), unavailable()));
    let b = MockSolver::new("b").fails(secs(1), error(ErrorKind::Unauthorized));
    let policy = RetryPolicy::default();
    let chain = a.clone().retry(policy).or(b.clone()).retry(policy);
    let error = chain.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.calls().len(), 3);
    assert_eq!(error.kind(), ErrorKind::AllFailed);
    assert_eq!(error.attempts().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn no_solver_is_asked_after_the_future_is_dropped() {
    let a = MockSolver::new("a").fails(secs(1), unavailable().with_retry_after(secs(9)));
    let retry = a.clone().retry(RetryPolicy::default());
    let abandoned = tokio::time::timeout(secs(5), async { retry.solve(&challenge()).await }).await;
    assert!(abandoned.is_err());
    tokio::time::sleep(secs(60)).await;
    assert_eq!(a.calls().len(), 1);
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let retry = a.clone().retry(RetryPolicy::default());
    assert_eq!(retry.name(), "a");
    let solution = retry.solve(&challenge()).await.unwrap();
    retry.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let a: Arc<dyn DragSolver> = Arc::new(Named("a"));
    let chain = Fallback::new([a])
        .timeout(secs(30))
        .retry(RetryPolicy::default());
    assert_eq!(
        format!("{chain}"),
        "fallback[a].timeout(30s).retry(max_attempts: 3, base_backoff: 500ms, max_backoff: 10s, \
         max_retry_after: 1m)"
    );
    assert_eq!(
        format!("{chain:#}"),
        "fallback[\n    a,\n]\n    .timeout(30s)\n    .retry(max_attempts: 3, base_backoff: \
         500ms, max_backoff: 10s, max_retry_after: 1m)"
    );
}

#[test]
fn a_retry_budget_is_shown_in_the_chain() {
    let policy = RetryBudgetPolicy::default().burst(7);
    let retry = Named("a").retry(RetryPolicy::default());
    let chain = retry.with_retry_budget(policy).to_string();
    assert!(chain.ends_with("retry_budget: 7 + 0.2 a call)"), "{chain}");
}

#[test]
fn the_worst_case_waits_between_the_attempts_and_not_after_the_last() {
    let worst = WorstCase::one_purchase().with_time(secs(10));
    let takes = |attempts: u32| {
        let a = MockSolver::new("a").with_worst_case(worst);
        let policy = RetryPolicy::default().max_attempts(attempts);
        a.retry(policy).profile().worst_case
    };
    assert_eq!(takes(1), worst);
    let three = takes(3);
    assert_eq!(three.purchases, Some(3));
    assert_eq!(three.time, Some(secs(3 * 10 + 2 * 60)));
}

#[tokio::test(start_paused = true)]
async fn an_empty_retry_budget_returns_the_original_error() {
    let policy = RetryBudgetPolicy::default()
        .burst(1)
        .ratio(Ratio::percent(50));
    let budget = RetryBudget::new(policy);
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let retry = |a: &MockSolver| {
        let retry = a.clone().retry(RetryPolicy::default().max_attempts(2));
        retry.with_retry_budget(budget.clone())
    };
    let (one, other) = (retry(&a), retry(&a));
    one.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.call_count(), 2, "the only token was taken");
    assert_eq!(budget.available(), 0);
    let begun = Instant::now();
    let error = other.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.call_count(), 3, "clones share the bucket");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.message(), "scripted failure");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    // Half a token was put back when the bucket was full, and half a token twice since.
    one.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.call_count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_retry_dropped_during_its_wait_gives_its_token_back() {
    let budget = RetryBudget::new(RetryBudgetPolicy::default().ratio(Ratio::ZERO));
    let a = MockSolver::new("a").fails(secs(1), unavailable().with_retry_after(secs(9)));
    let retry = a.retry(RetryPolicy::default());
    let retry = retry.with_retry_budget(budget.clone());
    let challenge = challenge();
    let mut call = retry.solve(&challenge);
    let abandoned = tokio::time::timeout(secs(5), &mut call).await;
    assert!(abandoned.is_err());
    assert_eq!(budget.available(), 9);
    drop(call);
    assert_eq!(budget.available(), 10);
}

#[tokio::test(start_paused = true)]
async fn huge_settings_do_not_panic() {
    let policy = RetryPolicy::default()
        .max_attempts(u32::MAX)
        .base_backoff(Duration::MAX)
        .max_backoff(Duration::MAX)
        .max_retry_after(Duration::MAX);
    let endless = unavailable().with_retry_after(Duration::MAX);
    let a = MockSolver::new("a").fails(Duration::ZERO, endless);
    let retry = a.clone().timeout(secs(1)).retry(policy);
    assert_eq!(retry.profile().worst_case.time, Some(Duration::MAX));
    let begun = Instant::now();
    let hasty = challenge().within(secs(5));
    let error = retry.solve(&hasty).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(begun.elapsed(), Duration::ZERO, "such a wait is not begun");
}
