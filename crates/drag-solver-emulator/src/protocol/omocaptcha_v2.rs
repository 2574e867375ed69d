//! omocaptcha v2: the `createTask` family with UUIDs for ids. It takes no reports.

use drag_solver_core::Point;
use serde_json::{Value, json};

use super::create_task::{self, coordinate};
use super::{Answer, Format, Quirk, Refusal, Reply};

pub(super) const FORMAT: Format = Format {
    picture: "/task/imageBase64",
    instruction: None,
    ..Format::new(&["TiktokSliderPhoneTask", "ZaloSliderPhoneTask"], write)
};

fn write(reply: &Result<Reply, Refusal>, quirks: &[Quirk]) -> Value {
    let mut body = create_task::write(reply, quirks, solution);
    match reply {
        Err(Refusal::Unsolvable) => json!({
            "errorId": 1, "errorCode": "ERROR_JOB_STATUS", "errorDescription": "Job failed",
            "status": "fail", "solution": {},
        }),
        Ok(Reply::Balance(_)) => {
            body["quantity"] = 10_000.into();
            body["voucher_balance"] = 0.into();
            body
        }
        _ => body,
    }
}

fn solution(answer: &Answer, quirks: &[Quirk]) -> Value {
    let point =
        |point: Point| json!({"x": coordinate(point.x, quirks), "y": coordinate(point.y, quirks)});
    let mut solution = json!({"start": point(answer.drag.start), "end": point(answer.drag.end)});
    if let Some(end) = answer.drag.alternative_end {
        solution["end2"] = point(end);
    }
    solution
}
