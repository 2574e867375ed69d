//! The gateway's own API, for programs that have no client: solve and wait in one call.

mod new_job;
mod told;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use drag_solver::store::{KeyRole, Reported};
use drag_solver::{Usd, Verdict};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use self::new_job::{CreateQuery, new_job};
use self::told::told;
use super::problem::Problem;
use crate::Gateway;
use crate::bodies::{NotRead, discard};
use crate::caller::Caller;
use crate::jobs::{Found, NotAccepted};
use crate::keys::Account;
use crate::task_id::TaskId;

/// The longest that a request may wait for its answer, in seconds.
const LONGEST_WAIT: u16 = 300;

/// How long it waits unless it says.
const WAIT: u16 = 60;

/// What a question for a job may say in its query.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReadQuery {
    /// How long it waits for the answer, in seconds.
    wait: Option<u16>,
}

type Asking<T> = Result<Query<T>, QueryRejection>;

fn asked<T: DeserializeOwned>(query: Asking<T>) -> Result<T, Problem> {
    let query = query.map_err(|rejection| Problem::bad(rejection.body_text()))?;
    Ok(query.0)
}

/// How long a request waits.
fn wait(asked: Option<u16>, usual: u16) -> Result<Duration, Problem> {
    let seconds = asked.unwrap_or(usual);
    if seconds > LONGEST_WAIT {
        return Err(Problem::bad(format!(
            "wait: at most {LONGEST_WAIT} seconds"
        )));
    }
    Ok(Duration::from_secs(seconds.into()))
}

/// The job of the path. What cannot be an id is none of this key's.
fn task(path: Result<Path<String>, PathRejection>) -> Result<TaskId, Problem> {
    let Path(id) = path.map_err(|_| Problem::unknown())?;
    TaskId::read(&id).ok_or_else(Problem::unknown)
}

async fn account(gateway: &Gateway, caller: &Caller) -> Result<Arc<Account>, Problem> {
    let account = gateway.account(caller).await;
    if let Some(account) = &account {
        tracing::Span::current().record("key", &account.name);
    }
    account.ok_or_else(|| {
        let message = "unknown key: send Authorization: Bearer KEY";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    })
}

/// Accepts a job and waits for its answer.
pub(super) async fn create(
    State(gateway): State<Gateway>,
    caller: Caller,
    query: Asking<CreateQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, mut body) = request.into_parts();
    let account = match account(&gateway, &caller).await {
        Ok(account) => account,
        Err(problem) => {
            discard(&mut body).await;
            return Err(problem);
        }
    };
    let asked = asked(query)?;
    let wait = wait(asked.wait, WAIT)?;
    if account.role() != KeyRole::Client {
        let message = "this key is not a client's, and buys nothing";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", message));
    }
    let most = gateway.jobs().policy().max_body;
    let read = gateway.bodies().read(&head.headers, body, most).await;
    let read = read.map_err(|why| match why {
        NotRead::Busy => NotAccepted::TooMany.into(),
        NotRead::CutOff => Problem::bad("the body is not whole"),
        NotRead::TooLarge => {
            let message = format!("at most {most} bytes are read of a request");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
        }
    })?;
    let new = new_job(&gateway, &head.headers, asked, read.bytes.clone())?;
    let task = gateway.jobs().accept(&account, new).await?;
    drop(read); // the picture is on record
    let found = gateway.jobs().result(&account, &task, wait).await?;
    Ok(told(&task, &found))
}

/// Says what became of a job.
pub(super) async fn read(
    State(gateway): State<Gateway>,
    caller: Caller,
    path: Result<Path<String>, PathRejection>,
    query: Asking<ReadQuery>,
) -> Result<Response, Problem> {
    let account = account(&gateway, &caller).await?;
    let wait = wait(asked(query)?.wait, 0)?;
    let task = task(path)?;
    let found = gateway.jobs().result(&account, &task, wait).await?;
    match found {
        Found::Unknown => Err(Problem::unknown()),
        found => Ok(told(&task, &found)),
    }
}

/// Takes a verdict about an answer.
pub(super) async fn report(
    State(gateway): State<Gateway>,
    caller: Caller,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Report {
        verdict: Verdict,
    }
    let account = account(&gateway, &caller).await?;
    let task = task(path)?;
    let body = to_bytes(request.into_body(), 1024).await;
    let body = body.map_err(|_| Problem::bad("the body is too large"))?;
    let report: Report = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad(format!(
            "send {{\"verdict\": \"correct\"}} or \"incorrect\": {error}"
        ))
    })?;
    match gateway
        .jobs()
        .report(&account, &task, report.verdict)
        .await?
    {
        Reported::First => Ok(Json(json!({"status": "recorded"})).into_response()),
        Reported::Again(first) => {
            Ok(Json(json!({"status": "known", "verdict": first.as_str()})).into_response())
        }
        Reported::NotSolved => {
            let message = "this job is not solved";
            Err(Problem::new(StatusCode::CONFLICT, "not_solved", message))
        }
        _ => Err(Problem::unknown()),
    }
}

/// What is left for this key.
pub(super) async fn balance(
    State(gateway): State<Gateway>,
    caller: Caller,
) -> Result<Response, Problem> {
    let account = account(&gateway, &caller).await?;
    let left = gateway.jobs().left(&account).await?;
    let left = left.map(|left| left.max(Usd::ZERO));
    Ok(Json(json!({"left_usd": left, "limited": left.is_some()})).into_response())
}
