//! Several processes that share one file.

use std::sync::Barrier;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Event, JobId, Solution, Usd, solver_fn,
};
use drag_solver_mock::{MockSolver, Outcome, fixtures};
use drag_solver_store::{
    Clock, Query, SqliteOptions, SqliteStore, Status, Store as _, StoreExt as _, StoredBudget,
    StoredBudgetPolicy, jiff::Timestamp,
};

use crate::support::{
    KNOWN, NEW, Process, answering, challenge, folder, hear, path_from_parent, say,
};

fn price() -> Usd {
    Usd::from_micros(900)
}

fn budget(store: &SqliteStore, answers: u32) -> StoredBudget {
    let policy = StoredBudgetPolicy::default().total(price() * answers);
    StoredBudget::new(store, "all", policy)
}

/// Starts as many processes, and lets them go at the same moment.
fn start_together(count: usize, role: &str, store: &std::path::Path) -> Vec<Process> {
    let mut processes: Vec<_> = (0..count).map(|_| Process::start(role, store)).collect();
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
    let (_folder, path) = folder().await;
    let processes = start_together(4, "processes::fifty_calls", &path);
    let mut bought = 0;
    for mut process in processes {
        bought += process.hear().parse::<usize>().unwrap();
        process.end();
    }
    assert_eq!(bought, 50);
    let store = SqliteStore::open(&path).unwrap();
    let state = budget(&store, 50).state(None).await.unwrap();
    assert_eq!((state.spent, state.reserved), (price() * 50, Usd::ZERO));
}

#[tokio::test]
#[ignore = "a process of the test before"]
async fn fifty_calls() {
    let store = SqliteStore::open(path_from_parent()).unwrap();
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
    let (_folder, path) = folder().await;
    let processes = start_together(3, "processes::solve_the_new_one", &path);
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
    let store = SqliteStore::open(path_from_parent()).unwrap();
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
    let store = SqliteStore::open(path_from_parent()).unwrap();
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
async fn what_a_killed_process_held_is_free_at_once() {
    let (_folder, path) = folder().await;
    // No lease ever ends by this clock.
    let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
    let store = SqliteStore::open_with(&path, SqliteOptions::default().clock(clock)).unwrap();
    let mut process = Process::start("processes::hold_before_buying", &path);
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
    budgeted
        .durable(&store)
        .solve(&challenge(NEW))
        .await
        .unwrap();
    assert_eq!(mock.purchases(), 1);
    let owners = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let owners = owners.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("-owner-")
    });
    assert_eq!(owners.count(), 1, "only of the one that lives");
}

#[tokio::test]
async fn what_a_killed_process_paid_for_is_fetched_by_the_next() {
    let (_folder, path) = folder().await;
    let mut process = Process::start("processes::hold_after_buying", &path);
    assert_eq!(process.hear(), "holding");
    process.kill();
    let store = SqliteStore::open(&path).unwrap();
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
fn an_hour_later(path: &std::path::Path) -> SqliteStore {
    let ahead = Duration::from_secs(3_600);
    let clock = Clock::from_fn(move || Timestamp::now().checked_add(ahead).unwrap());
    SqliteStore::open_with(path, SqliteOptions::default().clock(clock)).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_hangs_past_its_lease_may_not_buy_any_more() {
    let (_folder, path) = folder().await;
    let mut process = Process::start("processes::hold_before_buying", &path);
    assert_eq!(process.hear(), "holding");
    process.signal("-STOP");
    let store = an_hour_later(&path);
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
    let (_folder, path) = folder().await;
    let mut process = Process::start("processes::hold_after_buying", &path);
    assert_eq!(process.hear(), "holding");
    process.signal("-STOP");
    let store = an_hour_later(&path);
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
async fn many_processes_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drags.db");
    for process in start_together(6, "processes::open_and_solve", &path) {
        process.end();
    }
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.list(&Query::default()).await.unwrap().len(), 6);
}

#[tokio::test]
#[ignore = "a process of the test before"]
async fn open_and_solve() {
    ready();
    let store = SqliteStore::open(path_from_parent()).unwrap();
    let id = std::process::id().to_string();
    answering()
        .durable(&store)
        .solve(&challenge(&id))
        .await
        .unwrap();
}

#[test]
fn many_threads_open_a_new_file_at_once() {
    const THREADS: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..10 {
                    let path = folder.path().join(format!("{round}.db"));
                    barrier.wait();
                    let opened = SqliteStore::open(path);
                    barrier.wait(); // the last to close tidies up
                    opened.unwrap();
                }
            });
        }
    });
}

#[tokio::test]
async fn a_store_that_is_closed_and_opened_again_knows_what_it_knew() {
    let (_folder, path) = folder().await;
    let store = SqliteStore::open(&path).unwrap();
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
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["drags.db"], "nothing is left beside it");
}
