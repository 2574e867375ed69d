//! What an administrator sees of what is going on.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use drag_solver::store::KeyRole;
use drag_solver::testing::{MockSolver, Outcome, fixtures};
use drag_solver::{ErrorKind, Usd};
use drag_solver_gateway::GatewayPolicy;
use serde_json::{Value, json};

use crate::house::{House, add_key, answer_after, store};

fn get(path: &str, key: &str) -> Request<Body> {
    Request::get(path)
        .header("authorization", format!("Bearer {key}"))
        .body(Body::empty())
        .unwrap()
}

async fn overview(house: &House, key: &str) -> Value {
    let (status, text) = house.text(get("/admin/overview", key)).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

struct Shop {
    house: House,
    client: String,
    boss: String,
}

impl Shop {
    async fn new(mock: &MockSolver) -> Self {
        let store = store();
        let client = add_key(&store, "shop", |key| {
            key.limits.per_day = Some(Usd::from_micros(2_000));
        });
        let client = client.await;
        let boss = add_key(&store, "boss", |key| key.role = KeyRole::Administrator).await;
        let house = House::with(mock, store, GatewayPolicy::default()).await;
        Self {
            house,
            client,
            boss,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn open_jobs_are_listed_with_how_they_are_getting_on_and_then_what_came_of_them() {
    let shop = Shop::new(&MockSolver::new("house").always(answer_after(30))).await;
    let id = shop.house.create(&shop.client, 590).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let seen = overview(&shop.house, &shop.boss).await;
    let live = &seen["jobs"]["live"][0];
    assert_eq!(
        (&live["key"], &live["state"]),
        (&json!("shop"), &json!("working"))
    );
    assert_eq!(live["solver"], "house");
    assert_eq!(seen["solvers"][0]["in_flight"], 1);
    assert_eq!(
        (&seen["jobs"]["open"], &seen["jobs"]["working"]),
        (&json!(1), &json!(1))
    );

    tokio::time::sleep(Duration::from_secs(40)).await;
    let seen = overview(&shop.house, &shop.boss).await;
    assert_eq!(
        (&seen["jobs"]["open"], &seen["jobs"]["live"]),
        (&json!(0), &json!([]))
    );
    let ended = &seen["jobs"]["ended"][0];
    assert!(
        ended["id"].as_str().unwrap().ends_with(&format!("/{id}")),
        "{ended}"
    );
    assert_eq!(
        (&ended["outcome"], &ended["solver"]),
        (&json!("solved"), &json!("house"))
    );
    assert_eq!(
        (&ended["took_ms"], &ended["spent_usd"]),
        (&json!(30_000), &json!("0.001"))
    );
    let solver = &seen["solvers"][0];
    assert_eq!(
        (&solver["bought"], &solver["answered"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&solver["p50_ms"], &solver["spent_today_usd"]),
        (&json!(30_000), &json!("0.001"))
    );
    let days =
        json!({"day": "2027-01-15", "purchases": 1, "solver": "house", "spent_usd": "0.001"});
    assert_eq!(seen["days"], json!([days]));
    assert_eq!(seen["key_days"][0]["key"], "shop");
    let key = &seen["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "shop")
        .unwrap();
    assert_eq!(
        (&key["per_day_usd"], &key["spent_today_usd"]),
        (&json!("0.002"), &json!("0.001"))
    );
    assert!(!seen.to_string().contains(&shop.client), "a key is shown");
}

#[tokio::test(start_paused = true)]
async fn what_fails_and_what_is_refused_is_counted() {
    let mock = MockSolver::new("house").always(Outcome::error(ErrorKind::Unsolvable, "no"));
    let shop = Shop::new(&mock).await;
    shop.house.create(&shop.client, 590).await;
    shop.house.poll("wrong", 1).await;
    shop.house.text(get("/v1/drags/1", "wrong")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let seen = overview(&shop.house, &shop.boss).await;
    assert_eq!(seen["jobs"]["ended"][0]["outcome"], "unsolvable");
    let refusals = seen["refusals"].as_array().unwrap();
    for reason in ["bad_key", "unauthorized"] {
        let expected = json!({"reason": reason, "count": 1});
        assert!(refusals.contains(&expected), "{refusals:?}");
    }
    assert_eq!(seen["solvers"][0]["failed"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_shown_with_its_picture_for_as_long_as_that_is_kept() {
    let shop = Shop::new(&MockSolver::new("house").always(answer_after(30))).await;
    shop.house.create(&shop.client, 590).await;
    let seen = overview(&shop.house, &shop.boss).await;
    let id = seen["jobs"]["live"][0]["id"]
        .as_str()
        .unwrap()
        .replace('/', "%2F");
    let path = format!("/admin/jobs/{id}");
    let job = || async {
        let (_, text) = shop.house.text(get(&path, &shop.boss)).await;
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let open = job().await;
    assert_eq!(
        (&open["outcome"], &open["has_picture"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(
        (&open["width"], &open["instruction"]),
        (&json!(590), &json!("drag"))
    );
    let picture = shop
        .house
        .send(get(&format!("{path}/picture"), &shop.boss))
        .await;
    assert_eq!(picture.headers()["content-type"], "image/gif");
    let bytes = to_bytes(picture.into_body(), 100_000).await.unwrap();
    assert_eq!(&bytes, fixtures::screenshot_sized(590, 1280).bytes());

    tokio::time::sleep(Duration::from_secs(40)).await;
    let solved = job().await;
    assert_eq!(solved["drag"]["end"], json!({"x": 320.0, "y": 560.0}));
    assert_eq!(solved["purchases"][0]["state"], "settled");
    assert_eq!(solved["has_picture"], false);
    let gone = shop
        .house
        .text(get(&format!("{path}/picture"), &shop.boss))
        .await;
    assert_eq!(gone.0, 404);
}

#[tokio::test(start_paused = true)]
async fn the_page_shows_nothing_without_an_administrators_key() {
    let shop = Shop::new(&MockSolver::new("house")).await;
    let page = shop.house.send(get("/", "none")).await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'"),
        "{policy}"
    );
    for path in ["/admin/overview", "/admin/jobs/a", "/admin/jobs/a/picture"] {
        for key in ["none", &shop.client] {
            let (status, text) = shop.house.text(get(path, key)).await;
            assert_eq!(status, 401, "{path}: {text}");
        }
    }
    let (status, _) = shop.house.text(get("/admin/jobs/a", &shop.boss)).await;
    assert_eq!(status, 404);
    let posted = shop.house.post("/", &json!({"clientKey": "none"})).await;
    assert!(
        posted["errorId"].is_number(),
        "clients that post here are answered: {posted}"
    );
}
