//! Protocol v1: `createJob`, `getJobResult`, `getBalance`, `getService`.

mod messages;

use std::time::Duration;

use drag_solver_core::{Charge, Drag, DragChallenge, ErrorKind, JobId, Point, SolveError};
use drag_solver_http::{
    Answer, AnswerError, ApiRequest, ApiResponse, Balance, Created, JobApi, JobState, PICTURE,
    Pace, lenient,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::NAME;

/// "Please wait 2 seconds, then ask again."
pub(crate) const PACE: Pace = Pace::new(Duration::from_secs(2), Duration::from_secs(2));

/// Protocol v1, as pure functions. `Debug` does not show the token.
#[derive(Clone, Debug)]
pub struct OmocaptchaV1 {
    token: SecretString,
    job_type: String,
}

impl OmocaptchaV1 {
    /// The protocol with this token and kind of job, `"24"` for a drag on a phone's screen.
    pub fn new(token: SecretString, job_type: impl Into<String>) -> Self {
        Self {
            token,
            job_type: job_type.into(),
        }
    }

    pub(crate) fn get_balance(&self) -> ApiRequest {
        ApiRequest::json("getBalance", &json!({"api_token": self.key()}))
    }

    pub(crate) fn get_service(&self) -> ApiRequest {
        ApiRequest::json("getService", &json!({"api_token": self.key()}))
    }

    fn key(&self) -> &str {
        self.token.expose_secret()
    }
}

impl JobApi for OmocaptchaV1 {
    fn name(&self) -> &str {
        NAME
    }

    fn secret(&self) -> Option<&SecretString> {
        Some(&self.token)
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let envelope = json!({
            "api_token": self.key(),
            "data": {"type_job_id": self.job_type, "image_base64": PICTURE},
        });
        ApiRequest::with_picture("createJob", &envelope, challenge.screenshot().bytes())
    }

    fn created(&self, answer: &ApiResponse) -> Result<Created, AnswerError> {
        let members = accepted(answer)?;
        lenient::job_id(members.get("job_id"))
            .map(Created::Pending)
            .ok_or_else(|| answer.lacks("job_id"))
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        let id = lenient::job_id_value(job);
        ApiRequest::json(
            "getJobResult",
            &json!({"api_token": self.key(), "job_id": id}),
        )
    }

    fn polled(&self, answer: &ApiResponse) -> Result<JobState, AnswerError> {
        let members = accepted(answer)?;
        let Some(status) = lenient::text(members.get("status")) else {
            return Err(answer.lacks("status"));
        };
        Ok(match status.to_ascii_lowercase().as_str() {
            "running" | "waiting" => JobState::Running,
            "success" => match drag_of(members.get("result")) {
                Ok(drag) => JobState::Solved(Answer::new(drag)),
                Err(wrong) => JobState::Failed(
                    SolveError::new(ErrorKind::InvalidAnswer, wrong).with_charge(Charge::Yes),
                ),
            },
            "fail" => JobState::Failed(gave_up(&members)),
            _ => JobState::Unknown(status),
        })
    }

    fn pace(&self) -> Pace {
        PACE
    }
}

/// Reads the answer to `getBalance`.
pub(crate) fn balance(answer: &ApiResponse) -> Result<Balance, AnswerError> {
    let members = accepted(answer)?;
    lenient::usd(members.get("balance"))
        .map(Balance::new)
        .ok_or_else(|| answer.lacks("balance"))
}

/// The members of an answer that does not say that the request was refused: `error` is not true,
/// and `success`, which some send in its place, is not false.
pub(crate) fn accepted(answer: &ApiResponse) -> Result<Map<String, Value>, AnswerError> {
    let members = answer.object()?;
    let is_refused = lenient::flag(members.get("error")) == Some(true)
        || lenient::flag(members.get("success")) == Some(false);
    if is_refused {
        let message = lenient::text(members.get("message")).unwrap_or_default();
        return Err(messages::refusal(&message));
    }
    Ok(members)
}

/// `x1|y1|x2|y2`, in pixels.
fn drag_of(result: Option<&Value>) -> Result<Drag, String> {
    let Some(Value::String(text)) = result else {
        return Err("the job succeeded without a result".into());
    };
    let parts: Option<Vec<f64>> = text.split('|').map(coordinate).collect();
    match parts.as_deref() {
        Some(&[x1, y1, x2, y2]) => Ok(Drag::new(Point::new(x1, y1), Point::new(x2, y2))),
        _ => Err(format!("the result `{text}` is not x1|y1|x2|y2")),
    }
}

fn coordinate(part: &str) -> Option<f64> {
    part.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

fn gave_up(members: &Map<String, Value>) -> SolveError {
    let code = lenient::text(members.get("error_code")).filter(|code| !code.is_empty());
    let message = match code {
        Some(code) => format!("the job failed ({code})"),
        None => "the job failed".to_owned(),
    };
    SolveError::new(ErrorKind::Unsolvable, message).with_charge(Charge::Unknown)
}
