//! Facts that the server refuses for now, as something forbids them: they are written later, and hold up nothing that does not
//! depend on them.

use std::time::Duration;

use drag_solver_core::{Billed, DragSolver as _, ErrorKind, JobId, PaidJob, Solution, Usd};
use drag_solver_mock::fixtures;
use drag_solver_store::{
    Charge, Claim, DurablePolicy, Fact, NewPurchase, Opening, PostgresOptions, PostgresStore,
    Status, Store as _, StoreExt as _, TakenUp,
};
use tokio::time::timeout;

use crate::place::Place;
use crate::process::answering;

fn forbid(place: &Place, table: &str) {
    forbid_some(place, table, "true");
}

/// A trigger that forbids to change some rows.
fn forbid_some(place: &Place, table: &str, rows: &str) {
    let schema = &place.schema;
    place
        .server
        .psql(&format!(
            "CREATE FUNCTION {schema}.forbid() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
         CREATE TRIGGER forbid BEFORE UPDATE ON {schema}.{table} FOR EACH ROW WHEN ({rows})
             EXECUTE FUNCTION {schema}.forbid()"
        ))
        .unwrap();
}

fn allow(place: &Place, table: &str) {
    place
        .server
        .psql(&format!("DROP TRIGGER forbid ON {}.{table}", place.schema))
        .unwrap();
}

async fn claim(store: &PostgresStore, id: &str) -> Claim {
    let opening = Opening::of(&fixtures::challenge(), id, store.now());
    match store.take_up(&opening).await.unwrap() {
        TakenUp::Claimed(claim, _) => claim,
        other => panic!("{other:?}"),
    }
}

/// Takes a challenge up, and buys for it.
async fn begin(store: &PostgresStore, id: &str, key: i64) -> Claim {
    let claim = claim(store, id).await;
    let picture = fixtures::challenge().screenshot().bytes().clone();
    let purchase = NewPurchase::new(key, claim, "provider", picture);
    store.begin_purchase(purchase).await.unwrap();
    claim
}

fn bought(claim: Claim, key: i64) -> Fact {
    Fact::Bought {
        challenge: claim.challenge,
        key,
        job: JobId::from(4_711),
    }
}

fn solved(claim: Claim) -> Fact {
    Fact::Finished {
        claim,
        outcome: Some(Ok(Solution::new(fixtures::drag(), "provider"))),
        ended: Vec::new(),
    }
}

/// A job that is named, and cannot be written for now: no other call buys again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ends_does_not_overtake_the_job_that_it_bought() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    let claim = begin(&store, "a", 1).await;
    forbid(&place, "purchases");
    store.record(bought(claim, 1)).await.unwrap_err();
    let error = fixtures::challenge()
        .refuse("provider", ErrorKind::Timeout, "it takes too long")
        .with_billed(Billed::Maybe);
    let finished = Fact::Finished {
        claim,
        outcome: Some(Err(error)),
        ended: Vec::new(),
    };
    drop(timeout(Duration::from_secs(3), store.record(finished)).await);
    let mock = answering();
    let solver = mock
        .clone()
        .durable(&store)
        .with_policy(DurablePolicy::default().buy_unconfirmed(true));
    let again = fixtures::challenge().with_id("a");
    drop(timeout(Duration::from_secs(3), solver.solve(&again)).await);
    assert_eq!(
        mock.purchases(),
        0,
        "bought twice: its job is known to this process"
    );
    allow(&place, "purchases");
}

/// What a job cost is not lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_job_cost_waits_for_the_charge_to_be_of_that_job() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    let (assumed, cost): (Usd, Usd) = ("0.001".parse().unwrap(), "0.009".parse().unwrap());
    let charge = Charge {
        key: 8,
        reservation: None,
        budget: "all".to_owned(),
        solver: "a".to_owned(),
        amount: assumed,
    };
    store.charge(&charge, &[]).await.unwrap().unwrap();
    forbid(&place, "charges");
    let job = PaidJob::new("a", JobId::from(4_711));
    store
        .record(Fact::ChargedFor {
            budget: charge.budget.clone(),
            key: 8,
            job: job.clone(),
        })
        .await
        .unwrap_err();
    let settled = store.record(Fact::JobSettled {
        budget: "all".to_owned(),
        job,
        amount: Some(cost),
    });
    drop(timeout(Duration::from_secs(3), settled).await);
    allow(&place, "charges");
    while store.flush().await.is_err() {}
    assert_eq!(store.budget("all", &[]).await.unwrap().spent, cost);
}

