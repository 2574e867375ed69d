//! An evaluation that was stopped is gone on with, and buys nothing twice.

use std::time::Duration;

use drag_solver_combinators::{Budget, BudgetPolicy, DragSolverExt as _};
use drag_solver_core::{ErrorKind, Usd};
use drag_solver_evaluate::{Call, CallOutcome, Evaluation, LabelledPicture, Report};
use drag_solver_mock::{MockSolver, Outcome, fixtures};
use drag_solver_store::{Clock, SqliteStore};

use crate::world::pictures;

const PICTURES: u16 = 20;

const LATENCY: Duration = Duration::from_secs(3);

fn store() -> SqliteStore {
    SqliteStore::in_memory(Clock::system()).unwrap()
}

/// Gives up about every fourth picture, and bills that, too.
fn mock() -> MockSolver {
    let decide = |_: &_, call: usize| match call % 4 {
        0 => Outcome::error(ErrorKind::Unsolvable, "gave up")
            .settled()
            .after(LATENCY),
        _ => Outcome::answer(fixtures::drag()).after(LATENCY),
    };
    MockSolver::new("mock")
        .always_with(decide)
        .with_cost(Usd::from_micros(900))
}

fn evaluation(mock: &MockSolver, store: &SqliteStore) -> Evaluation {
    Evaluation::new()
        .solver("mock", mock.clone())
        .concurrency(2)
        .store(store)
}

/// Runs it until so many calls have ended, and drops it there.
async fn run(evaluation: &Evaluation, pictures: &[LabelledPicture], until: usize) -> Vec<Call> {
    let (calls, ended) = (
        std::cell::RefCell::new(Vec::new()),
        tokio::sync::Notify::new(),
    );
    {
        let run = evaluation.run(pictures, |call| {
            calls.borrow_mut().push(call);
            if calls.borrow().len() >= until {
                ended.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = ended.notified() => {}
            _ = run => {}
        }
    }
    calls.into_inner()
}

#[tokio::test(start_paused = true)]
async fn what_is_on_record_is_not_bought_again_and_keeps_its_time_and_its_cost() {
    let (mock, store, pictures) = (mock(), store(), pictures(PICTURES));
    let evaluation = evaluation(&mock, &store);
    assert_eq!(evaluation.to_buy(&pictures).await, [20]);
    let first = run(&evaluation, &pictures, 7).await;
    assert!(first.len() >= 7 && mock.purchases() < 20);
    let second = run(&evaluation, &pictures, usize::MAX).await;
    assert_eq!(second.len(), 20);
    assert_eq!(mock.purchases(), 20, "each picture was bought once");
    assert_eq!(evaluation.to_buy(&pictures).await, [0]);

    let third = run(&evaluation, &pictures, usize::MAX).await;
    assert_eq!(mock.purchases(), 20);
    assert!(third.iter().all(|call| call.from_store));
    for call in &third {
        assert!(call.took.is_none_or(|took| took == LATENCY), "{call:?}");
        let earlier = second
            .iter()
            .find(|one| one.picture == call.picture)
            .unwrap();
        assert_eq!(
            (&call.outcome, call.spent),
            (&earlier.outcome, earlier.spent)
        );
    }
    let figures = &Report::new(&evaluation, &pictures, third).solvers[0];
    assert_eq!((figures.calls, figures.from_store), (20, 20));
    assert!(
        figures.failed["unsolvable"] >= 4,
        "a failure is not asked again: {figures:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_interrupted_counts_and_its_time_is_not_known() {
    let (store, pictures) = (store(), pictures(3));
    let mock = MockSolver::new("mock").always(Outcome::answer(fixtures::drag()).after(LATENCY));
    let evaluation = evaluation(&mock, &store);
    tokio::time::timeout(LATENCY / 2, evaluation.run(&pictures, |_| ()))
        .await
        .unwrap_err();
    assert_eq!(mock.purchases(), 2);
    let calls = run(&evaluation, &pictures, usize::MAX).await;
    assert_eq!(
        mock.purchases(),
        3,
        "two jobs were fetched, and the third was bought"
    );
    let unknown = calls.iter().filter(|call| call.took.is_none()).count();
    assert_eq!((calls.len(), unknown), (3, 2));
    let is_answer = |call: &Call| matches!(call.outcome, CallOutcome::Answered { .. });
    assert!(calls.iter().all(is_answer));
}

#[tokio::test(start_paused = true)]
async fn what_there_was_no_money_for_is_asked_the_next_time() {
    let (store, pictures, price) = (store(), pictures(6), Usd::from_micros(900));
    let mock = MockSolver::new("mock").always(fixtures::drag());
    for bought in [4, 6] {
        let budget = Budget::new(BudgetPolicy::default().total(price * 4));
        let budgeted = mock.clone().budget(&budget, price);
        let evaluation = Evaluation::new()
            .solver("mock", budgeted)
            .concurrency(1)
            .store(&store);
        run(&evaluation, &pictures, usize::MAX).await;
        assert_eq!(mock.purchases(), bought);
    }
}

#[tokio::test(start_paused = true)]
async fn another_question_about_the_same_picture_is_another_one() {
    let store = store();
    let mock = MockSolver::new("mock").always(fixtures::drag());
    let evaluation = evaluation(&mock, &store);
    let picture =
        || LabelledPicture::new("a.gif", fixtures::screenshot(), fixtures::drag()).unwrap();
    let region = "0,0,590,900".parse().unwrap();
    let pictures = [
        picture(),
        picture().with_instruction("Drag the piece"),
        picture().with_region(region).unwrap(),
    ];
    run(&evaluation, &pictures, usize::MAX).await;
    assert_eq!(mock.purchases(), 3);
    let other = Evaluation::new()
        .solver("other", mock.clone())
        .store(&store);
    run(&other, &pictures, usize::MAX).await;
    assert_eq!(mock.purchases(), 6, "each solver has its own answers");
}
