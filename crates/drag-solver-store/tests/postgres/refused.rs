//! Facts that the server refuses for now, as something forbids them: they are written later, and hold up nothing that does not
//! depend on them.

use std::time::Duration;

use drag_solver_core::{Billed, DragSolver as _, ErrorKind, JobId, PaidJob, Usd};
use drag_solver_mock::fixtures;
use drag_solver_store::{
    Charge, Claim, DurablePolicy, Fact, NewPurchase, Opening, PostgresOptions, PostgresStore,
    Status, Store as _, StoreExt as _, TakenUp,
};
use tokio::time::timeout;

use crate::place::Place;
use crate::process::answering;

fn forbid(place: &Place, table: &str) {
    let schema = &place.schema;
    place.server.psql(&format!(
        "CREATE FUNCTION {schema}.forbid() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
         CREATE TRIGGER forbid BEFORE UPDATE ON {schema}.{table} FOR EACH ROW EXECUTE FUNCTION {schema}.forbid()")).unwrap();
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

/// A job that is named, and cannot be written for now: no other call buys again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ends_does_not_overtake_the_job_that_it_bought() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    let claim = claim(&store, "a").await;
    let picture = fixtures::challenge().screenshot().bytes().clone();
    store
        .begin_purchase(NewPurchase::new(1, claim, "provider", picture))
        .await
        .unwrap();
    forbid(&place, "purchases");
    store
        .record(Fact::Bought {
            key: 1,
            job: JobId::from(4_711),
        })
        .await
        .unwrap_err();
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
        let claim = claim(&store, &format!("e{n}")).await;
        let picture = fixtures::challenge().screenshot().bytes().clone();
        store
            .begin_purchase(NewPurchase::new(n + 10, claim, "provider", picture))
            .await
            .unwrap();
        claims.push(claim);
    }
    forbid(&place, "purchases");
    for (n, claim) in claims.into_iter().enumerate() {
        let key = 10 + i64::try_from(n).unwrap();
        drop(store.record(Fact::Bought {
            key,
            job: JobId::from(4_711),
        }));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_that_the_server_refuses_for_now_holds_up_nothing_else() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    let challenge = fixtures::challenge();
    for (id, key) in [("a", 1), ("b", 2)] {
        let opening = Opening::of(&challenge, id, store.now());
        let TakenUp::Claimed(claim, _) = store.take_up(&opening).await.unwrap() else {
            panic!("{id} is new");
        };
        let picture = challenge.screenshot().bytes().clone();
        let purchase = NewPurchase::new(key, claim, "provider", picture);
        store.begin_purchase(purchase).await.unwrap();
    }
    let table = format!("{}.purchases", place.schema);
    let forbid = format!(
        "CREATE FUNCTION {schema}.forbid() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
         CREATE TRIGGER forbid BEFORE UPDATE ON {table} FOR EACH ROW WHEN (old.key = 1)
             EXECUTE FUNCTION {schema}.forbid()",
        schema = place.schema
    );
    place.server.psql(&forbid).unwrap();
    let bought = |key| {
        let job = JobId::from(4_711);
        store.record(Fact::Bought { key, job })
    };
    let told = bought(1).await.unwrap_err();
    assert!(told.to_string().contains("not today"), "{told}");
    assert!(store.flush().await.is_err(), "not all is written");
    bought(2).await.unwrap();
    let opening = Opening::of(&challenge, "c", store.now());
    assert!(matches!(
        store.take_up(&opening).await.unwrap(),
        TakenUp::Claimed(..)
    ));
    place
        .server
        .psql(&format!("DROP TRIGGER forbid ON {table}"))
        .unwrap();
    while store.flush().await.is_err() {}
    let record = store.find("a").await.unwrap().unwrap();
    assert_eq!(record.purchases[0].job, Some(JobId::from(4_711)));
}
