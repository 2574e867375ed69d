//! Protocol v1: `createJob`, `getJobResult`, `getBalance`, `getService`.

mod messages;

use std::num::NonZeroU32;
use std::time::Duration;

use drag_solver_core::{Billed, DragChallenge, ErrorKind, JobId, Point, SolveError};
use drag_solver_http::{
    Answer, ApiRequest, ApiResponse, Balance, Created, JobApi, JobState, Picture, PollInterval,
    ResponseError, json, points,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::NAME;
use crate::config::ApiVersion;
use crate::kind::Slider;

/// "Please wait 2 seconds, then ask again."
pub(crate) const POLL_INTERVAL: PollInterval =
    PollInterval::new(Duration::from_secs(2), Duration::from_secs(2));

/// Protocol v1, as pure functions. `Debug` does not show the token.
#[derive(Clone, Debug)]
pub struct OmocaptchaV1 {
    token: SecretString,
    job_type: String,
    slider: Option<Slider>,
}

impl OmocaptchaV1 {
    /// The protocol with this token and kind of job, `"24"` for a drag on a phone's screen.
    pub fn new(token: SecretString, job_type: impl Into<String>) -> Self {
        Self::of(token, job_type.into(), None)
    }

    pub(crate) fn of(token: SecretString, job_type: String, slider: Option<Slider>) -> Self {
        Self {
            token,
            job_type,
            slider,
        }
    }

    /// What a slider on a web page needs, job type `"21"`: how many pixels wide the picture is shown, and
    /// where the drag begins, in pixels of the screenshot that is sent.
    #[must_use]
    pub fn with_slider(mut self, view_width: NonZeroU32, start: Point) -> Self {
        self.slider = Some(Slider { view_width, start });
        self
    }

    /// `x1|y1|x2|y2`; of a slider how far to drag it, in pixels of the view: "drag the slider by the
    /// result", as its page says.
    fn answer(&self, result: Option<&Value>) -> Answer {
        let Some(slider) = &self.slider else {
            return Answer::parsed(points::drag(result));
        };
        let distance = json::number(result).ok_or_else(|| {
            let result = result.unwrap_or(&Value::Null);
            format!("the answer is not a distance in numbers: {result}")
        });
        slider.answer(distance.map(|distance| slider.distance(distance)))
    }

    /// A request about the account.
    pub(crate) fn about_account(&self, path: &'static str) -> ApiRequest {
        ApiRequest::json(path, &json!({"api_token": self.token.expose_secret()}))
    }
}

impl JobApi for OmocaptchaV1 {
    fn name(&self) -> &str {
        NAME
    }

    fn base_url(&self) -> &str {
        ApiVersion::V1.base_url()
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.token]
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let mut data = json!({"type_job_id": self.job_type, "image_base64": Picture});
        if let Some(slider) = &self.slider {
            slider.check(challenge)?;
            data["width_view"] = slider.view_width.get().into();
        }
        let envelope = json!({"api_token": self.token.expose_secret(), "data": data});
        ApiRequest::json_with_picture("createJob", &envelope, challenge.screenshot())
    }

    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        let members = accepted(response)?;
        json::job_id(members.get("job_id"))
            .map(Created::Job)
            .ok_or_else(|| response.missing_field("job_id"))
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        let (token, id) = (self.token.expose_secret(), json::job_id_value(job));
        ApiRequest::json("getJobResult", &json!({"api_token": token, "job_id": id}))
    }

    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
        let members = accepted(response)?;
        let Some(status) = json::text(members.get("status")) else {
            return Err(response.missing_field("status"));
        };
        Ok(match status.to_ascii_lowercase().as_str() {
            "running" | "waiting" => JobState::Running,
            "success" => JobState::Solved(self.answer(members.get("result"))),
            "fail" => JobState::Failed(gave_up(&members)),
            _ => JobState::Unknown(status),
        })
    }

    fn poll_interval(&self) -> PollInterval {
        POLL_INTERVAL
    }

    fn balance(&self) -> Option<ApiRequest> {
        Some(self.about_account("getBalance"))
    }

    fn parse_balance(&self, response: &ApiResponse) -> Result<Balance, ResponseError> {
        let balance = json::usd(accepted(response)?.get("balance"));
        balance
            .map(Balance::new)
            .ok_or_else(|| response.missing_field("balance"))
    }
}

/// The members of a response that does not say that the request was refused: `error` is not true,
/// and `success`, which some send in its place, is not false.
pub(crate) fn accepted(response: &ApiResponse) -> Result<Map<String, Value>, ResponseError> {
    let members = response.object()?;
    let is_refused = json::flag(members.get("error")) == Some(true)
        || json::flag(members.get("success")) == Some(false);
    if is_refused {
        let message = json::message(members.get("message")).unwrap_or_default();
        return Err(messages::refusal(&message));
    }
    Ok(members)
}

fn gave_up(members: &Map<String, Value>) -> SolveError {
    let code = json::text(members.get("error_code")).filter(|code| !code.is_empty());
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    SolveError::new(ErrorKind::Unsolvable, format!("the job failed{code}"))
        .with_billed(Billed::Maybe)
}
