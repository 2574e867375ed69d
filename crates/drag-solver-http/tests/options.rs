//! Every setting reaches the solver, and one that cannot be used is refused by its name.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::time::Duration;

use drag_solver_core::{ConfigError, DragSolver, Usd};
use drag_solver_http::reqwest::Client;
use drag_solver_http::{
    ApiRequest, HttpOptions, HttpSolver, HttpSolverBuilder, PollInterval, ReqwestTransport, Secret,
};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::support::Api;

const SECOND: Duration = Duration::from_secs(1);

fn build(options: HttpOptions) -> Result<HttpSolver<Api>, ConfigError> {
    HttpSolver::new(Api::new(), options)
}

fn builder() -> HttpSolverBuilder<Api> {
    HttpSolverBuilder::new(Api).token("hunter2")
}

#[test]
fn every_setting_reaches_the_solver() {
    let solver = builder()
        .base_url("https://other.example.com/v9")
        .name("backup")
        .poll(PollInterval::new(SECOND * 3, SECOND * 4))
        .job_timeout(SECOND * 55)
        .request_timeout(SECOND * 6)
        .price(Usd::from_micros(900))
        .build()
        .unwrap();
    assert_eq!(solver.name(), "backup");
    let worst = solver.profile().worst_case;
    assert_eq!(worst.to_string(), "1 answer, 55s, $0.0009");
    let shown = format!("{solver:?}");
    for setting in [
        "https://other.example.com/v9",
        "first: 3s, every: 4s",
        "request_timeout: 6s",
    ] {
        assert!(shown.contains(setting), "{setting}: {shown}");
    }
    let own = build(HttpOptions::default()).unwrap();
    assert_eq!(own.name(), "example");
    assert_eq!(
        own.profile().worst_case.to_string(),
        "1 answer, 120s, unknown cost"
    );
    assert!(format!("{own:?}").contains("https://api.example.com"));
}

#[test]
fn a_setting_that_cannot_be_used_is_refused_by_its_name() {
    let options = HttpOptions::default;
    for (options, path) in [
        (options().name("No Name"), "name"),
        (options().base_url("http://example.com"), "base_url"),
        (
            options().poll(PollInterval::new(SECOND, Duration::from_nanos(1))),
            "poll.every",
        ),
        (options().job_timeout(SECOND * 2), "job_timeout"),
        (options().request_timeout(Duration::ZERO), "request_timeout"),
        (options().connect_timeout(Duration::ZERO), "connect_timeout"),
        (options().price(Usd::from_micros(-1)), "price"),
        (options().user_agent("a\nb"), "user_agent"),
        (options().proxy("no URL"), "proxy"),
        (options().proxy(Secret::file("/no/such/file")), "proxy"),
    ] {
        let error = build(options.clone()).unwrap_err();
        assert_eq!(error.path(), path);
        let error = builder().options(options.token("hunter2")).build();
        assert_eq!(error.unwrap_err().path(), path);
    }
    let error = HttpSolverBuilder::new(Api).build().unwrap_err();
    assert_eq!(error.path(), "token");
    let error = builder().token("hunter2 x").build().unwrap_err();
    assert_eq!(error.path(), "token");
    let error = ReqwestTransport::new(&HttpOptions::default()).unwrap_err();
    assert_eq!(error.path(), "base_url");
}

#[test]
fn a_client_of_the_callers_own_has_its_proxy_already() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxied = builder().proxy("http://proxy.example.com:3128");
    let error = proxied.client(Client::new()).build().unwrap_err();
    assert_eq!(error.path(), "proxy");
    let solver = builder().client(Client::new()).build().unwrap();
    assert!(format!("{solver:?}").contains("https://api.example.com"));
}

#[test]
fn debug_shows_no_secret() {
    let builder = builder().proxy("http://me:hunter2@proxy.example.com");
    assert!(!format!("{builder:?} {builder:#?}").contains("hunter2"));
}

#[tokio::test]
async fn the_user_agent_is_sent() {
    for (options, expected) in [
        (HttpOptions::default(), "user-agent: drag-solver/"),
        (
            HttpOptions::default().user_agent("example/7"),
            "user-agent: example/7\r\n",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let solver = build(options.base_url(url)).unwrap();
        let server = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n{}") {
                connection.read_buf(&mut head).await.unwrap();
            }
            String::from_utf8(head).unwrap()
        };
        let request = ApiRequest::json("balance", &json!({}));
        let (head, refused) = tokio::join!(server, solver.request(request, |_| Ok(())));
        assert!(head.starts_with("POST /balance HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(expected), "{head}");
        assert!(refused.is_err(), "the connection was closed");
    }
}
