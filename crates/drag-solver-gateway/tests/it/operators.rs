//! People who answer what clients ask.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use drag_solver::ErrorKind;
use drag_solver::config::Registry;
use drag_solver::operators::pages::Practice;
use drag_solver::operators::{Desk, DeskPolicy, Operators, OperatorsPolicy, WhenAbsent};
use drag_solver::store::{KeyRole, SqliteStore};
use drag_solver::testing::{MockSolver, Outcome};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::house::{House, add_key, registered, store};

/// An operator's page.
struct Page {
    session: String,
    key: String,
    body: BodyDataStream,
    text: String,
}

impl Page {
    async fn open(house: &House, key: &str) -> Self {
        let request =
            Request::get("/operator/events").header("authorization", format!("Bearer {key}"));
        let response = house.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        let mut page = Self {
            session: String::new(),
            key: key.to_owned(),
            body: response.into_body().into_data_stream(),
            text: String::new(),
        };
        let hello = page.event("hello").await;
        hello["session"]
            .as_str()
            .unwrap()
            .clone_into(&mut page.session);
        page
    }

    /// The next event of this name.
    async fn event(&mut self, wanted: &str) -> Value {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                if event.lines().any(|line| line == format!("event: {wanted}")) {
                    return serde_json::from_str(data.unwrap()).unwrap();
                }
            }
            let bytes = self.body.next().await.unwrap().unwrap();
            self.text += std::str::from_utf8(&bytes).unwrap();
        }
    }

    async fn answer(&self, house: &House, challenge: &Value) {
        let id = challenge["id"].as_str().unwrap();
        let body = json!({"start": {"x": 10, "y": 20}, "end": {"x": 30, "y": 20}}).to_string();
        let request = Request::post(format!("/operator/challenges/{id}/answer"))
            .header("authorization", format!("Bearer {}", self.key))
            .header("operator-session", &self.session);
        let (status, text) = house.text(request.body(body.into()).unwrap()).await;
        assert_eq!(status, 200, "{text}");
    }
}

/// A service that fails, and people behind it.
async fn service_and_people(service: &MockSolver, store: &SqliteStore) -> House {
    let desk = Desk::new(DeskPolicy::default());
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let registry = registered(Registry::empty(), "service", service);
    let registry = registered(registry, "person", &people);
    let kinds = ["service", "person"];
    House::of_chain(registry, &kinds, store.clone(), |builder| {
        builder.operators(&desk, Practice::none())
    })
    .await
}

async fn house(store: &SqliteStore) -> House {
    house_with(store, WhenAbsent::Wait).await
}

async fn house_with(store: &SqliteStore, when_absent: WhenAbsent) -> House {
    let desk = Desk::new(DeskPolicy::default());
    let policy = OperatorsPolicy::default().when_absent(when_absent);
    let people = Operators::new(&desk, policy).named("house");
    House::built(&people, store.clone(), |builder| {
        builder.operators(&desk, Practice::none())
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_person_answers_what_a_client_asks() {
    let store = store();
    let client = add_key(&store, "shop", |_| {}).await;
    let anna = add_key(&store, "anna", |key| key.role = KeyRole::Operator).await;
    let house = house(&store).await;
    for key in [&client, "wrong"] {
        let request =
            Request::get("/operator/events").header("authorization", format!("Bearer {key}"));
        let (status, _) = house.text(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, 401);
    }
    let id = house.create(&client, 590).await;
    let mut page = Page::open(&house, &anna).await;
    let challenge = page.event("challenge").await;
    assert_eq!(
        (&challenge["width"], &challenge["instruction"]),
        (&json!(590), &json!("drag"))
    );
    page.answer(&house, &challenge).await;
    let answer = house.poll(&client, id).await;
    assert_eq!(
        answer["solution"]["coordinates"][1],
        json!({"x": 30, "y": 20})
    );
    assert_eq!(answer["cost"], "0.001");
    let refused = house
        .post("/createTask", &crate::house::coordinates(&anna, 591))
        .await;
    assert_eq!(
        refused["errorCode"], "ERROR_KEY_DOES_NOT_EXIST",
        "an operator buys nothing"
    );
    let balance = house.post("/getBalance", &json!({"clientKey": anna})).await;
    assert_eq!(balance["errorCode"], "ERROR_KEY_DOES_NOT_EXIST");
}

#[tokio::test(start_paused = true)]
async fn what_is_on_a_screen_when_the_gateway_dies_is_asked_again_and_bought_once() {
    let store = store();
    let client = add_key(&store, "shop", |_| {}).await;
    let anna = add_key(&store, "anna", |key| key.role = KeyRole::Operator).await;
    let first = house_with(&store, WhenAbsent::Refuse).await;
    let mut page = Page::open(&first, &anna).await;
    let id = first.create(&client, 590).await;
    let shown = page.event("challenge").await;
    // Her answer is taken, and can still be undone: it does not count yet.
    page.answer(&first, &shown).await;
    first.crash().await;

    let second = house_with(&store, WhenAbsent::Refuse).await;
    // Her page takes a while to come back: until then nobody is there.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let mut page = Page::open(&second, &anna).await;
    let again = page.event("challenge").await;
    assert_eq!(
        (&again["id"], &again["again"]),
        (&shown["id"], &json!(true))
    );
    page.answer(&second, &again).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let answer = second.poll(&client, id).await;
    assert_eq!(answer["status"], "ready", "{answer}");
    let records =
        drag_solver::store::Store::list(&store, &drag_solver::store::Query::default()).await;
    let records = records.unwrap();
    assert_eq!(records[0].purchases.len(), 1, "{records:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_no_operator_who_may_come() {
    let store = store();
    let client = add_key(&store, "shop", |_| {}).await;
    let anna = add_key(&store, "anna", |key| key.role = KeyRole::Operator).await;
    let first = house(&store).await;
    let id = first.create(&client, 590).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = tokio::time::Instant::now();
    first.gateway.stop();
    first.ended().await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );

    let second = house(&store).await;
    let mut page = Page::open(&second, &anna).await;
    let challenge = page.event("challenge").await;
    page.answer(&second, &challenge).await;
    let answer = second.poll(&client, id).await;
    assert_eq!(answer["status"], "ready", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn behind_a_service_too_a_person_is_asked_again_after_a_crash_and_the_service_is_not() {
    let store = store();
    let client = add_key(&store, "shop", |_| {}).await;
    let anna = add_key(&store, "anna", |key| key.role = KeyRole::Operator).await;
    let service = MockSolver::new("service");
    let service = service.always(Outcome::error(ErrorKind::Unsolvable, "no"));
    let first = service_and_people(&service, &store).await;
    let mut page = Page::open(&first, &anna).await;
    let id = first.create(&client, 590).await;
    let shown = page.event("challenge").await;
    first.crash().await;
    assert_eq!(service.purchases(), 1);

    let second = service_and_people(&service, &store).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut page = Page::open(&second, &anna).await;
    let again = page.event("challenge").await;
    assert_eq!(again["id"], shown["id"]);
    page.answer(&second, &again).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(second.poll(&client, id).await["status"], "ready");
    assert_eq!(service.purchases(), 1, "what is paid for is fetched first");
}
