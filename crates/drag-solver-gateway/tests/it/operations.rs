//! What those see who run it.

use axum::body::Body;
use axum::http::Request;
use drag_solver::store::KeyRole;
use drag_solver::testing::{MockSolver, fixtures};
use drag_solver_gateway::GatewayPolicy;
use serde_json::Value;

use crate::house::{House, add_key, store};

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_is_ready_until_it_is_told_to_stop() {
    let house = House::new(&MockSolver::new("house")).await;
    assert_eq!(
        house.text(get("/readyz")).await,
        (200, "ready\n".to_owned())
    );
    house.gateway.stop();
    assert_eq!(
        house.text(get("/readyz")).await,
        (503, "stopping\n".to_owned())
    );
    assert_eq!(house.text(get("/healthz")).await, (200, "ok\n".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn how_the_chain_is_doing_is_an_administrators_to_know() {
    let store = store();
    let client = add_key(&store, "shop", |_| {}).await;
    let boss = add_key(&store, "boss", |key| key.role = KeyRole::Administrator).await;
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::with(&mock, store, GatewayPolicy::default()).await;
    let ask = |key: &str| {
        Request::get("/admin/health")
            .header("authorization", format!("Bearer {key}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(house.text(get("/admin/health")).await.0, 401);
    assert_eq!(house.text(ask(&client)).await.0, 401);
    let (status, text) = house.text(ask(&boss)).await;
    let health: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &health["chain"]["providers"][0]["name"]),
        (200, &Value::from("house")),
        "{text}"
    );
    let reload = Request::post("/admin/reload").header("authorization", format!("Bearer {boss}"));
    let (status, text) = house.text(reload.body(Body::empty()).unwrap()).await;
    assert_eq!(status, 422, "there is no file: {text}");
}

#[tokio::test(start_paused = true)]
async fn the_own_api_says_what_it_is() {
    let house = House::new(&MockSolver::new("house")).await;
    let api: Value = serde_json::from_str(&house.get("/openapi.json").await).unwrap();
    assert_eq!(api["openapi"], "3.1.0");
    for path in [
        "/v1/drags",
        "/v1/drags/{id}",
        "/v1/drags/{id}/report",
        "/v1/balance",
    ] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_no_proxy() {
    let house = House::new(&MockSolver::new("house")).await;
    let request = Request::connect("example.com:443").body(Body::empty());
    assert_eq!(house.text(request.unwrap()).await.0, 405);
}
