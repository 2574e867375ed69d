//! The gateway's own API, for programs that have no client: solve and wait in one call.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{KeyRole, Reported};
use drag_solver::{Drag, DragChallenge, ErrorKind, Rect, Screenshot, Usd, Verdict};
use drag_solver_wire::Shape;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::problem::Problem;
use crate::Gateway;
use crate::bodies::{NotRead, discard};
use crate::caller::Caller;
use crate::jobs::{Found, New, NotAccepted, Note};
use crate::keys::Account;
use crate::task_id::{Form, TaskId};

/// The longest that a request may wait for its answer, in seconds.
const LONGEST_WAIT: u16 = 300;

/// How long it waits unless it says.
const WAIT: u16 = 60;

/// The longest instruction, in characters.
const LONGEST_INSTRUCTION: usize = 1000;

/// The longest time that an answer can be of use, in seconds.
const LONGEST_DEADLINE: f64 = 4_294_967_295.0;

/// The longest that a client may call a request, in bytes.
const LONGEST_IDEMPOTENCY_KEY: usize = 200;

/// What this API says of itself.
pub(super) async fn openapi() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, include_str!("../openapi.json")).into_response()
}

/// What a request for a job may say in its query.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CreateQuery {
    /// How long it waits for the answer, in seconds.
    wait: Option<u16>,
    /// What is to be dragged where, in words.
    instruction: Option<String>,
    /// The part of the picture that holds the challenge: `x,y,width,height`, in pixels.
    region: Option<String>,
}

/// What a question for a job may say in its query.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReadQuery {
    /// How long it waits for the answer, in seconds.
    wait: Option<u16>,
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
    deadline: Option<f64>,
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

fn new_job(
    gateway: &Gateway,
    headers: &HeaderMap,
    asked: CreateQuery,
    body: Bytes,
) -> Result<New, Problem> {
    let unusable = |message: String| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_challenge",
            message,
        )
    };
    let idempotency_key = idempotency_key(headers)?;
    let region_of_query = asked.region.as_deref().map(region).transpose()?;
    let kind = media_type(headers);
    if kind == "multipart/form-data" {
        let message =
            "no form is read here: send the picture itself (curl --data-binary @FILE), or JSON";
        return Err(unusable(message.to_owned()));
    }
    let (picture, instruction, region, deadline) = if kind == "application/json" {
        let body: Body =
            serde_json::from_slice(&body).map_err(|error| Problem::bad(error.to_string()))?;
        let picture = STANDARD.decode(body.image.trim());
        let picture = picture.map_err(|error| unusable(format!("image: no base64: {error}")))?;
        let instruction = body.instruction.or(asked.instruction);
        let region = body.region.or(region_of_query);
        (picture.into(), instruction, region, body.deadline)
    } else {
        (body, asked.instruction, region_of_query, None)
    };
    let seconds = |seconds: f64| {
        let fits = (0.0..=LONGEST_DEADLINE).contains(&seconds);
        let deadline = Duration::try_from_secs_f64(seconds).ok().filter(|_| fits);
        deadline.ok_or_else(|| Problem::bad(format!("deadline: 0 to {LONGEST_DEADLINE} seconds")))
    };
    let deadline = deadline.map(seconds).transpose()?;
    if let Some(instruction) = &instruction {
        let is_long = instruction.chars().nth(LONGEST_INSTRUCTION).is_some();
        // No server of a store keeps a NUL.
        if is_long || instruction.contains('\0') {
            let message =
                format!("instruction: at most {LONGEST_INSTRUCTION} characters, and no NUL");
            return Err(Problem::bad(message));
        }
    }
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
    Ok(New {
        challenge,
        note: Note {
            protocol: None,
            shape: Shape::Drag,
            callback: None,
        },
        form: Form::Uuid,
        idempotency_key,
        deadline,
    })
}

/// What the body is said to be. If not JSON, it is the picture, of any type: `curl --data-binary` calls it a form.
fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.to_ascii_lowercase()
}

/// What the client calls the request, if it does.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let is_plain = |key: &&str| key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key.to_str().ok().filter(is_plain);
    let key = key.filter(|key| (1..=LONGEST_IDEMPOTENCY_KEY).contains(&key.len()));
    let key = key.ok_or_else(|| {
        Problem::bad(format!(
            "Idempotency-Key: 1 to {LONGEST_IDEMPOTENCY_KEY} visible ASCII characters, without spaces"
        ))
    })?;
    Ok(Some(key.to_owned()))
}

fn region(text: &str) -> Result<Rect, Problem> {
    let wrong = || Problem::bad("region: write x,y,width,height in pixels, as in 0,100,720,400");
    let number = |part: &str| {
        // Of what a float can look like, numbers of pixels alone.
        let is_plain = part
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number = part.parse::<f64>().ok();
        number.filter(|number| is_plain && number.is_finite())
    };
    let numbers: Option<Vec<f64>> = text.split(',').map(number).collect();
    match numbers.ok_or_else(wrong)?[..] {
        [x, y, width, height] => Ok(Rect::new(x, y, width, height)),
        _ => Err(wrong()),
    }
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

fn told(task: &TaskId, found: &Found) -> Response {
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
