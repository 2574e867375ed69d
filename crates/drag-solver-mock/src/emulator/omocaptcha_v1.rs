//! omocaptcha v1: `createJob`, `getJobResult`, `getBalance`, `getService`.
//!
//! The documentation shows one refusal, "Invalid api token."; the other texts here are ours.

use drag_solver_core::{JobId, ScreenshotLimits};
use serde_json::{Value, json};

use super::Step;
use super::protocol::{
    Answer, Call, Order, Protocol, Refusal, Reply, Terms, id_value, job, number, numeric_id,
    picture, text,
};
use super::quirks::{Quirk, Quirks};

/// The job type of "drag on phone", a string on the wire.
const JOB_TYPE: &str = "24";

const PICTURE: &str = "/data/image_base64";

/// The id in the documentation's own sample.
const FIRST_ID: u64 = 123_456;

const TERMS: Terms = Terms {
    limits: ScreenshotLimits::none(),
    scaled_to: None,
    kept: None,
    refunds: true,
};

pub(super) struct OmocaptchaV1;

impl Protocol for OmocaptchaV1 {
    fn token_at(&self) -> &'static str {
        "/api_token"
    }

    fn picture_at(&self) -> &'static str {
        PICTURE
    }

    fn terms(&self) -> &Terms {
        &TERMS
    }

    fn step(&self, method: &str) -> Option<Step> {
        match method {
            "createJob" => Some(Step::Create),
            "getJobResult" => Some(Step::Poll),
            "getBalance" => Some(Step::Balance),
            "getService" => Some(Step::Services),
            _ => None,
        }
    }

    fn call(&self, method: &str, body: &Value) -> Result<Call, Refusal> {
        match self.step(method) {
            Some(Step::Create) => {
                let job_type = text(body, "/data/type_job_id")?;
                if job_type != JOB_TYPE {
                    return Err(Refusal::TaskType(job_type.to_owned()));
                }
                let picture = picture(body, PICTURE)?;
                Ok(Call::Create(Order {
                    picture,
                    instruction: None,
                }))
            }
            Some(Step::Poll) => job(body, "/job_id").map(|job| Call::Poll { job }),
            Some(Step::Balance) => Ok(Call::Balance),
            Some(Step::Services) => Ok(Call::Services),
            _ => Err(Refusal::NoSuchMethod),
        }
    }

    fn job_id(&self, number: u64, seed: u64, quirks: &Quirks) -> JobId {
        numeric_id(FIRST_ID, number, seed, quirks)
    }

    fn body(&self, reply: &Reply, quirks: &Quirks) -> Value {
        let nothing = if quirks.has(Quirk::EmptyResult) {
            json!("")
        } else {
            Value::Null
        };
        let mut body = match reply {
            Reply::Created { job } | Reply::CreatedSolved { job, .. } => json!({
                "error": false, "job_id": id_value(job, quirks), "message": "Create job success.",
            }),
            Reply::Running => {
                json!({"error": false, "status": running(quirks), "result": nothing})
            }
            Reply::Solved { answer, .. } => {
                json!({"error": false, "status": "success", "result": result(answer)})
            }
            Reply::GaveUp if quirks.has(Quirk::EmptyErrorCode) => {
                json!({"error": false, "status": "fail", "result": nothing, "error_code": ""})
            }
            Reply::GaveUp => json!({"error": false, "status": "fail", "result": nothing}),
            Reply::Balance(balance) => {
                let balance = if quirks.has(Quirk::OtherBalanceType) {
                    number(balance.to_f64_lossy())
                } else {
                    json!(format!("{balance:.5}"))
                };
                json!({"error": false, "balance": balance, "message": "Get balance success."})
            }
            Reply::Services { price } => json!({
                "error": false,
                "service": [{
                    "id": 24, "name": "Drag on phone", "description": "Drag", "price": price,
                    "require_field": null, "order": 1, "image": "drag.svg", "avg_success": "98%",
                    "avg_time": "15s", "is_active": 1, "created_at": null, "updated_at": null,
                }],
                "message": "Get service success.",
            }),
            Reply::Reported => json!({"error": false}),
            Reply::Refused(_) if quirks.has(Quirk::LeftoverRefusal) => {
                json!({"errorId": 0, "taskId": FIRST_ID})
            }
            Reply::Refused(refusal) => json!({"error": true, "message": message(refusal)}),
        };
        if quirks.has(Quirk::SuccessFlag)
            && let Some(members) = body.as_object_mut()
            && let Some(Value::Bool(error)) = members.remove("error")
        {
            members.insert("success".to_owned(), (!error).into());
        }
        body
    }
}

fn running(quirks: &Quirks) -> &'static str {
    if quirks.has(Quirk::UnknownStatus) {
        "queued"
    } else if quirks.has(Quirk::Waiting) {
        "waiting"
    } else {
        "running"
    }
}

/// `x1|y1|x2|y2`. There is no room for an alternative end.
fn result(answer: &Answer) -> String {
    let drag = &answer.drag;
    format!(
        "{}|{}|{}|{}",
        drag.start.x, drag.start.y, drag.end.x, drag.end.y
    )
}

fn message(refusal: &Refusal) -> String {
    match refusal {
        Refusal::BadToken => "Invalid api token.".to_owned(),
        Refusal::NoMoney => "Your balance is not enough.".to_owned(),
        Refusal::NoWorker => "Server is busy.".to_owned(),
        Refusal::NoSuchMethod => "No such method.".to_owned(),
        Refusal::NotPost => "Send a POST request.".to_owned(),
        Refusal::Malformed(what) => format!("Bad request: {what}."),
        Refusal::TaskType(kind) => format!("Unknown type_job_id {kind}."),
        Refusal::PictureEmpty => "The image is empty.".to_owned(),
        Refusal::PictureTooLarge(why) | Refusal::PictureType(why) => format!("Bad image: {why}."),
        Refusal::InstructionPictureTooLarge => "Bad instruction.".to_owned(),
        Refusal::NoSuchJob => "Job not found.".to_owned(),
        Refusal::OutOfOrder => "Maintenance, try again later.".to_owned(),
    }
}
