//! The server is away for a while.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use drag_solver_core::{Billed, DragSolver as _, ErrorKind, JobId, Solution, Verdict};
use drag_solver_mock::fixtures;
use drag_solver_store::{
    Accepted, Charge, Ended, Fact, KeyLimits, KeyRecord, Limit, NewPurchase, Opening,
    PostgresOptions, PostgresStore, Reported, Store as _, StoreErrorKind, StoreExt as _,
    StoredBudget, StoredBudgetPolicy, TakenUp, key_hash,
};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::place::Place;
use crate::process::{answering, challenge};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_waited_out() {
    let Some(place) = Place::alone() else { return };
    let store = place.open_with(PostgresOptions::default().patience(Duration::from_secs(60)));
    store.flush().await.unwrap();
    let (mock, price) = (answering(), "0.001".parse().unwrap());
    let budget = StoredBudget::new(&store, "all", StoredBudgetPolicy::default());
    let solver = Arc::new(mock.clone().stored_budget(&budget, price).durable(&store));
    let calls = (0..40).map(|number| {
        let solver = Arc::clone(&solver);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(5 * number)).await;
            solver
                .solve(&fixtures::challenge().with_id(format!("{number}")))
                .await
        })
    });
    let calls: Vec<_> = calls.collect();
    let server = Arc::clone(&place.server);
    let restarted = tokio::task::spawn_blocking(move || {
        server.kill();
        server.run();
    });
    restarted.await.unwrap();
    for call in join_all(calls).await {
        call.unwrap().unwrap();
    }
    assert_eq!(mock.purchases(), 40);
    store.flush().await.unwrap();
    let state = budget.state(None).await.unwrap();
    assert_eq!(state.spent, "0.04".parse().unwrap());
    assert_eq!(state.reserved, "0".parse().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_put_on_record_in_time_is_refused_and_goes_on_later() {
    let Some(place) = Place::alone() else { return };
    let patience = Duration::from_millis(300);
    let store = place.open_with(PostgresOptions::default().patience(patience));
    store.flush().await.unwrap();
    let mock = answering();
    let solver = mock.clone().durable(&store);
    place.server.kill();
    let begun = Instant::now();
    let error = solver.solve(&challenge("new")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
    assert!(begun.elapsed() >= patience);
    assert_eq!(mock.calls().len(), 0, "nothing was sent");
    let opening = Opening::of(&challenge("other"), "other", store.now());
    let accept = async || {
        let picture = Bytes::from_static(b"a picture");
        store
            .accept(&opening, &picture, &KeyLimits::default())
            .await
    };
    let error = accept().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    place.server.run();
    solver.solve(&challenge("new")).await.unwrap();
    assert!(matches!(accept().await.unwrap(), Accepted::New));
    assert_eq!(mock.purchases(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_another_keeps_is_waited_for() {
    let Some(place) = Place::new() else { return };
    // It waits for a lock for 2 s at a time, and for 30 s in all.
    let options = PostgresOptions::default().lease(Duration::from_secs(1));
    let store = place.open_with(options.patience(Duration::from_secs(30)));
    store.flush().await.unwrap();
    let name = format!("of {}", place.schema);
    let keeps = format!(
        "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('budget/{name}', 0)); SELECT pg_sleep(3); COMMIT"
    );
    let mut other = place.server.program("psql");
    let mut other = other
        .args(["-q", "-d", &place.server.url(), "-c", &keeps])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND wait_event = 'PgSleep'";
    while place.sql(sleeps) == "0" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let budget = StoredBudget::new(&store, &*name, StoredBudgetPolicy::default());
    let solver = answering().stored_budget(&budget, "0.001".parse().unwrap());
    let new = challenge("new");
    let waits = async {
        solver.solve(&new).await.unwrap();
        assert_eq!(place.sql(sleeps), "0", "it has waited");
    };
    let free = tokio::task::spawn_blocking(move || other.wait().unwrap());
    let ((), ended) = tokio::join!(waits, free);
    assert!(ended.unwrap().success());
    let spent = budget.state(None).await.unwrap().spent;
    assert_eq!(spent, "0.001".parse().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_take_the_same_up_in_opposite_orders_both_end() {
    let Some(place) = Place::new() else { return };
    // No lease ends while they wait for each other.
    // So long that none ends on a slow machine, where a deadlock is found after a second.
    let open = || place.open_with(PostgresOptions::default().lease(Duration::from_secs(600)));
    let (one, other) = (open(), open());
    let ids: Vec<String> = (0..60).map(|number| format!("id {number}")).collect();
    let take_up = |store: &PostgresStore, ids: Vec<String>| {
        let store = store.clone();
        tokio::spawn(async move {
            let openings: Vec<_> = ids
                .iter()
                .map(|id| Opening::of(&fixtures::challenge(), &**id, store.now()))
                .collect();
            let taken = join_all(openings.iter().map(|opening| store.take_up(opening))).await;
            let claimed = taken.into_iter().map(Result::unwrap);
            claimed
                .filter(|taken| matches!(taken, TakenUp::Claimed(..)))
                .count()
        })
    };
    let mut reversed = ids.clone();
    reversed.reverse();
    let (first, second) = tokio::join!(take_up(&one, ids.clone()), take_up(&other, reversed));
    assert_eq!(
        first.unwrap() + second.unwrap(),
        ids.len(),
        "each is taken up once"
    );
}

#[tokio::test]
async fn no_error_shows_the_password() {
    let Some(place) = Place::new() else { return };
    let port = place.server.port();
    for url in [
        format!("postgres://nobody:hunter2@127.0.0.1:{port}/postgres"),
        format!("postgres://postgres:hunter2@127.0.0.1:{port}/nothing"),
        "postgres://postgres:hunter2@127.0.0.1:1/postgres".to_owned(),
        format!("postgres://postgres:hunter2@127.0.0.1:{port}/postgres?sslmode=require"),
    ] {
        let options = PostgresOptions::default().patience(Duration::ZERO);
        let store = PostgresStore::open(&url.clone().into(), options).unwrap();
        let error = store.flush().await.unwrap_err();
        let shown = format!("{error} {error:?} {store:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("127.0.0.1"), "{shown}");
    }
}

/// What is sent again when it is unknown whether it was committed.
#[tokio::test]
async fn what_is_written_twice_changes_nothing_the_second_time() {
    let Some(place) = Place::new() else { return };
    let store = place.open();
    let picture = Bytes::from_static(b"a picture");
    let opening = Opening::of(&challenge("new"), "new", store.now());
    let accept = async || {
        store
            .accept(&opening, &picture, &KeyLimits::default())
            .await
    };
    assert!(matches!(accept().await.unwrap(), Accepted::New));
    assert!(matches!(accept().await.unwrap(), Accepted::Known(_)));
    let claim = async || match store.take_up(&opening).await.unwrap() {
        TakenUp::Claimed(claim, _) => claim,
        other => panic!("{other:?}"),
    };
    let claims = [claim().await, claim().await];
    assert_eq!(claims[0], claims[1]);
    for _ in 0..2 {
        let purchase = NewPurchase::new(7, claims[0], "a", picture.clone());
        store.begin_purchase(purchase).await.unwrap();
    }
    let (price, limits) = ("0.001".parse().unwrap(), in_all("0.0015"));
    let charge = Charge {
        key: 8,
        reservation: None,
        budget: "all".to_owned(),
        solver: "a".to_owned(),
        amount: price,
    };
    for _ in 0..2 {
        // There is money for one.
        store.charge(&charge, &limits).await.unwrap().unwrap();
        let reserved = store.reserve(9, "other", price, &limits).await;
        reserved.unwrap().unwrap();
    }
    let state = store.budget("all", &[]).await.unwrap();
    assert_eq!(state.spent, price);
    let state = store.budget("other", &[]).await.unwrap();
    assert_eq!(state.reserved, price);
    for _ in 0..2 {
        for fact in [
            Fact::Bought {
                challenge: claims[0].challenge,
                key: 7,
                job: JobId::from(4_711),
            },
            Fact::ChargeSettled {
                budget: "all".to_owned(),
                key: 8,
                amount: "0.0005".parse().unwrap(),
            },
            Fact::Finished {
                claim: claims[0],
                outcome: Some(Ok(Solution::new(fixtures::drag(), "a"))),
                ended: vec![Ended {
                    key: 7,
                    billed: Billed::Yes,
                    cost: Some(price),
                }],
            },
        ] {
            store.record(fact).await.unwrap();
        }
    }
    assert_eq!(
        store.report("new", Verdict::Correct).await.unwrap(),
        Reported::First
    );
    let record = store.find("new").await.unwrap().unwrap();
    assert_eq!(record.purchases.len(), 1);
    assert_eq!(record.purchases[0].job, Some(JobId::from(4_711)));
    let state = store.budget("all", &[]).await.unwrap();
    assert_eq!(state.spent, "0.0005".parse().unwrap());
    let key = KeyRecord::new("shop", key_hash("secret"), store.now()).unwrap();
    assert!(store.add_key(&key).await.unwrap() && store.add_key(&key).await.unwrap());
    assert_eq!(store.keys().await.unwrap().len(), 1);
}

fn in_all(most: &str) -> [Limit; 1] {
    [Limit {
        since: None,
        most: most.parse().unwrap(),
    }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_is_refused_in_time_however_many_facts_wait_before() {
    let Some(place) = Place::alone() else { return };
    let patience = Duration::from_millis(300);
    let store = place.open_with(PostgresOptions::default().patience(patience));
    store.flush().await.unwrap();
    place.server.kill();
    for key in 0..1_000 {
        drop(store.record(Fact::Released(key)));
    }
    // Facts are kept for as long as it takes; this would hang behind them.
    let told = timeout(Duration::from_secs(60), store.flush()).await;
    assert!(told.unwrap().is_err());
    place.server.run();
    let told = timeout(Duration::from_secs(60), async {
        while store.flush().await.is_err() {}
    });
    told.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_is_dropped_leaves_its_answer_to_no_other() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default().connections(2));
    store.find("x").await.unwrap();
    let (server, table) = (&place.server, format!("{}.challenges", place.schema));
    let sql = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)");
    let mut psql = server.program("psql");
    psql.args(["-q", "-d", &server.url(), "-c", &sql]);
    let mut locks = psql
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let holders = format!(
        "SELECT pid FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'AccessExclusiveLock' AND granted"
    );
    while server.psql(&holders).unwrap().trim().is_empty() {}
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.find("x").await }
    });
    // Other tests share the server: their waits are none of this table.
    let waits =
        format!("SELECT 1 FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted");
    while server.psql(&waits).unwrap().trim().is_empty() {}
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    // On the same connection this would wait until the server gives up what nobody waits for any more.
    let keys = timeout(Duration::from_secs(60), store.keys()).await;
    assert!(keys.unwrap().unwrap().is_empty());
    let end = format!("SELECT pg_terminate_backend(pid) FROM ({holders}) AS one");
    server.psql(&end).unwrap();
    locks.wait().unwrap();
    store.find("x").await.unwrap();
}
