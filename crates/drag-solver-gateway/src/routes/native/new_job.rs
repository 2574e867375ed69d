//! What a client asks for: a picture, or JSON with one in it.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver::{DragChallenge, Rect, Screenshot};
use drag_solver_wire::Shape;
use serde::Deserialize;

use crate::Gateway;
use crate::jobs::{New, Note};
use crate::routes::problem::Problem;
use crate::task_id::Form;

/// The longest instruction, in characters.
const LONGEST_INSTRUCTION: usize = 1000;

/// The longest time that an answer can be of use, in seconds.
const LONGEST_DEADLINE: f64 = 4_294_967_295.0;

/// The longest that a client may call a request, in bytes.
const LONGEST_IDEMPOTENCY_KEY: usize = 200;

/// What a request for a job may say in its query.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::routes) struct CreateQuery {
    /// How long it waits for the answer, in seconds.
    pub(super) wait: Option<u16>,
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
    deadline: Option<f64>,
}

pub(super) fn new_job(
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
