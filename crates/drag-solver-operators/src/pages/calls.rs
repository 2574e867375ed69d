//! What the page asks for, one call at a time.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use drag_solver_core::{Drag, Point};
use serde::Deserialize;
use serde_json::json;

use super::caller::{Operator, Problem};
use super::{Pages, PracticePicture, responses};

type Answered = Result<Response, Problem>;

/// What an operator answers, in pixels of the picture.
#[derive(Deserialize)]
struct Answer {
    start: End,
    end: End,
}

#[derive(Deserialize)]
struct End {
    x: f64,
    y: f64,
}

impl From<End> for Point {
    fn from(End { x, y }: End) -> Self {
        Self::new(x, y)
    }
}

pub(super) async fn picture(
    State(pages): State<Pages>,
    operator: Operator,
    Path(job): Path<String>,
) -> Answered {
    let challenge = pages
        .desk
        .challenge(&operator.name, operator.seat()?, &job)?;
    Ok(responses::picture(challenge.screenshot()))
}

pub(super) async fn answer(
    State(pages): State<Pages>,
    operator: Operator,
    Path(job): Path<String>,
    body: Bytes,
) -> Answered {
    let seat = operator.seat()?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
        let form = r#"send {"start": {"x": 1, "y": 2}, "end": {"x": 3, "y": 4}}"#;
        Problem::Invalid(format!("{form}: {error}"))
    })?;
    let challenge = pages.desk.challenge(&operator.name, seat, &job)?;
    let drag = Drag::new(answer.start.into(), answer.end.into());
    let shot = challenge.screenshot();
    drag.check(shot.width(), shot.height(), 0.0)
        .map_err(|error| Problem::Invalid(error.to_string()))?;
    let undo = pages.desk.answer(&operator.name, seat, &job, Some(drag))?;
    Ok(undoable(undo))
}

pub(super) async fn skip(
    State(pages): State<Pages>,
    operator: Operator,
    Path(job): Path<String>,
) -> Answered {
    let seat = operator.seat()?;
    let undo = pages.desk.answer(&operator.name, seat, &job, None)?;
    Ok(undoable(undo))
}

fn undoable(undo: std::time::Duration) -> Response {
    responses::json(&json!({"undo_ms": undo.as_millis()}))
}

pub(super) async fn undo(
    State(pages): State<Pages>,
    operator: Operator,
    Path(job): Path<String>,
) -> Answered {
    let seat = operator.seat()?;
    pages.desk.undo(&operator.name, seat, &job)?;
    Ok(responses::json(&json!({})))
}

pub(super) async fn alive(State(pages): State<Pages>, operator: Operator) -> Answered {
    pages.desk.heard(&operator.name, operator.seat()?)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn leave(State(pages): State<Pages>, operator: Operator) -> Answered {
    pages.desk.leave(&operator.name, operator.seat()?)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn practice(
    State(pages): State<Pages>,
    _operator: Operator,
    Path(number): Path<u32>,
) -> Answered {
    let PracticePicture { challenge, drag } = pages.practice.draw(number).await?;
    let shot = challenge.screenshot();
    Ok(responses::json(&json!({
        "id": number,
        "width": shot.width(),
        "height": shot.height(),
        "media_type": shot.format().mime(),
        "instruction": challenge.instruction(),
        "drag": {"start": drag.start, "end": drag.end},
    })))
}

pub(super) async fn practice_picture(
    State(pages): State<Pages>,
    _operator: Operator,
    Path(number): Path<u32>,
) -> Answered {
    let drawn = pages.practice.draw(number).await?;
    Ok(responses::picture(drawn.challenge.screenshot()))
}