/// In the end all is written, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_was_refused_is_written_in_the_end() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    store.flush().await.unwrap();
    let mut claims = Vec::new();
    for n in 0..60_i64 {
        claims.push(begin(&store, &format!("e{n}"), n + 10).await);
    }
    forbid(&place, "purchases");
    for (n, claim) in claims.into_iter().enumerate() {
        let key = 10 + i64::try_from(n).unwrap();
        drop(store.record(bought(claim, key)));
        let error =
            fixtures::challenge().refuse("provider", ErrorKind::Timeout, "it takes too long");
        drop(store.record(Fact::Finished {
            claim,
            outcome: Some(Err(error)),
            ended: Vec::new(),
        }));
    }
    assert!(store.flush().await.is_err());
    allow(&place, "purchases");
    while store.flush().await.is_err() {}
    for n in 0..60 {
        let record = store.find(&format!("e{n}")).await.unwrap().unwrap();
        assert_eq!(record.open_jobs().count(), 1);
        assert!(matches!(record.status, Status::Failed { .. }));
    }
}

/// The ends of other calls do not wait for it, and neither does what they bought.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_that_the_server_refuses_for_now_holds_up_its_own_challenge_alone() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    let (first, second) = (begin(&store, "a", 1).await, begin(&store, "b", 2).await);
    forbid_some(&place, "purchases", "old.key = 1");
    let told = store.record(bought(first, 1)).await.unwrap_err();
    assert!(told.to_string().contains("not today"), "{told}");
    assert!(store.flush().await.is_err(), "not all is written");
    // In one transaction with what waits, which it does not hold up either.
    let ends = tokio::join!(
        timeout(Duration::from_secs(3), store.record(solved(first))),
        store.record(bought(second, 2)),
        store.record(solved(second)),
    );
    assert!(!matches!(ends.0, Ok(Ok(()))), "it overtook its own job");
    ends.1.unwrap();
    ends.2.unwrap();
    let status = async |id: &str| store.find(id).await.unwrap().unwrap().status;
    assert!(matches!(status("a").await, Status::Open { held: true }));
    assert!(matches!(status("b").await, Status::Solved { .. }));
    claim(&store, "c").await;

    allow(&place, "purchases");
    while store.flush().await.is_err() {}
    assert!(matches!(status("a").await, Status::Solved { .. }));
    let record = store.find("a").await.unwrap().unwrap();
    assert_eq!(record.purchases[0].job, Some(JobId::from(4_711)));
}

/// What jobs of other calls cost does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_that_is_refused_for_now_holds_up_its_own_job_alone() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    let usd = |text: &str| text.parse::<Usd>().unwrap();
    let jobs = [(7, "all", "x"), (8, "all", "y"), (9, "other", "x")];
    for (key, budget, _) in jobs {
        let charge = Charge {
            key,
            reservation: None,
            budget: budget.to_owned(),
            solver: "a".to_owned(),
            amount: usd("0.001"),
        };
        store.charge(&charge, &[]).await.unwrap().unwrap();
    }
    forbid_some(&place, "charges", "old.key = 7");
    let job = |id: &str| PaidJob::new("a", JobId::new(id).unwrap());
    for (key, budget, id) in jobs {
        let charged_for = Fact::ChargedFor {
            budget: budget.to_owned(),
            key,
            job: job(id),
        };
        assert_eq!(store.record(charged_for).await.is_err(), key == 7);
    }
    for (key, budget, id) in jobs {
        let settled = store.record(Fact::JobSettled {
            budget: budget.to_owned(),
            job: job(id),
            amount: Some(usd("0.009")),
        });
        if key == 7 {
            drop(timeout(Duration::from_secs(3), settled).await);
        } else {
            settled.await.unwrap();
        }
    }
    let spent = async |budget| store.budget(budget, &[]).await.unwrap().spent;
    assert_eq!(spent("all").await, usd("0.01"));
    assert_eq!(spent("other").await, usd("0.009"));
    allow(&place, "charges");
    while store.flush().await.is_err() {}
    assert_eq!(spent("all").await, usd("0.018"));
}
