//! Several processes that share one store.

use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Event, JobId, Solution, Usd, solver_fn,
};
use drag_solver_mock::{MockSolver, fixtures};
use drag_solver_store::{
    Clock, Query, Status, Store as _, StoreExt as _, StoredBudget, StoredBudgetPolicy,
    jiff::Timestamp,
};

use crate::place::{Place, TheStore, open};
use crate::process::{KNOWN, NEW, Process, address_from_parent, answering, challenge, hear, say};

/// A store that knows one answer, and is closed.
async fn known() -> Option<Place> {
    let place = Place::new()?;
    let solver = answering().durable(&place.open());
    solver.solve(&challenge(KNOWN)).await.unwrap();
    Some(place)
}

fn price() -> Usd {
    Usd::from_micros(900)
}

fn budget(store: &TheStore, answers: u32) -> StoredBudget {
    let policy = StoredBudgetPolicy::default().total(price() * answers);
    StoredBudget::new(store, "all", policy)
}

/// Starts as many processes, and lets them go at the same moment.
fn start_together(count: usize, role: &str, address: &str) -> Vec<Process> {
    let mut processes: Vec<_> = (0..count).map(|_| Process::start(role, address)).collect();
    for process in &mut processes {
        assert_eq!(process.hear(), "ready");
    }
    for process in &mut processes {
        process.tell("go");
    }
    processes
}

fn ready() {
    say("ready");
    assert_eq!(hear(), "go");
}

#[tokio::test]
async fn two_hundred_calls_of_four_processes_on_money_for_fifty_buy_exactly_fifty() {
    let Some(place) = known().await else { return };
    let processes = start_together(4, "processes::fifty_calls", &place.address());
    let mut bought = 0;
    for mut process in processes {
        bought += process.hear().parse::<usize>().unwrap();
        process.end();
    }
    assert_eq!(bought, 50);
    let store = place.open();
    let state = budget(&store, 50).state(None).await.unwrap();
    assert_eq!((state.spent, state.reserved), (price() * 50, Usd::ZERO));
}

#[tokio::test]
#[ignore = "a process of the test before"]
async fn fifty_calls() {
    let store = open(&address_from_parent());
    let mock = answering();
    let solver = mock.clone().stored_budget(budget(&store, 50), price());
    ready();
    let challenge = fixtures::challenge();
    let calls = (0..50).map(|_| solver.solve(&challenge));
    for outcome in futures_util::future::join_all(calls).await {
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::BudgetExhausted, "{error}");
        }
    }
    store.flush().await.unwrap();
    say(&mock.purchases().to_string());
}

#[tokio::test]
async fn the_same_id_in_three_processes_at_once_is_bought_once() {
    let Some(place) = known().await else { return };
    let processes = start_together(3, "processes::solve_the_new_one", &place.address());
    let mut bought = 0;
    for mut process in processes {
        bought += process.hear().parse::<usize>().unwrap();
        process.end();
    }
    assert_eq!(bought, 1);
}

#[tokio::test]
#[ignore = "a process of the test before"]
async fn solve_the_new_one() {
    let store = open(&address_from_parent());
    let mock = answering();
    let solver = mock.clone().durable(&store);
    ready();
    solver.solve(&challenge(NEW)).await.unwrap();
    say(&mock.purchases().to_string());
}

/// A solver that does nothing until the parent says "go on", having bought first or not.
fn holding(buys_first: bool) -> impl DragSolver {
    solver_fn("a", move |challenge: DragChallenge| async move {
        let (solver, job) = ("a", JobId::from(7));
        challenge.notify(Event::Started { solver }).await?;
        let buy = async {
            challenge.notify(Event::Buying { solver }).await?;
            challenge.notify(Event::Bought { solver, job: &job }).await
        };
        if buys_first {
            buy.await?;
            say("holding");
            assert_eq!(hear(), "go on");
        } else {
            say("holding");
            assert_eq!(hear(), "go on");
            buy.await?;
        }
        Ok(Solution::new(fixtures::drag(), solver).with_job(job.clone()))
    })
}

async fn hold(buys_first: bool) {
    let store = open(&address_from_parent());
    let solver = holding(buys_first).stored_budget(budget(&store, 1), price());
    let outcome = solver.durable(&store).solve(&challenge(NEW)).await;
    store.flush().await.unwrap();
    say(&match outcome {
        Ok(_) => "solved".to_owned(),
        Err(error) => format!("{}: {}", error.kind().as_str(), error.message()),
    });
}

#[tokio::test]
#[ignore = "a process of the tests below"]
async fn hold_before_buying() {
    hold(false).await;
}

#[tokio::test]
#[ignore = "a process of the tests below"]
async fn hold_after_buying() {
    hold(true).await;
}

