//! Services that say nothing but a status.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use drag_solver_declared::{Declared, DeclaredApi};
use drag_solver_http::{ApiResponse, JobApi, JobState, ResponseError};

const CLERK: &str = r#"
    key = "CLERK_PASSWORD"
    base_url = "https://clerk.example/api"
    answer.at = "/text"
    errors = [
        { status = 202, state = "running" },
        { status = 422, state = "failed" },
        { status = 409, is = "not yet", state = "running" },
        { status = 402, kind = "insufficient_balance" },
    ]
    create = { path = "jobs", form = { key = "{key}", image = "{picture.base64}" }, job = "/job" }
    poll = { path = "jobs/{job}", first = "5s", every = "5s" }
    report.incorrect = { path = "wrong", form = { key = "{key}", job = "{job}" } }
"#;

fn clerk() -> DeclaredApi {
    let declared = Declared::new("clerk", toml::from_str(CLERK).unwrap()).unwrap();
    declared.api("hunter2".into()).unwrap()
}

#[test]
fn a_status_that_says_all_needs_no_body() {
    let api = clerk();
    let polled = |status, body: &'static str| api.parse_poll(&ApiResponse::new(status, body));
    for body in ["", "not yet", "{}", "[]"] {
        assert!(matches!(polled(202, body), Ok(JobState::Running)), "{body}");
        assert!(
            matches!(polled(422, body), Ok(JobState::Failed(_))),
            "{body}"
        );
        let created = api.parse_created(&ApiResponse::new(402, body));
        assert!(matches!(created, Err(ResponseError::Rejected(_))), "{body}");
    }
    // Of a status that is not declared, or not alone, or in front of the service, nothing is known.
    for (status, body) in [(500, ""), (200, ""), (409, ""), (422, "<html>busy")] {
        let polled = polled(status, body);
        assert!(
            matches!(polled, Err(ResponseError::Unparseable(_))),
            "{status}"
        );
    }
}

#[test]
fn a_report_may_be_answered_with_nothing() {
    let api = clerk();
    let taken = |status, body: &'static str| api.parse_report(&ApiResponse::new(status, body));
    assert!(taken(204, "").is_ok());
    assert!(taken(200, "{}").is_ok());
    for (status, body) in [(404, ""), (402, ""), (200, "<html>")] {
        assert!(taken(status, body).is_err(), "{status} {body}");
    }
}
