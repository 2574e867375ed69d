//! The gateway's own API, for who has no client: solve and wait in one call.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver::store::{KeyRole, Reported};
use drag_solver::{DragChallenge, Rect, Screenshot, StoreError, Usd, Verdict};
use drag_solver_wire::Shape;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Gateway;
use crate::caller::Caller;
use crate::jobs::{Found, New, NotAccepted, Note, Outcome};
use crate::keys::Account;
use crate::task_id::{Form, TaskId};

/// The longest that a request may wait for its answer, in seconds.
const LONGEST_WAIT: u16 = 300;

/// How long it waits unless it says.
const WAIT: u16 = 60;

/// What this API says of itself.
pub(super) async fn openapi() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, include_str!("../openapi.json")).into_response()
}

/// Why a request gets something else than what it asks for.
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    fn unknown() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_id",
            "there is no such job of this key",
        )
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store cannot be used");
        let message = "the store cannot be used right now: nothing is lost, try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }
}

impl From<NotAccepted> for Problem {
    fn from(why: NotAccepted) -> Self {
        let busy = StatusCode::TOO_MANY_REQUESTS;
        match why {
            NotAccepted::TooFast => Self::new(
                busy,
                "rate_limited",
                "this key makes jobs faster than it may",
            ),
            NotAccepted::TooMany => {
                Self::new(busy, "overloaded", "there are as many open jobs as may be")
            }
            NotAccepted::NoMoney => {
                let message = "what this key may spend is spent";
                Self::new(StatusCode::PAYMENT_REQUIRED, "budget_exhausted", message)
            }
            NotAccepted::Stopping => {
                let message = "the gateway is about to stop: try again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
            NotAccepted::OtherRequest => {
                let message = "this Idempotency-Key was used for another request";
                Self::new(StatusCode::CONFLICT, "other_request", message)
            }
            NotAccepted::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"error": {"kind": self.kind, "message": self.message}});
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    header::HeaderValue::from_static("Bearer"),
                );
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// What a request may say in its query.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    /// How long it waits for the answer, in seconds.
    wait: Option<u16>,
    /// What is to be dragged where, in words.
    instruction: Option<String>,
    /// The part of the picture that holds the challenge: `x,y,width,height`, in pixels.
    region: Option<String>,
}

/// A job as JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// The picture, in base64.
    image: String,
    #[serde(default)]
    instruction: Option<String>,
    #[serde(default)]
    region: Option<Rect>,
    /// How long the answer is of use, in seconds.
    #[serde(default)]
    deadline: Option<u32>,
}

type Asking = Result<Query<Asked>, axum::extract::rejection::QueryRejection>;

fn asked(query: Asking) -> Result<Asked, Problem> {
    let Query(asked) = query.map_err(|rejection| Problem::bad(rejection.body_text()))?;
    if asked.wait.is_some_and(|wait| wait > LONGEST_WAIT) {
        return Err(Problem::bad(format!(
            "wait: at most {LONGEST_WAIT} seconds"
        )));
    }
    Ok(asked)
}

async fn account(gateway: &Gateway, caller: &Caller) -> Result<Arc<Account>, Problem> {
    let account = gateway.account(caller).await;
    account.ok_or_else(|| {
        let message = "unknown key: send Authorization: Bearer KEY";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    })
}

/// Accepts a job and waits for its answer.
pub(super) async fn create(
    State(gateway): State<Gateway>,
    caller: Caller,
    query: Asking,
    request: Request,
) -> Result<Response, Problem> {
    let account = account(&gateway, &caller).await?;
    let asked = asked(query)?;
    if account.role() != KeyRole::Client {
        let message = "this key is not a client's, and buys nothing";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", message));
    }
    let (head, body) = request.into_parts();
    let most = gateway.jobs().policy().max_body;
    let body = to_bytes(body, most).await.map_err(|_| {
        let message = format!("at most {most} bytes are read");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    })?;
    let wait = Duration::from_secs(asked.wait.unwrap_or(WAIT).into());
    let new = new_job(&gateway, &head.headers, asked, body)?;
    let task = gateway.jobs().accept(&account, new).await?;
    let found = gateway.jobs().result(&account, &task, wait).await?;
    Ok(told(&task, &found))
}

fn new_job(
    gateway: &Gateway,
    headers: &HeaderMap,
    asked: Asked,
    body: Bytes,
) -> Result<New, Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    let (picture, instruction, region, deadline) = if is_json {
        let body: Body =
            serde_json::from_slice(&body).map_err(|error| Problem::bad(error.to_string()))?;
        let picture = STANDARD.decode(body.image.trim());
        let picture =
            picture.map_err(|error| Problem::bad(format!("image: no base64: {error}")))?;
        (picture.into(), body.instruction, body.region, body.deadline)
    } else {
        let region = asked.region.as_deref().map(region).transpose()?;
        (body, asked.instruction, region, None)
    };
    let unusable = |message: String| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_challenge",
            message,
        )
    };
    let screenshot =
        Screenshot::from_bytes(picture).map_err(|error| unusable(error.to_string()))?;
    let limits = gateway.jobs().limits();
    limits
        .check(&screenshot)
        .map_err(|error| unusable(error.to_string()))?;
    let mut challenge = DragChallenge::new(screenshot);
    if let Some(instruction) = instruction {
        challenge = challenge.with_instruction(instruction);
    }
    if let Some(region) = region {
        let inside = challenge.with_region(region);
        challenge = inside.map_err(|error| unusable(error.to_string()))?;
    }
    let idempotency_key = headers.get("idempotency-key");
    let idempotency_key = idempotency_key
        .and_then(|key| key.to_str().ok())
        .map(str::to_owned);
    Ok(New {
        challenge,
        note: Note {
            protocol: None,
            shape: Shape::Drag,
            callback: None,
        },
        form: Form::Uuid,
        idempotency_key,
        deadline: deadline.map(|seconds| Duration::from_secs(seconds.into())),
    })
}

fn region(text: &str) -> Result<Rect, Problem> {
    let wrong = || Problem::bad("region: write x,y,width,height in pixels, as in 0,100,720,400");
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match numbers.map_err(|_| wrong())?[..] {
        [x, y, width, height] => Ok(Rect::new(x, y, width, height)),
        _ => Err(wrong()),
    }
}

/// Says what became of a job.
pub(super) async fn read(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<String>,
    query: Asking,
) -> Result<Response, Problem> {
    let account = account(&gateway, &caller).await?;
    let wait = Duration::from_secs(asked(query)?.wait.unwrap_or(0).into());
    let task = TaskId::read(&id).ok_or_else(Problem::unknown)?;
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
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Report {
        verdict: Verdict,
    }
    let account = account(&gateway, &caller).await?;
    let task = TaskId::read(&id).ok_or_else(Problem::unknown)?;
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

fn told(task: &TaskId, found: &Found) -> Response {
    if let Found::Ended(outcome) = found {
        return Json(ended(task, outcome)).into_response();
    }
    let body = json!({"id": task.as_str(), "status": "open"});
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

fn ended(task: &TaskId, outcome: &Outcome) -> Value {
    let mut body = json!({"id": task.as_str(), "created": outcome.created, "ended": outcome.ended});
    match &outcome.result {
        Ok(answered) => {
            body["status"] = "solved".into();
            body["drag"] = json!(answered.drag);
            body["solver"] = json!(answered.solver);
            body["spent_usd"] = json!(answered.spent);
        }
        Err(failed) => {
            body["status"] = "failed".into();
            body["error"] = json!({"kind": failed.kind, "message": failed.message});
        }
    }
    body
}
