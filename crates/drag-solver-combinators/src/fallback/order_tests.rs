use drag_solver_core::{ErrorKind, Ratio};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::tests::{Named, Script, challenge, drag, error, job, secs};
use crate::{DragSolverExt, OrderPolicy};

fn ordered(a: &MockSolver, b: &MockSolver, explore: Ratio) -> Fallback {
    let policy = OrderPolicy::default().min_samples(3).explore(explore);
    let chain = a.clone().or(b.clone()).ordered(policy);
    chain.with_seed(7)
}

fn broken(name: &'static str) -> MockSolver {
    MockSolver::new(name).always(Outcome::error(ErrorKind::Unavailable, "down").after(secs(1)))
}

fn steady(name: &'static str, takes: u64) -> MockSolver {
    MockSolver::new(name).always(Outcome::answer(drag()).after(secs(takes)))
}

#[tokio::test(start_paused = true)]
async fn a_solver_that_fails_is_put_behind_the_other_once_enough_is_known() {
    let (a, b) = (broken("a"), steady("b", 5));
    let chain = ordered(&a, &b, Ratio::ZERO);
    for call in 1..=10 {
        let solution = chain.solve(&challenge()).await.unwrap();
        assert_eq!(solution.solver(), "b");
        assert_eq!(a.call_count(), call.min(3), "call {call}");
    }
    let took = |child: usize| chain.track_records()[child].calls()[0].took;
    assert_eq!((took(0), took(1)), (secs(1), secs(5)), "each by itself");
}

