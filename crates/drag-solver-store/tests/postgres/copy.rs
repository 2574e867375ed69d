use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::{Billed, DragSolver as _, JobId, Usd};
use drag_solver_mock::{MockSolver, Outcome, fixtures};
use drag_solver_store::jiff::Timestamp;
use drag_solver_store::{
    Accepted, CallRecord, Ended, Fact, KeyLimits, KeyRecord, NewPurchase, Opening, Query,
    SqliteStore, Store, StoreErrorKind, StoreExt as _, StoredBudget, StoredBudgetPolicy, TakenUp,
    key_hash,
};

use crate::place::Place;

fn as_it_is(records: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(records).unwrap()
}

pub(crate) fn a_call(store: &impl Store) -> CallRecord {
    let now = store.now().as_millisecond();
    CallRecord {
        key: 8,
        solver: "a".to_owned(),
        ended: Timestamp::from_millisecond(now).unwrap(),
        took: Duration::from_millis(7),
        good: false,
        spent: Some(Usd::from_micros(900)),
        job: None,
    }
}

#[tokio::test]
async fn a_file_moves_with_all_that_is_on_record() {
    let Some(place) = Place::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("drags.db")).unwrap();
    let policy = StoredBudgetPolicy::default();
    let budget = StoredBudget::new(&file, "daily", policy.clone());
    let price = Usd::from_micros(900);
    let mock = MockSolver::new("a")
        .then(fixtures::drag())
        .then(Outcome::error(
            drag_solver_core::ErrorKind::Unsolvable,
            "no",
        ));
    let solver = mock.stored_budget(&budget, price).durable(&file);
    let challenge = |id: &'static str| fixtures::challenge().with_id(id);
    solver
        .solve(&challenge("solved").with_label("tenant"))
        .await
        .unwrap();
    solver.solve(&challenge("failed")).await.unwrap_err();
    // One waits with its picture, and of one a job is paid for.
    let waiting = Opening::of(&challenge("waiting"), "waiting", file.now()).with_note("a note");
    let picture = Bytes::from_static(b"\x00\xff picture");
    let accepted = file.accept(&waiting, &picture, &KeyLimits::default()).await;
    assert!(matches!(accepted.unwrap(), Accepted::New));
    let paid = Opening::of(&challenge("paid"), "paid", file.now());
    let TakenUp::Claimed(claim, _) = file.take_up(&paid).await.unwrap() else {
        panic!("it is new");
    };
    file.begin_purchase(NewPurchase::new(7, claim, "a", picture.clone()))
        .await
        .unwrap();
    let bought = Fact::Bought {
        challenge: claim.challenge,
        key: 7,
        job: JobId::from(4_711),
    };
    file.record(bought).await.unwrap();
    let call = a_call(&file);
    file.record(Fact::Called(call.clone())).await.unwrap();
    let mut key = KeyRecord::new(
        "shop",
        key_hash("secret"),
        Timestamp::from_second(5).unwrap(),
    )
    .unwrap();
    key.limits.total = Some(price);
    assert!(file.add_key(&key).await.unwrap());

    let (store, other) = (
        place.open(),
        SqliteStore::open(folder.path().join("drags.db")).unwrap(),
    );
    let refused = store.copy_from(&file).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid, "{refused}");
    drop(other);
    assert!(store.copy_from(&file).await.unwrap() > 8);
    let refused = store.copy_from(&file).await.unwrap_err();
    assert!(refused.to_string().contains("on record"), "{refused}");

    let all = Query::default().pictures(true);
    let (mut before, after) = (
        file.list(&all).await.unwrap(),
        store.list(&all).await.unwrap(),
    );
    for (one, other) in before.iter_mut().zip(&after) {
        assert_eq!(one.digest, other.digest);
        assert_eq!(one.picture, other.picture);
    }
    // No call has here what one has there.
    let held = before
        .iter_mut()
        .find(|record| record.id == "paid")
        .unwrap();
    held.status = after
        .iter()
        .find(|record| record.id == "paid")
        .unwrap()
        .status
        .clone();
    assert_eq!(as_it_is(&before), as_it_is(&after));
    assert_eq!(store.keys().await.unwrap(), [key]);
    let calls = store.calls("a", Timestamp::MIN, 9).await.unwrap();
    assert_eq!(calls, [call]);
    let moved = StoredBudget::new(&store, "daily", policy);
    assert_eq!(
        moved.state(None).await.unwrap().spent,
        budget.state(None).await.unwrap().spent
    );

    // It continues from there: what is solved is known, what is paid for is fetched, and what comes is a new one.
    let mock = MockSolver::new("a").always(fixtures::drag());
    let solver = mock.clone().durable(&store);
    solver.solve(&challenge("solved")).await.unwrap();
    assert_eq!(mock.calls().len(), 0);
    let fetched = solver.solve(&challenge("paid")).await.unwrap();
    assert_eq!(fetched.job(), Some(&JobId::from(4_711)));
    assert_eq!(mock.purchases(), 0);
    solver.solve(&challenge("new")).await.unwrap();
    let challenge = claim.challenge;
    let ended = Ended {
        key: 7,
        billed: Billed::Yes,
        cost: Some(price),
    };
    let settled = Fact::Settled { challenge, ended };
    store.record(settled).await.unwrap();
}
