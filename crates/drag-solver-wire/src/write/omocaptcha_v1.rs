//! omocaptcha v1: `createJob`, `getJobResult`, `getBalance`, `getService`.
//!
//! The documentation shows one refusal, "Invalid api token."; the other texts here are ours. Published
//! clients read `success` where it documents `error`, so a server for them says both; and they read the
//! `status` of a refusal, too.

use serde_json::{Value, json};

use super::number::{clicks, distance, dollars, id};
use super::running::running;
use crate::{Answer, Manner, Operation, Quirk, Refusal, Reply, Shape};

/// The id in the documentation's own sample.
const SAMPLE_ID: u64 = 123_456;

pub(super) fn body(manner: Manner, reply: &Result<Reply, Refusal>) -> Value {
    let nothing = if manner.has(Quirk::EmptyResult) {
        json!("")
    } else {
        Value::Null
    };
    let mut body = match reply {
        Ok(Reply::Created(job) | Reply::Answered(job, _)) => json!({
            "error": false, "job_id": id(job, manner), "message": "Create job success.",
        }),
        Ok(Reply::Running) => {
            let status = running(manner, "running", (Quirk::Waiting, "waiting"));
            json!({"error": false, "status": status, "result": nothing})
        }
        Ok(Reply::Solved(answer)) => {
            json!({"error": false, "status": "success", "result": result(answer, manner)})
        }
        Ok(Reply::Balance(balance)) => {
            let balance = if manner.has(Quirk::OtherBalanceType) {
                dollars(*balance)
            } else {
                json!(format!("{balance:.5}"))
            };
            json!({"error": false, "balance": balance, "message": "Get balance success."})
        }
        Ok(Reply::Services(price)) => json!({
            "error": false,
            "service": [{
                "id": 24, "name": "Drag on phone", "description": "Drag", "price": price,
                "require_field": null, "order": 1, "image": "drag.svg", "avg_success": "98%",
                "avg_time": "15s", "is_active": 1, "created_at": null, "updated_at": null,
            }],
            "message": "Get service success.",
        }),
        Ok(Reply::Reported) | Err(Refusal::AlreadyReported) => json!({"error": false}),
        Err(Refusal::Unsolvable) => json!({"error": false, "status": "fail", "result": nothing}),
        Err(_) if manner.has(Quirk::LeftoverRefusal) => {
            json!({"errorId": 0, "taskId": SAMPLE_ID})
        }
        Ok(Reply::Several(_)) => refused(&Refusal::NoSuchMethod, manner),
        Err(refusal) => refused(refusal, manner),
    };
    if manner.has(Quirk::EmptyErrorCode) && matches!(reply, Err(Refusal::Unsolvable)) {
        body["error_code"] = "".into();
    }
    if let Some(members) = body.as_object_mut()
        && let Some(error) = members.get("error").and_then(Value::as_bool)
        && (manner.has(Quirk::SuccessFlag) || !manner.documented)
    {
        members.insert("success".to_owned(), (!error).into());
        if manner.has(Quirk::SuccessFlag) {
            members.remove("error");
        }
    }
    body
}

fn refused(refusal: &Refusal, manner: Manner) -> Value {
    let mut body = json!({"error": true, "message": refusal.to_string()});
    if manner.operation == Operation::Poll && !manner.documented {
        body["status"] = "fail".into();
    }
    body
}

/// `x1|y1|x2|y2`, without room for an alternative end; or one number, how far to the right.
fn result(answer: &Answer, manner: Manner) -> String {
    if let Shape::Distance { view_width } = answer.shape {
        return distance(answer, view_width).to_string();
    }
    let [[x1, y1], [x2, y2]] = if manner.documented {
        [answer.drag.start, answer.drag.end].map(|it| [it.x, it.y])
    } else {
        clicks(answer, manner)
    };
    format!("{x1}|{y1}|{x2}|{y2}")
}
