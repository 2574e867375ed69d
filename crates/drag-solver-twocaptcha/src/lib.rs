//! The provider 2Captcha: people click on the two ends of the drag.
//!
//! ```no_run
//! use drag_solver_core::{DragChallenge, DragSolver, Screenshot};
//! use drag_solver_twocaptcha::TwoCaptcha;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let solver = TwoCaptcha::builder().token("YOUR_API_KEY").build()?;
//! let challenge = DragChallenge::new(Screenshot::from_file("screenshot.png")?);
//! let solution = solver.solve(&challenge).await?;
//! println!("{}", solution.drag()); // 83,560 -> 320,560
//! # Ok(())
//! # }
//! ```
//!
//! `TwoCaptcha::from_env` takes its settings from the environment:
//!
//! | variable | meaning | unless set |
//! |---|---|---|
//! | `TWOCAPTCHA_API_KEY` | key of the account | an error |
//! | `TWOCAPTCHA_BASE_URL` | where the API is | `https://api.2captcha.com` |
//!
//! What the provider's documentation says, and this client keeps to:
//!
//! - Pictures are JPEG, PNG or GIF of at most 600 kB and 1000 px a side. Others are refused before
//!   anything is sent; `.fit(..)` of `drag-solver-image` around this solver makes them fit.
//! - The workers see the challenge's `instruction`, or else [`COMMENT`].
//! - The result is asked for after 5 s, then every 5 s. Asking faster may get the account or the
//!   address blocked for a while.
//! - A task that no worker could solve is refunded.
//! - Reports of right and of wrong answers are taken.
//! - `callbackUrl` is called when the task has ended, if the address is registered in the account.

use std::time::Duration;

use drag_solver_core::{Billed, Drag, DragChallenge, ImageFormat, ScreenshotLimits, Verdict};
use drag_solver_http::task_api::{TWO_CLICKS, TaskApi, TaskService};
use drag_solver_http::{HttpSolver, HttpSolverBuilder, Picture, PollInterval, points};
use serde_json::{Value, json};

/// The provider's name, unless a builder gives another.
pub const NAME: &str = "twocaptcha";

/// What the workers are asked to do, unless the challenge has an instruction of its own.
pub const COMMENT: &str = TWO_CLICKS;

/// A [`DragSolver`](drag_solver_core::DragSolver) that asks 2Captcha. See the [crate docs](crate)
/// for an example.
pub type TwoCaptcha = HttpSolver<TaskApi<CoordinatesTask>>;

/// Settings of a [`TwoCaptcha`].
pub type TwoCaptchaBuilder = HttpSolverBuilder<TaskApi<CoordinatesTask>>;

/// The provider's task `CoordinatesTask`, with exactly two clicks.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[non_exhaustive]
pub struct CoordinatesTask {}

impl TaskService for CoordinatesTask {
    const NAME: &'static str = NAME;
    const ALIASES: &'static [&'static str] = &["2captcha"];
    const BASE_URL: &'static str = "https://api.2captcha.com";
    const KEY_VARIABLE: &'static str = "TWOCAPTCHA_API_KEY";
    const BASE_URL_VARIABLE: &'static str = "TWOCAPTCHA_BASE_URL";
    const POLL_INTERVAL: PollInterval =
        PollInterval::new(Duration::from_secs(5), Duration::from_secs(5));
    const LIMITS: ScreenshotLimits = ScreenshotLimits::none()
        .with_max_bytes(600_000)
        .with_max_side(1_000)
        .with_formats(&[ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif]);
    const UNSOLVABLE_BILLED: Billed = Billed::No;
    const TAKES_CALLBACK_URL: bool = true;

    fn task(&self, challenge: &DragChallenge) -> Value {
        json!({
            "type": "CoordinatesTask",
            "body": Picture,
            "comment": challenge.instruction().unwrap_or(COMMENT),
            "minClicks": 2,
            "maxClicks": 2,
        })
    }

    /// `{"coordinates": [{"x": 358, "y": 268}, {"x": 120, "y": 44}]}`
    fn drag(&self, solution: &Value) -> Result<Drag, String> {
        points::drag(solution.get("coordinates"))
    }

    fn report_path(&self, verdict: Verdict) -> Option<&'static str> {
        match verdict {
            Verdict::Correct => Some("reportCorrect"),
            Verdict::Incorrect => Some("reportIncorrect"),
        }
    }
}
