//! Whether what is measured is what is true.

use std::collections::BTreeMap;
use std::time::Duration;

use drag_solver_combinators::{Budget, BudgetPolicy, DragSolverExt as _};
use drag_solver_core::{ErrorKind, Usd};
use drag_solver_evaluate::figures::Estimate;
use drag_solver_evaluate::{Call, Evaluation, Report};
use drag_solver_mock::{MockSolver, Outcome, fixtures};

use crate::world::{ALL, Books, LIMIT, TOLERANCE, pictures};

pub(crate) fn evaluation(books: &Books) -> Evaluation {
    let evaluation = Evaluation::new()
        .tolerance(TOLERANCE)
        .limit(LIMIT)
        .concurrency(100);
    ALL.into_iter().fold(evaluation, |evaluation, truth| {
        evaluation.solver(truth.name, truth.provider(books))
    })
}

pub(crate) async fn measure(books: &Books, count: u16) -> Report {
    let (evaluation, pictures) = (evaluation(books), pictures(count));
    let mut calls = Vec::new();
    let ending = evaluation.run(&pictures, |call| calls.push(call)).await;
    assert!(ending.stopped.is_none() && ending.left_out.is_empty());
    Report::new(&evaluation, &pictures, calls)
}

/// Twenty evaluations of 2,000 pictures by three providers: of each figure, 60 intervals, of which 57 should hold the
/// truth. By chance fewer than 52 do in three of a thousand such tests, and fewer than 328 of all 360 in less than one.
#[tokio::test(start_paused = true)]
async fn the_stated_intervals_hold_the_truth_and_the_front_is_the_right_one() {
    let mut held: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..20 {
        let books = Books::new(seed);
        let report = measure(&books, 2000).await;
        let mut spent = 0.0;
        for (truth, one) in ALL.iter().zip(&report.solvers) {
            assert_eq!((one.calls, one.name.as_str()), (2000, truth.name));
            let mut check = |figure, estimate: Option<Estimate>, value: f64| {
                // The clock counts whole milliseconds, and ends a wait by the next one.
                let estimate = estimate.unwrap();
                let holds = estimate.low <= value + 0.002 && value <= estimate.high;
                *held.entry(figure).or_default() += u32::from(holds);
            };
            check("right", one.share_right, truth.share_right());
            check("usd", one.usd_per_right, truth.usd_per_right());
            check("error", one.error_px_p50, truth.error_px());
            check("p50", one.seconds_p50, truth.seconds(0.5));
            check("p95", one.seconds_p95, truth.seconds(0.95));
            check("p99", one.seconds_p99, truth.seconds(0.99));
            spent += one.spent_usd.to_f64_lossy();
        }
        assert!(
            (spent - books.billed_usd()).abs() < 1e-9,
            "all that was billed is known"
        );
        let front: Vec<bool> = report.solvers.iter().map(|one| one.on_front).collect();
        assert_eq!(
            front,
            [true, true, false],
            "{seed}: `poor` is beaten by both"
        );
    }
    println!("of 60 intervals each: {held:?}");
    assert_eq!(held.len(), 6);
    assert!(held.values().all(|&held| held >= 52), "{held:?}");
    let all: u32 = held.values().sum();
    assert!(all >= 328, "{all} of 360: {held:?}");
}

fn asked(calls: &[Call], solver: usize) -> usize {
    calls.iter().filter(|call| call.solver == solver).count()
}

#[tokio::test(start_paused = true)]
async fn a_budget_stops_it_and_what_was_not_asked_is_in_no_figure() {
    let (books, price) = (Books::new(1), Usd::from_micros(1000));
    let budget = Budget::new(BudgetPolicy::default().total(price * 10));
    let (one, other) = (MockSolver::new("one"), MockSolver::new("other"));
    let with_budget =
        |mock: &MockSolver| mock.clone().always(fixtures::drag()).budget(&budget, price);
    let evaluation = Evaluation::new()
        .solver("one", with_budget(&one))
        .solver("other", with_budget(&other));
    let (pictures, mut calls) = (pictures(100), Vec::new());
    let ending = evaluation.run(&pictures, |call| calls.push(call)).await;
    assert_eq!(ending.stopped.unwrap().kind(), ErrorKind::BudgetExhausted);
    assert_eq!(one.purchases() + other.purchases(), 10);
    let report = Report::new(&evaluation, &pictures, calls);
    assert_eq!(report.solvers.iter().map(|one| one.calls).sum::<u64>(), 10);
    assert_eq!(
        report.solvers[0].calls, 5,
        "both were asked about the same pictures"
    );
    let refused: u64 = report
        .solvers
        .iter()
        .flat_map(|one| one.not_measured.values())
        .sum();
    assert_eq!(refused, 1, "the one that was asked alone");
    assert!(books.billed_usd() == 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_spent_although_more_is_set_aside_than_calls_cost() {
    let cost = Usd::from_micros(1_200);
    let answer = Outcome::answer(fixtures::drag()).after(Duration::from_secs(3));
    let mock = MockSolver::new("mock").with_cost(cost).always(answer);
    let budget = Budget::new(BudgetPolicy::default().total(Usd::from_micros(7_500)));
    let evaluation = Evaluation::new()
        .solver(
            "mock",
            mock.clone().budget(&budget, Usd::from_micros(2_000)),
        )
        .concurrency(4);
    let ending = evaluation.run(&pictures(6), |_| {}).await;
    // At first three are set aside, and the fourth has to wait; before the sixth, 6,000 are spent.
    assert_eq!(mock.purchases(), 5);
    assert_eq!(ending.stopped.unwrap().kind(), ErrorKind::BudgetExhausted);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_asked_is_left_out_and_the_others_go_on() {
    let broken = MockSolver::new("broken").always(ErrorKind::Unauthorized);
    let works = MockSolver::new("works").always(fixtures::drag());
    let evaluation = Evaluation::new()
        .solver("same", broken.clone())
        .solver("same", works)
        .concurrency(1);
    assert_eq!(evaluation.names(), ["same", "same-2"]);
    let mut calls = Vec::new();
    let ending = evaluation.run(&pictures(10), |call| calls.push(call)).await;
    assert!(ending.stopped.is_none());
    assert_eq!(ending.left_out[0].0, 0);
    assert_eq!(
        (broken.call_count(), asked(&calls, 0), asked(&calls, 1)),
        (1, 1, 10)
    );
}
