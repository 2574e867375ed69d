//! A gateway that comes to a job late: it tells nobody again what another one has found.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use drag_solver::store::{
    ChallengeRecord, KeyRole, NewPurchase, SqliteStore, Store, StoreError, StoreErrorKind,
    forward_store,
};
use drag_solver::testing::{MockSolver, Outcome, fixtures};
use drag_solver::{ErrorKind, async_trait};
use serde_json::Value;
use tokio::time::sleep;

use crate::callbacks::{HOOK, Script, policy, task};
use crate::house::{House, add_key, store};

/// A store that answers after ten seconds what it knew when it was asked.
#[derive(Clone, Debug)]
struct Slow(SqliteStore);

#[async_trait]
impl Store for Slow {
    async fn find_with_picture(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let found = self.0.find_with_picture(id).await;
        sleep(Duration::from_secs(10)).await;
        found
    }
    forward_store!(0 except find_with_picture);
}

async fn house(mock: &MockSolver, store: impl Store + Clone, script: &Script) -> House {
    let script = script.clone();
    House::built(mock, store, |builder| {
        builder.policy(policy()).callback_sender(script)
    })
    .await
}

/// Of a client, and of an administrator.
async fn keys(store: &SqliteStore) -> (String, String) {
    let client = add_key(store, "shop", |_| {}).await;
    let boss = add_key(store, "boss", |key| key.role = KeyRole::Administrator);
    (client, boss.await)
}

async fn create(house: &House, client: &str) {
    let mut task = task(590, HOOK);
    task["clientKey"] = client.into();
    let created = house.post("/createTask", &task).await;
    assert_eq!(created["errorId"], 0, "{created}");
}

/// What the gateway has counted.
async fn ended(house: &House, boss: &str) -> usize {
    let request = Request::get("/admin/overview").header("authorization", format!("Bearer {boss}"));
    let (_, text) = house.text(request.body(Body::empty()).unwrap()).await;
    let seen: Value = serde_json::from_str(&text).unwrap();
    seen["jobs"]["ended"].as_array().unwrap().len()
}

/// One gateway has a job in hand while another one ends it. How often each has sent a callback and has counted it.
async fn of_two(outcome: Outcome) -> ([Vec<u64>; 2], [usize; 2], usize) {
    let (store, mock) = (store(), MockSolver::new("house").always(outcome));
    let (client, boss) = keys(&store).await;
    let scripts = [Script::new([]), Script::new([])];
    let late = house(&mock, Slow(store.clone()), &scripts[0]).await;
    create(&late, &client).await;
    sleep(Duration::from_secs(1)).await;
    // It finds at its start what is open.
    let fast = house(&mock, store, &scripts[1]).await;
    sleep(Duration::from_secs(60)).await;
    let counted = [ended(&late, &boss).await, ended(&fast, &boss).await];
    (
        scripts.map(|script| script.times()),
        counted,
        mock.purchases(),
    )
}

#[tokio::test(start_paused = true)]
async fn what_failed_meanwhile_is_told_and_counted_once() {
    let failed = Outcome::error(ErrorKind::Unsolvable, "no");
    assert_eq!(of_two(failed).await, ([vec![], vec![1]], [0, 1], 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_solved_meanwhile_is_told_and_counted_once() {
    let solved = Outcome::answer(fixtures::drag());
    assert_eq!(of_two(solved).await, ([vec![], vec![1]], [0, 1], 1));
}

/// A store that does not take what is about to be bought.
#[derive(Clone, Debug)]
struct Full(SqliteStore);

#[async_trait]
impl Store for Full {
    async fn begin_purchase(&self, _: NewPurchase) -> Result<(), StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable, "full"))
    }
    forward_store!(0 except begin_purchase);
}

#[tokio::test(start_paused = true)]
async fn what_failed_as_nothing_could_be_bought_is_told_and_counted_once() {
    let (store, mock) = (store(), MockSolver::new("house").always(fixtures::drag()));
    let (client, boss) = keys(&store).await;
    let script = Script::new([]);
    let house = house(&mock, Full(store), &script).await;
    create(&house, &client).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.times(), [1], "when it is looked at again");
    assert_eq!(ended(&house, &boss).await, 1);
    assert_eq!(mock.purchases(), 0);
}
