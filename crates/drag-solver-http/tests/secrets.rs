//! A token in a response changes nothing that is read, and is in nothing that is shown.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::error::Error;

use drag_solver_core::{DragSolver, ErrorKind, SolveError};
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{ApiResponse, HttpOptions, HttpSolver};
use drag_solver_mock::fixtures::challenge;

use crate::support::{Api, CREATED, SOLVED};

const TOKEN: &str = "hunter2-hunter2-hunter2";

fn solver(token: &str, script: impl IntoIterator<Item = Reply>) -> HttpSolver<Api> {
    let api = Api(token.to_owned().into());
    let options = HttpOptions::default();
    HttpSolver::with_transport(api, options, ScriptedTransport::new(script)).unwrap()
}

fn everything_about(error: &SolveError) -> String {
    let mut text = format!(
        "{error} {error:?} {error:#?} {}",
        serde_json::to_string(error).unwrap()
    );
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} {cause} {cause:?}");
        source = cause.source();
    }
    text
}

async fn shown(script: impl IntoIterator<Item = Reply>) -> (SolveError, String) {
    let error = solver(TOKEN, script).solve(&challenge()).await.unwrap_err();
    let text = everything_about(&error);
    assert!(!text.contains("hunter2-hunter2"), "{text}");
    (error, text)
}

#[tokio::test(start_paused = true)]
async fn a_token_that_occurs_in_a_response_changes_no_id_status_or_number() {
    // Each is part of what the service says.
    for token in [
        "job",
        "234",
        "7123456",
        "71234567890",
        "drag",
        "83",
        "560",
        "cost",
        "0.0",
        "3",
    ] {
        let script = [
            Reply::json(r#"{"job": 71234567890}"#),
            Reply::json(r#"{"drag": [83, 560, 320, 560], "cost": "0.0012"}"#),
        ];
        let solution = solver(token, script).solve(&challenge()).await.unwrap();
        assert_eq!(solution.job().unwrap().as_str(), "71234567890", "{token}");
        assert_eq!(solution.drag().to_string(), "83,560 -> 320,560", "{token}");
        assert_eq!(solution.cost().unwrap().to_string(), "0.0012", "{token}");
    }
    for token in ["status", "failed", "maybe", "gave", "refused"] {
        let script = [Reply::json(CREATED), Reply::json(r#"{"failed": "maybe"}"#)];
        let error = solver(token, script).solve(&challenge()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsolvable, "{token}");
        assert_eq!(error.billed().as_str(), "maybe", "{token}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_repeated_is_not_shown() {
    let refused = |text: &str| {
        let body = serde_json::json!({"refused": text, "kind": "unauthorized"});
        Reply::json(body.to_string())
    };
    let (error, _) = shown([refused(&format!("bad key {TOKEN}!"))]).await;
    assert_eq!(error.message(), "bad key [redacted]!");
    shown([refused("bad key hunter2%2Dhunter2%2Dhunter2")]).await;
    shown([refused(&format!("{}{TOKEN}", "x".repeat(490)))]).await;
    let (error, _) = shown([Reply::status(500, format!("bad key {TOKEN}"))]).await;
    assert_eq!(
        error.message(),
        "create: HTTP 500, with not JSON: `bad key [redacted]`"
    );
    // Of a poll, whose error is a source of the one that says that time is up.
    let failed = || Reply::status(500, format!("bad key {TOKEN}"));
    let script = std::iter::once(Reply::json(CREATED)).chain((0..100).map(|_| failed()));
    let (error, text) = shown(script).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(text.contains("bad key [redacted]"), "{text}");
    // As a status that is not documented.
    let status = || Reply::json(format!(r#"{{"status": "{TOKEN}"}}"#));
    let script = std::iter::once(Reply::json(CREATED)).chain((0..100).map(|_| status()));
    let (error, _) = shown(script).await;
    assert!(error.message().contains("`[redacted]`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_token_in_the_place_of_an_id_is_no_id() {
    for id in [TOKEN, "aHVudGVyMi1odW50ZXIyLWh1bnRlcjI="] {
        let (error, _) = shown([Reply::json(format!(r#"{{"job": "{id}"}}"#))]).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{id}");
        assert_eq!(error.billed().as_str(), "maybe", "{id}");
        assert!(error.unfinished_jobs().is_empty(), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirects_target_is_masked_too() {
    let location = format!("/é?key={}", TOKEN.replace('-', "%2D"));
    let redirect = ApiResponse::new(302, "").with_location(Some(location));
    let (error, _) = shown([Reply::response(redirect)]).await;
    assert_eq!(
        error.message(),
        "create: HTTP 302 (redirect), with an empty body; it redirects to `[redacted]`, which is not \
         followed: set the base URL to where the provider is"
    );
    let plain = ApiResponse::new(302, "").with_location(Some(format!("/login?key={TOKEN}")));
    let (error, _) = shown([Reply::response(plain)]).await;
    assert!(
        error.message().contains("`/login?key=[redacted]`"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn debug_shows_no_token() {
    let solver = solver(TOKEN, [Reply::json(CREATED), Reply::json(SOLVED)]);
    assert!(!format!("{solver:?} {solver:#?}").contains("hunter2"));
}