#[tokio::test(start_paused = true)]
async fn a_solver_that_is_slow_is_put_behind_the_other_once_that_is_known() {
    let (a, b) = (steady("a", 30), steady("b", 5));
    let chain = ordered(&a, &b, Ratio::ZERO);
    for _ in 0..10 {
        chain.solve(&challenge()).await.unwrap();
    }
    assert_eq!(
        (a.call_count(), b.call_count()),
        (10, 0),
        "nothing is known of b"
    );
    for _ in 0..3 {
        a.push(ErrorKind::Unsolvable);
        chain.solve(&challenge()).await.unwrap();
    }
    chain.solve(&challenge()).await.unwrap();
    assert_eq!((a.call_count(), b.call_count()), (13, 4));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_put_back_gets_a_chance_to_come_back() {
    let a = (0..3).fold(MockSolver::new("a"), |a, _| {
        a.fails(secs(1), error(ErrorKind::Unavailable))
    });
    let a = a.always(Outcome::answer(drag()).after(secs(2)));
    let b = steady("b", 5);
    let chain = ordered(&a, &b, Ratio::percent(20));
    let mut answered_by = Vec::new();
    for _ in 0..40 {
        let solution = chain.solve(&challenge()).await.unwrap();
        answered_by.push(solution.solver().to_owned());
    }
    assert!(answered_by[..3].iter().all(|name| name == "b"));
    let back = answered_by.iter().rposition(|name| name == "b").unwrap();
    assert!(back < 39, "a is back for good: {answered_by:?}");
    // The seed repeats.
    let again = ordered(&broken("a"), &steady("b", 5), Ratio::percent(20));
    let and_again = ordered(&broken("a"), &steady("b", 5), Ratio::percent(20));
    for _ in 0..40 {
        let one = again.solve(&challenge()).await.unwrap();
        let other = and_again.solve(&challenge()).await.unwrap();
        assert_eq!(one.failed_attempts().len(), other.failed_attempts().len());
    }
}

#[tokio::test(start_paused = true)]
async fn an_incorrect_verdict_counts_as_a_failure_even_if_the_provider_takes_no_reports() {
    let (a, b) = (steady("a", 1).without_reports(), steady("b", 5));
    let chain = ordered(&a, &b, Ratio::ZERO);
    for _ in 0..3 {
        let solution = chain.solve(&challenge()).await.unwrap();
        assert_eq!(solution.solver(), "a");
        let told = chain.report(&solution, Verdict::Incorrect).await;
        assert_eq!(told.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    // Three wrong answers: infinitely long per good one. Of b nothing is known, which is no worse,
    // but a is still listed before it.
    a.push(ErrorKind::Unavailable);
    a.push(ErrorKind::Unavailable);
    a.push(ErrorKind::Unavailable);
    for _ in 0..3 {
        chain.solve(&challenge()).await.unwrap();
    }
    let solution = chain.solve(&challenge()).await.unwrap();
    assert_eq!(solution.solver(), "b");
    assert!(solution.failed_attempts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_correct_verdict_changes_nothing() {
    let (a, b) = (steady("a", 1), steady("b", 5));
    let chain = ordered(&a, &b, Ratio::ZERO);
    for _ in 0..5 {
        let solution = chain.solve(&challenge()).await.unwrap();
        chain.report(&solution, Verdict::Correct).await.unwrap();
    }
    assert_eq!((a.call_count(), b.call_count()), (5, 0));
    assert_eq!(a.heard().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_not_remembered() {
    let a = MockSolver::new("a")
        .then_times(5, Outcome::hang())
        .always(drag());
    let b = steady("b", 1);
    let chain = ordered(&a, &b, Ratio::ZERO);
    for _ in 0..5 {
        let challenge = challenge();
        let call = tokio::time::timeout(secs(60), chain.solve(&challenge));
        assert!(call.await.is_err());
    }
    assert_eq!(chain.solve(&challenge()).await.unwrap().solver(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_job_to_resume_goes_before_any_order() {
    let (a, b) = (broken("a"), steady("b", 5));
    let chain = ordered(&a, &b, Ratio::ZERO);
    for _ in 0..5 {
        chain.solve(&challenge()).await.unwrap();
    }
    a.push(Outcome::answer(drag()));
    let job = job("a", 7);
    let solution = chain.solve(&challenge().resume_job(job)).await.unwrap();
    assert_eq!(solution.solver(), "a");
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_an_old_job_is_not_remembered() {
    let a = MockSolver::new("a");
    let b = steady("b", 5);
    let chain = ordered(&a, &b, Ratio::ZERO);
    for id in 1..=3 {
        a.push(Outcome::error(ErrorKind::Unsolvable, "gave up"));
        let job = job("a", id);
        chain.solve(&challenge().resume_job(job)).await.unwrap();
    }
    a.push(drag());
    assert_eq!(chain.solve(&challenge()).await.unwrap().solver(), "a");
}

#[tokio::test(start_paused = true)]
async fn clones_judge_together() {
    let (a, b) = (broken("a"), steady("b", 5));
    let chain = ordered(&a, &b, Ratio::ZERO);
    let other = chain.clone();
    for _ in 0..3 {
        chain.solve(&challenge()).await.unwrap();
    }
    other.solve(&challenge()).await.unwrap();
    assert_eq!(a.call_count(), 3);
}

#[tokio::test(start_paused = true)]
async fn or_keeps_the_order_policy() {
    let (a, b) = (broken("a"), steady("b", 5));
    let chain = ordered(
        &a,
        &MockSolver::new("c").always(ErrorKind::Protocol),
        Ratio::ZERO,
    )
    .or(b);
    for _ in 0..4 {
        chain.solve(&challenge()).await.unwrap();
    }
    assert_eq!(a.call_count(), 3);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let chain = Named("a").or(Named("b"));
    let chain = chain.ordered(OrderPolicy::default());
    assert_eq!(
        chain.to_string(),
        "fallback[a, b].ordered(window: 10m, min_samples: 5, explore: 0.05)"
    );
}

/// How many calls it takes on average, over 50 seeds, until a solver is first again that failed five times, `slowly`
/// seconds each, and now answers within 2 s where another takes 5.
async fn calls_until_it_is_back(slowly: u64, within: u32) -> f64 {
    let mut calls = 0;
    for seed in 0..50 {
        let down = Outcome::error(ErrorKind::Unavailable, "down").after(secs(slowly));
        let a = MockSolver::new("a").then_times(5, down);
        let a = a.always(Outcome::answer(drag()).after(secs(2)));
        let chain = a.or(steady("b", 5));
        let policy = OrderPolicy::default().window(secs(1_000_000));
        let chain = chain.ordered(policy).with_seed(seed);
        let mut last_of_b = 0;
        for call in 1..=within {
            let solution = chain.solve(&challenge()).await.unwrap();
            if solution.solver() == "b" {
                last_of_b = call;
            }
        }
        assert!(last_of_b + 50 < within, "seed {seed}: not back for good");
        calls += last_of_b - 4; // the first that did not ask a, and all up to the one that shows it to be back
    }
    f64::from(calls) / 50.0
}

#[tokio::test(start_paused = true)]
async fn one_that_failed_at_once_is_back_after_one_call_that_explores() {
    // One in 20 calls explores: 20 on average.
    let calls = calls_until_it_is_back(0, 250).await;
    assert!((17.0..23.0).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn one_that_failed_slowly_is_back_after_as_many_answers_as_make_up_for_it() {
    // 50 s lost, and 3 s gained with each answer: 17 answers, one in 20 calls.
    let calls = calls_until_it_is_back(10, 750).await;
    assert!((310.0..370.0).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn what_was_dropped_for_both_time_and_price_is_still_the_last_resort() {
    let price = |micros| drag_solver_core::Usd::from_micros(micros);
    let (a, b) = (steady("a", 30), steady("b", 5));
    let cheap = MockSolver::new("c").always(Outcome::answer(drag()).after(secs(90)));
    let policy = OrderPolicy::default().min_samples(3).explore(Ratio::ZERO);
    let chain = a
        .clone()
        .priced(price(3_000))
        .or(b.clone().priced(price(2_000)));
    let chain = chain.or(cheap.clone().priced(price(1_000)));
    let chain = chain.ordered(policy.second_worth(price(1_000)));
    for _ in 0..3 {
        a.push(Outcome::answer(drag()).after(secs(30)));
        chain.solve(&challenge()).await.unwrap();
    }
    for _ in 0..3 {
        a.push(ErrorKind::Unsolvable);
        chain.solve(&challenge()).await.unwrap(); // by b
    }
    for _ in 0..3 {
        b.push(ErrorKind::Unsolvable);
        chain.solve(&challenge()).await.unwrap(); // by c, before a
    }
    let calls = || [a.call_count(), b.call_count(), cheap.call_count()];
    let before = calls();
    b.push(ErrorKind::Unsolvable);
    let solution = chain.solve(&challenge()).await.unwrap();
    assert_eq!(
        solution.solver(),
        "c",
        "a is better, but worse than b at both"
    );
    b.push(ErrorKind::Unsolvable);
    cheap.push(ErrorKind::Unsolvable);
    let solution = chain.solve(&challenge()).await.unwrap();
    assert_eq!(solution.solver(), "a");
    let [of_a, of_b, of_c] = calls();
    assert_eq!(
        [of_a - before[0], of_b - before[1], of_c - before[2]],
        [1, 2, 2]
    );
}

#[test]
fn what_a_second_is_worth_is_printed() {
    let worth = OrderPolicy::default().second_worth(drag_solver_core::Usd::from_micros(50));
    let chain = Named("a").or(Named("b")).ordered(worth);
    assert_eq!(
        chain.to_string(),
        "fallback[a, b].ordered(window: 10m, min_samples: 5, explore: 0.05, second_worth: $0.00005)"
    );
}
