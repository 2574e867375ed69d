//! The provider Anti-Captcha: people click on the two ends of the drag.
//!
//! ```no_run
//! use drag_solver_anticaptcha::AntiCaptcha;
//! use drag_solver_core::{DragChallenge, DragSolver, Screenshot};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let solver = AntiCaptcha::builder().token("YOUR_API_KEY").build()?;
//! let challenge = DragChallenge::new(Screenshot::from_file("screenshot.png")?);
//! let solution = solver.solve(&challenge).await?;
//! println!("{}", solution.drag()); // 83,560 -> 320,560
//! # Ok(())
//! # }
//! ```
//!
//! `AntiCaptcha::from_env` takes its settings from the environment:
//!
//! | variable | meaning | unless set |
//! |---|---|---|
//! | `ANTICAPTCHA_API_KEY` | key of the account | an error |
//! | `ANTICAPTCHA_BASE_URL` | where the API is | `https://api.anti-captcha.com` |
//!
//! What the provider's documentation says, and this client keeps to:
//!
//! - Pictures have at most 500,000 bytes. A side over 500 px is scaled down for the workers, and the
//!   documentation does not say in which scale the answer comes back; so such pictures are refused
//!   before anything is sent. `.fit(..)` of `drag-solver-image` around this solver makes them fit.
//! - The workers see the challenge's `instruction`, which should be in English, or else [`COMMENT`].
//! - The result is asked for after 5 s, then every 2 s. It is gone 60 s after it was completed.
//! - A task that no worker could solve is charged.
//! - `callbackUrl` is called when the task has ended.
//! - Reports of wrong answers are taken within 60 s; those of right answers are not.

use std::time::Duration;

use drag_solver_core::{Billed, Drag, DragChallenge, ScreenshotLimits, Verdict};
use drag_solver_http::task_api::{TWO_CLICKS, TaskApi, TaskService};
use drag_solver_http::{HttpSolver, HttpSolverBuilder, Picture, PollInterval, points};
use serde_json::{Value, json};

/// The provider's name, unless a builder gives another.
pub const NAME: &str = "anticaptcha";

/// What the workers are asked to do, unless the challenge has an instruction of its own.
pub const COMMENT: &str = TWO_CLICKS;

/// A [`DragSolver`](drag_solver_core::DragSolver) that asks Anti-Captcha. See the
/// [crate docs](crate) for an example.
pub type AntiCaptcha = HttpSolver<TaskApi<ImageToCoordinatesTask>>;

/// Settings of an [`AntiCaptcha`].
pub type AntiCaptchaBuilder = HttpSolverBuilder<TaskApi<ImageToCoordinatesTask>>;

/// The provider's task `ImageToCoordinatesTask`, in points: rectangles would lose the direction.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[non_exhaustive]
pub struct ImageToCoordinatesTask {}

impl TaskService for ImageToCoordinatesTask {
    const NAME: &'static str = NAME;
    const ALIASES: &'static [&'static str] = &["anti-captcha"];
    const BASE_URL: &'static str = "https://api.anti-captcha.com";
    const KEY_VARIABLE: &'static str = "ANTICAPTCHA_API_KEY";
    const BASE_URL_VARIABLE: &'static str = "ANTICAPTCHA_BASE_URL";
    const POLL_INTERVAL: PollInterval =
        PollInterval::new(Duration::from_secs(5), Duration::from_secs(2));
    const LIMITS: ScreenshotLimits = ScreenshotLimits::none()
        .with_max_bytes(500_000)
        .with_max_side(500);
    const UNSOLVABLE_BILLED: Billed = Billed::Yes;
    const RESULT_TTL: Option<Duration> = Some(Duration::from_secs(60));
    const TAKES_CALLBACK_URL: bool = true;

    fn task(&self, challenge: &DragChallenge) -> Value {
        json!({
            "type": "ImageToCoordinatesTask",
            "body": Picture,
            "comment": challenge.instruction().unwrap_or(COMMENT),
            "mode": "points",
        })
    }

    /// `{"coordinates": [[17, 48], [54, 83]]}`
    fn drag(&self, solution: &Value) -> Result<Drag, String> {
        points::drag(solution.get("coordinates"))
    }

    fn report_path(&self, verdict: Verdict) -> Option<&'static str> {
        match verdict {
            Verdict::Correct => None,
            Verdict::Incorrect => Some("reportIncorrectImageCaptcha"),
        }
    }
}
