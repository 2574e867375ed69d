//! Protocol v2: a service of the `createTask` family.

use drag_solver_core::{Billed, Drag, DragChallenge, ScreenshotLimits};
use drag_solver_http::task_api::TaskService;
use drag_solver_http::{Picture, PollInterval, points};
use serde_json::{Value, json};

use crate::config::{ApiVersion, variables};
use crate::v1::POLL_INTERVAL;

/// Protocol v2 of the service: [`TaskApi<OmocaptchaV2>`](drag_solver_http::task_api::TaskApi) speaks it.
#[derive(Clone, Debug)]
pub struct OmocaptchaV2 {
    task_type: String,
}

impl OmocaptchaV2 {
    /// The protocol with this type of task, `"TiktokSliderPhoneTask"` for a drag on a phone's screen.
    pub fn new(task_type: impl Into<String>) -> Self {
        Self {
            task_type: task_type.into(),
        }
    }
}

impl TaskService for OmocaptchaV2 {
    const NAME: &'static str = crate::NAME;
    const BASE_URL: &'static str = ApiVersion::V2.base_url();
    const KEY_VARIABLE: &'static str = variables::API_TOKEN;
    const BASE_URL_VARIABLE: &'static str = variables::BASE_URL;
    const POLL_INTERVAL: PollInterval = POLL_INTERVAL;
    const LIMITS: ScreenshotLimits = ScreenshotLimits::none();
    const UNSOLVABLE_BILLED: Billed = Billed::Maybe;

    fn task(&self, _: &DragChallenge) -> Value {
        json!({"type": self.task_type, "imageBase64": Picture})
    }

    /// `{"start": {"x", "y"}, "end": {"x", "y"}, "end2"?: {"x", "y"}}`, in pixels.
    fn drag(&self, solution: &Value) -> Result<Drag, String> {
        points::drag(Some(solution))
    }
}
