//! omocaptcha v1: `createJob`, `getJobResult`, `getBalance`, `getService`.
//!
//! The documentation shows one refusal, "Invalid api token."; the other texts here are ours.

use serde_json::{Value, json};

use super::reply::{id, number, running};
use super::{Answer, Format, Operation, Quirk, Refusal, Reply};

/// The id in the documentation's own sample.
const FIRST_ID: u64 = 123_456;

pub(super) const FORMAT: Format = Format {
    methods: &[
        ("createJob", Operation::Create),
        ("getJobResult", Operation::Poll),
        ("getBalance", Operation::Balance),
        ("getService", Operation::Services),
    ],
    token: "/api_token",
    job: "/job_id",
    // Of "drag on phone" it is 24, a string on the wire.
    kind: "/data/type_job_id",
    picture: "/data/image_base64",
    instruction: None,
    first_id: Some(FIRST_ID),
    ..Format::new(&["24"], write)
};

fn write(reply: &Result<Reply, Refusal>, quirks: &[Quirk]) -> Value {
    let nothing = if quirks.contains(&Quirk::EmptyResult) {
        json!("")
    } else {
        Value::Null
    };
    let mut body = match reply {
        Ok(Reply::Created(job, _)) => json!({
            "error": false, "job_id": id(job, quirks), "message": "Create job success.",
        }),
        Ok(Reply::Running) => {
            json!({"error": false, "status": running(quirks, "running", (Quirk::Waiting, "waiting")), "result": nothing})
        }
        Ok(Reply::Solved(_, answer)) => {
            json!({"error": false, "status": "success", "result": result(answer)})
        }
        Ok(Reply::Balance(balance)) => {
            let balance = if quirks.contains(&Quirk::OtherBalanceType) {
                number(balance.to_f64_lossy())
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
        Ok(Reply::Reported) => json!({"error": false}),
        Err(Refusal::Unsolvable) => json!({"error": false, "status": "fail", "result": nothing}),
        Err(_) if quirks.contains(&Quirk::LeftoverRefusal) => {
            json!({"errorId": 0, "taskId": FIRST_ID})
        }
        Err(refusal) => json!({"error": true, "message": refusal.to_string()}),
    };
    if quirks.contains(&Quirk::EmptyErrorCode) && matches!(reply, Err(Refusal::Unsolvable)) {
        body["error_code"] = "".into();
    }
    if quirks.contains(&Quirk::SuccessFlag)
        && let Some(members) = body.as_object_mut()
        && let Some(Value::Bool(error)) = members.remove("error")
    {
        members.insert("success".to_owned(), (!error).into());
    }
    body
}

/// `x1|y1|x2|y2`. There is no room for an alternative end.
fn result(answer: &Answer) -> String {
    let (start, end) = (answer.drag.start, answer.drag.end);
    format!("{}|{}|{}|{}", start.x, start.y, end.x, end.y)
}
