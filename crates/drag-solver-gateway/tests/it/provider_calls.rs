//! Providers call the gateway when an answer is there.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use drag_solver::http::CallbackReceiver;
use drag_solver::testing::MockSolver;

use crate::house::{House, add_key, store};

async fn house(receiver: Option<&CallbackReceiver>) -> House {
    let store = store();
    add_key(&store, "shop", |_| {}).await;
    let mock = MockSolver::new("house");
    House::built(&mock, store, |builder| match receiver {
        Some(receiver) => builder.callback_receiver(receiver),
        None => builder,
    })
    .await
}

fn request(method: &str, path: &str, bytes: usize) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "drags.example.com");
    request.body(vec![b'x'; bytes].into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_call_is_answered_alike_and_at_once_without_a_key() {
    let receiver = CallbackReceiver::new("https://drags.example.com/callbacks").unwrap();
    let house = house(Some(&receiver)).await;
    let started = tokio::time::Instant::now();
    // More than who guesses keys may send before it has to wait.
    for turn in 0..50 {
        let path = format!("/callbacks/{turn:032x}");
        for (method, path, bytes) in [
            ("POST", &*path, 20_000_000),
            ("GET", &*path, 0),
            ("PUT", "/callbacks/a/b?key=c", 3),
        ] {
            let (status, text) = house.text(request(method, path, bytes)).await;
            assert_eq!((status, &*text), (200, "ok\n"), "{method} {path}");
        }
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    // The protocols of clients are where they were.
    let (status, _) = house.text(request("GET", "/healthz", 0)).await;
    assert_eq!(status, 200);
    let (_, text) = house
        .text(request("GET", "/res.php?key=wrong&action=getbalance", 0))
        .await;
    assert!(text.starts_with("ERROR_"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_a_public_address_takes_no_calls() {
    let house = house(None).await;
    let (status, text) = house.text(request("POST", "/callbacks/7", 0)).await;
    assert_ne!((status, &*text), (200, "ok\n"));
}
