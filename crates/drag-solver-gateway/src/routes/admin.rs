//! The page where an administrator sees what is going on, and what it asks for.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use drag_solver::Screenshot;
use drag_solver::operators::pages;
use drag_solver::store::{ChallengeRecord, PurchaseRecord, PurchaseState, Status};
use serde_json::{Value, json};

use super::operations::Administrator;
use super::problem::Problem;
use crate::Gateway;

pub(super) async fn html() -> Response {
    pages::page(include_str!("../pages/admin.html"))
}

pub(super) async fn css() -> Response {
    pages::style(include_str!("../pages/admin.css"))
}

pub(super) async fn js() -> Response {
    pages::script(include_str!("../pages/admin.js"))
}

/// Everything at a glance.
pub(super) async fn overview(State(gateway): State<Gateway>, _: Administrator) -> Response {
    pages::json(&gateway.overview().await)
}

/// One job, as it is on record.
pub(super) async fn job(
    State(gateway): State<Gateway>,
    _: Administrator,
    Path(id): Path<String>,
) -> Response {
    match record(&gateway, &id).await {
        Ok(record) => pages::json(&shown(&record)),
        Err(problem) => problem.into_response(),
    }
}

/// The picture of a job, as long as it is kept.
pub(super) async fn picture(
    State(gateway): State<Gateway>,
    _: Administrator,
    Path(id): Path<String>,
) -> Response {
    let record = match record(&gateway, &id).await {
        Ok(record) => record,
        Err(problem) => return problem.into_response(),
    };
    let picture = record
        .picture
        .and_then(|bytes| Screenshot::from_bytes(bytes).ok());
    let Some(picture) = picture else {
        let why = "the picture of this job is not kept any more";
        return Problem::new(StatusCode::NOT_FOUND, "not_kept", why).into_response();
    };
    pages::picture(&picture)
}

async fn record(gateway: &Gateway, id: &str) -> Result<ChallengeRecord, Problem> {
    let record = gateway.jobs().store().find_with_picture(id).await?;
    record.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_id",
            "there is no such job on record",
        )
    })
}

fn shown(record: &ChallengeRecord) -> Value {
    let (outcome, message, drag) = match &record.status {
        Status::Solved { solution } => (Some("solved"), None, Some(*solution.drag())),
        Status::Failed { error } => (Some(error.kind().as_str()), Some(error.to_string()), None),
        _ => (None, None, None),
    };
    let purchases = record.purchases.iter().map(|purchase| {
        json!({
            "solver": purchase.solver,
            "job": purchase.job,
            "state": state(purchase),
            "cost_usd": purchase.cost,
        })
    });
    json!({
        "id": record.id,
        "key": record.label,
        "created": record.created,
        "ended": outcome.map(|_| record.updated),
        "outcome": outcome,
        "message": message,
        "instruction": record.instruction,
        "width": record.width,
        "height": record.height,
        "drag": drag.map(|drag| json!({"start": drag.start, "end": drag.end})),
        "purchases": purchases.collect::<Vec<_>>(),
        "has_picture": record.picture.is_some(),
    })
}

fn state(purchase: &PurchaseRecord) -> &'static str {
    match purchase.state {
        PurchaseState::Bought => "open",
        _ if purchase.is_unconfirmed() => "unconfirmed",
        _ => "settled",
    }
}
