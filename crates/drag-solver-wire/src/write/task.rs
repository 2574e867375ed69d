//! The `createTask` family: one envelope, and each provider's own solution.

use drag_solver_core::Point;
use serde_json::{Value, json};

use super::code::code;
use super::number::{clicks, distance, dollars, id, number};
use super::running::running;
use crate::{Answer, Manner, Protocol, Quirk, Refusal, Reply, Shape};

pub(super) fn body(protocol: Protocol, manner: Manner, reply: &Result<Reply, Refusal>) -> Value {
    let is_v2 = protocol == Protocol::OmocaptchaV2;
    match reply {
        Ok(Reply::Created(job)) => json!({"errorId": 0, "taskId": id(job, manner)}),
        Ok(Reply::Answered(job, answer)) => {
            let mut body = ready(protocol, manner, answer);
            body["taskId"] = id(job, manner);
            body
        }
        Ok(Reply::Running) => {
            let status = running(manner, "processing", (Quirk::Idle, "idle"));
            if is_v2 {
                json!({"errorId": 0, "errorCode": "", "errorDescription": "", "status": status})
            } else {
                json!({"errorId": 0, "status": status})
            }
        }
        Ok(Reply::Solved(answer)) => ready(protocol, manner, answer),
        Ok(Reply::Reported) | Err(Refusal::AlreadyReported) => {
            json!({"errorId": 0, "status": "success"})
        }
        Ok(Reply::Balance(balance)) => {
            let shown = if manner.has(Quirk::OtherBalanceType) {
                json!(balance)
            } else {
                dollars(*balance)
            };
            if is_v2 {
                json!({"errorId": 0, "balance": shown, "quantity": 10_000, "voucher_balance": 0})
            } else {
                json!({"errorId": 0, "balance": shown})
            }
        }
        Ok(Reply::Services(_) | Reply::Several(_)) => refused(&Refusal::NoSuchMethod, manner),
        Err(Refusal::Unsolvable) if is_v2 => json!({
            "errorId": 1, "errorCode": "ERROR_JOB_STATUS", "errorDescription": "Job failed",
            "status": "fail", "solution": {},
        }),
        Err(refusal) => refused(refusal, manner),
    }
}

fn ready(protocol: Protocol, manner: Manner, answer: &Answer) -> Value {
    if protocol == Protocol::OmocaptchaV2 {
        let solution = places(answer, manner);
        return json!({"errorId": 0, "status": "ready", "solution": solution});
    }
    let points = clicks(answer, manner).map(|[x, y]| {
        let (x, y) = (coordinate(x, manner), coordinate(y, manner));
        if protocol == Protocol::AntiCaptcha {
            json!([x, y])
        } else {
            json!({"x": x, "y": y})
        }
    });
    // Documented as numbers, and shown as a string and a number.
    let (cost, count) = if manner.has(Quirk::OtherCostType) {
        (dollars(answer.cost), json!("1"))
    } else {
        (json!(answer.cost), json!(1))
    };
    json!({
        "errorId": 0, "status": "ready", "solution": {"coordinates": points}, "cost": cost,
        "ip": "127.0.0.1", "createTime": answer.created, "endTime": answer.ended, "solveCount": count,
    })
}

/// omocaptcha's solution: places, which need not be whole pixels, or how far the end is.
fn places(answer: &Answer, manner: Manner) -> Value {
    if let Shape::Distance { view_width } = answer.shape {
        let distance = distance(answer, view_width);
        return json!({"end": {"x": coordinate(distance, manner)}});
    }
    let place = |it: Point| json!({"x": coordinate(it.x, manner), "y": coordinate(it.y, manner)});
    let mut places = json!({"start": place(answer.drag.start), "end": place(answer.drag.end)});
    if let Some(end) = answer.drag.alternative_end {
        places["end2"] = place(end);
    }
    places
}

fn coordinate(pixels: f64, manner: Manner) -> Value {
    if manner.has(Quirk::CoordinatesAsStrings) {
        pixels.to_string().into()
    } else {
        number(pixels)
    }
}

fn refused(refusal: &Refusal, manner: Manner) -> Value {
    if manner.has(Quirk::BareErrors) && *refusal != Refusal::Unsolvable {
        return json!({"errorId": 1, "errorCode": "", "errorDescription": ""});
    }
    let (id, name, _) = code(refusal);
    json!({
        "errorId": id, "errorCode": format!("ERROR_{name}"), "errorDescription": refusal.to_string(),
    })
}
