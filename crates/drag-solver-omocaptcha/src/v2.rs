//! Protocol v2: a service of the `createTask` family.

use std::num::NonZeroU32;

use drag_solver_core::{Billed, Drag, DragChallenge, Point, ScreenshotLimits, SolveError};
use drag_solver_http::task_api::TaskService;
use drag_solver_http::{Answer, Found, Picture, PollInterval, json, points};
use serde_json::{Value, json};

use crate::config::{ApiVersion, variables};
use crate::kind::{Kind, Slider};
use crate::v1::POLL_INTERVAL;

/// Protocol v2 of the service: [`TaskApi<OmocaptchaV2>`](drag_solver_http::task_api::TaskApi) speaks it.
#[derive(Clone, Debug)]
pub struct OmocaptchaV2 {
    task_type: String,
    kind: Kind,
    slider: Option<Slider>,
}

impl OmocaptchaV2 {
    /// The protocol with this type of task, `"TiktokSliderPhoneTask"` for a drag on a phone's screen.
    pub fn new(task_type: impl Into<String>) -> Self {
        Self::of(task_type.into(), None)
    }

    pub(crate) fn of(task_type: String, slider: Option<Slider>) -> Self {
        Self {
            kind: ApiVersion::V2.kind(&task_type),
            task_type,
            slider,
        }
    }

    /// What a slider on a web page needs: how many pixels wide the picture is shown, and where the drag
    /// begins, in pixels of the screenshot that is sent.
    #[must_use]
    pub fn with_slider(mut self, view_width: NonZeroU32, start: Point) -> Self {
        self.slider = Some(Slider { view_width, start });
        self
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
        let task_type = &self.task_type;
        match (self.kind, &self.slider) {
            // The question is on the screenshot, too.
            (Kind::Hcaptcha, _) => {
                json!({"type": task_type, "queries": [Picture], "isScreenshot": true})
            }
            (_, Some(slider)) => {
                json!({"type": task_type, "imageBase64": Picture, "widthView": slider.view_width})
            }
            (_, None) => json!({"type": task_type, "imageBase64": Picture}),
        }
    }

    /// `{"start": {"x", "y"}, "end": {"x", "y"}, "end2"?: {"x", "y"}}`, in pixels; of hCaptcha
    /// `{"type": "drag", "box": [{"start": [x, y], "end": [x, y]}]}`.
    fn drag(&self, solution: &Value) -> Result<Drag, String> {
        match self.kind {
            Kind::Hcaptcha => only_drag(solution),
            _ => points::drag(Some(solution)),
        }
    }

    /// Of a slider `{"end": {"x"}}` or `{"rects": [{"x", "y", "w", "h"}]}`, in pixels of the view.
    fn answer(&self, solution: &Value) -> Answer {
        match &self.slider {
            Some(slider) => slider.answer(slid(slider, solution)),
            None => Answer::parsed(self.drag(solution)),
        }
    }

    fn check_challenge(&self, challenge: &DragChallenge) -> Result<(), SolveError> {
        let slider = self.slider.as_ref();
        slider.map_or(Ok(()), |slider| slider.check(challenge))
    }
}

/// The only drag of hCaptcha's answer. A puzzle of two pieces has two, of which one alone is not its
/// solution; other puzzles have `objects` or `coords`.
fn only_drag(solution: &Value) -> Result<Drag, String> {
    match solution.get("box") {
        Some(Value::Array(drags)) if drags.len() == 1 => points::drag(drags.first()),
        Some(Value::Array(drags)) => {
            let count = drags.len();
            Err(format!(
                "the answer is not one drag but {count}: {solution}"
            ))
        }
        _ => Err(format!("the answer has no usable `box`: {solution}")),
    }
}

/// Neither page says what its numbers are for. The provider's own browser extension drags the handle
/// `end.x` to the right; and `rects` holds the gap that the piece belongs in, whose centre is the end for
/// the piece's centre. Of several rectangles the extension takes the first, too.
fn slid(slider: &Slider, solution: &Value) -> Result<Found, String> {
    let at = |place: &str| json::number(solution.pointer(place));
    if let Some(distance) = at("/end/x") {
        return Ok(slider.distance(distance));
    }
    match (at("/rects/0/x"), at("/rects/0/w")) {
        (Some(x), Some(width)) => Ok(slider.end(x + width / 2.0)),
        _ => Err(format!(
            "the answer has no usable `end.x` or `rects`: {solution}"
        )),
    }
}