#[tokio::test]
async fn what_a_killed_process_held_is_free_again() {
    let Some(place) = known().await else { return };
    let store = place.open();
    let mut process = Process::start("processes::hold_before_buying", place.address());
    assert_eq!(process.hear(), "holding");
    let record = store.find(NEW).await.unwrap().unwrap();
    assert!(matches!(record.status, Status::Open { held: true }));
    let budget = budget(&store, 1);
    assert_eq!(budget.state(None).await.unwrap().reserved, price());
    let mock = answering();
    let budgeted = mock.clone().stored_budget(&budget, price());
    let error = budgeted.solve(&fixtures::challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
    process.kill();
    // At once, or when its lease has ended.
    let solver = budgeted.durable(&store);
    solver.solve(&challenge(NEW)).await.unwrap();
    assert_eq!(mock.purchases(), 1);
    assert_eq!(budget.state(None).await.unwrap().reserved, Usd::ZERO);
}

#[tokio::test]
async fn what_a_killed_process_paid_for_is_fetched_by_the_next() {
    let Some(place) = known().await else { return };
    let mut process = Process::start("processes::hold_after_buying", place.address());
    assert_eq!(process.hear(), "holding");
    process.kill();
    let store = place.open();
    let mock = answering();
    // There is no money left, and none is needed.
    let solver = mock.clone().stored_budget(budget(&store, 1), price());
    let solution = solver.durable(&store).solve(&challenge(NEW)).await.unwrap();
    assert_eq!(solution.job(), Some(&JobId::from(7)));
    assert_eq!(mock.purchases(), 0);
    let state = budget(&store, 1).state(None).await.unwrap();
    assert_eq!((state.spent, state.reserved), (price(), Usd::ZERO));
}

/// A store whose clock is an hour ahead: leases of others have ended.
#[cfg(unix)]
async fn an_hour_later(place: &Place) -> TheStore {
    let ahead = Duration::from_secs(3_600);
    let clock = Clock::from_fn(move || Timestamp::now().checked_add(ahead).unwrap());
    place.open_by(clock).await
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_hangs_past_its_lease_may_not_buy_any_more() {
    let Some(place) = known().await else { return };
    let mut process = Process::start("processes::hold_before_buying", place.address());
    assert_eq!(process.hear(), "holding");
    process.signal("-STOP");
    let store = an_hour_later(&place).await;
    let mock = answering();
    let budgeted = mock.clone().stored_budget(budget(&store, 1), price());
    let solver = budgeted.durable(&store);
    solver.solve(&challenge(NEW)).await.unwrap();
    process.signal("-CONT");
    process.tell("go on");
    let said = process.hear();
    assert!(said.contains("taken the challenge over"), "{said}");
    process.end();
    assert_eq!(mock.purchases(), 1);
    assert_eq!(budget(&store, 1).state(None).await.unwrap().spent, price());
}

#[cfg(unix)]
#[tokio::test]
async fn the_job_of_a_process_that_hung_past_its_lease_is_not_lost() {
    let Some(place) = known().await else { return };
    let mut process = Process::start("processes::hold_after_buying", place.address());
    assert_eq!(process.hear(), "holding");
    process.signal("-STOP");
    let store = an_hour_later(&place).await;
    // The job is not done yet.
    let mock = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .then(fixtures::drag());
    let solver = mock.clone().durable(&store);
    solver.solve(&challenge(NEW)).await.unwrap_err();
    assert_eq!(mock.purchases(), 0);
    process.signal("-CONT");
    process.tell("go on");
    let said = process.hear();
    assert!(said.contains("taken the challenge over"), "{said}");
    process.end();
    solver.solve(&challenge(NEW)).await.unwrap();
    assert_eq!(mock.purchases(), 0, "it is fetched");
}

#[tokio::test]
async fn many_processes_open_a_new_store_at_once() {
    let Some(place) = Place::new() else { return };
    for process in start_together(6, "processes::open_and_solve", &place.address()) {
        process.end();
    }
    let store = place.open();
    assert_eq!(store.list(&Query::default()).await.unwrap().len(), 6);
}

#[tokio::test]
#[ignore = "a process of the test before"]
async fn open_and_solve() {
    ready();
    let store = open(&address_from_parent());
    let id = std::process::id().to_string();
    answering()
        .durable(&store)
        .solve(&challenge(&id))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_store_that_is_closed_and_opened_again_knows_what_it_knew() {
    let Some(place) = known().await else { return };
    let store = place.open();
    let mock = answering();
    mock.clone()
        .durable(&store)
        .solve(&challenge(KNOWN))
        .await
        .unwrap();
    assert_eq!(mock.calls().len(), 0);
    answering()
        .durable(&store)
        .solve(&challenge(NEW))
        .await
        .unwrap();
    assert!(store.find(NEW).await.unwrap().is_some());
    drop(store);
    assert_eq!(place.left_over(), [""; 0], "nothing is left beside it");
}
