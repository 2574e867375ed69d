//! A job as JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use drag_solver::store::jiff::Timestamp;
use drag_solver::{Drag, ErrorKind, Usd};
use serde::Serialize;

use crate::jobs::Found;
use crate::task_id::TaskId;

/// What became of a job; its members are in the order in which they are read.
#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    status: &'static str,
    #[serde(flatten)]
    result: Option<Ended<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Ended<'a> {
    Solved {
        drag: Drag,
        solver: &'a str,
        spent_usd: Option<Usd>,
    },
    Failed {
        error: Why<'a>,
    },
}

#[derive(Serialize)]
struct Why<'a> {
    kind: ErrorKind,
    message: &'a str,
}

pub(super) fn told(task: &TaskId, found: &Found) -> Response {
    let mut told = Told {
        id: task.as_str(),
        status: "open",
        result: None,
        created: None,
        ended: None,
    };
    let Found::Ended(outcome) = found else {
        return (StatusCode::ACCEPTED, Json(told)).into_response();
    };
    (told.created, told.ended) = (Some(outcome.created), Some(outcome.ended));
    (told.status, told.result) = match &outcome.result {
        Ok(answered) => {
            let solved = Ended::Solved {
                drag: answered.drag,
                solver: &answered.solver,
                spent_usd: answered.spent,
            };
            ("solved", Some(solved))
        }
        Err(failed) => {
            let error = Why {
                kind: failed.kind,
                message: &failed.message,
            };
            ("failed", Some(Ended::Failed { error }))
        }
    };
    Json(told).into_response()
}
