//! Protocol v2: the `createTask` family.

use drag_solver_core::{Charge, Drag, DragChallenge, JobId, Point, SolveError};
use drag_solver_http::task_api::TaskApi;
use drag_solver_http::{
    AnswerError, ApiRequest, ApiResponse, Created, JobApi, JobState, PICTURE, Pace, lenient,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::NAME;
use crate::v1::PACE;

/// Protocol v2, as pure functions. `Debug` does not show the token.
#[derive(Clone, Debug)]
pub struct OmocaptchaV2 {
    tasks: TaskApi,
    task_type: String,
}

impl OmocaptchaV2 {
    /// The protocol with this token and type of task, `"TiktokSliderPhoneTask"` for a drag on a
    /// phone's screen.
    pub fn new(token: SecretString, task_type: impl Into<String>) -> Self {
        Self {
            tasks: TaskApi::new(token, Charge::Unknown),
            task_type: task_type.into(),
        }
    }

    pub(crate) fn tasks(&self) -> &TaskApi {
        &self.tasks
    }
}

impl JobApi for OmocaptchaV2 {
    fn name(&self) -> &str {
        NAME
    }

    fn secret(&self) -> Option<&SecretString> {
        Some(self.tasks.secret())
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let task = json!({"type": self.task_type, "imageBase64": PICTURE});
        self.tasks
            .create_task(&task, challenge.screenshot().bytes())
    }

    fn created(&self, answer: &ApiResponse) -> Result<Created, AnswerError> {
        self.tasks.created(answer, drag_of)
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        self.tasks.get_task_result(job)
    }

    fn polled(&self, answer: &ApiResponse) -> Result<JobState, AnswerError> {
        self.tasks.polled(answer, drag_of)
    }

    fn pace(&self) -> Pace {
        PACE
    }
}

/// `{"start": {"x", "y"}, "end": {"x", "y"}, "end2"?: {"x", "y"}}`, in pixels.
fn drag_of(solution: &Value) -> Result<Drag, String> {
    let point = |member: &str| {
        let point = solution.get(member)?;
        let x = lenient::number(point.get("x"))?;
        let y = lenient::number(point.get("y"))?;
        Some(Point::new(x, y))
    };
    let need = |member| {
        point(member).ok_or_else(|| format!("the solution has no usable `{member}`: {solution}"))
    };
    let drag = Drag::new(need("start")?, need("end")?);
    Ok(match point("end2") {
        Some(end) => drag.with_alternative_end(end),
        None => drag,
    })
}
