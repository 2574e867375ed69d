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
//! - A task that nobody could solve is refunded.
//! - Reports of right and of wrong answers are taken.

use std::time::Duration;

use drag_solver_core::{
    Charge, Drag, DragChallenge, ImageFormat, Point, ScreenshotLimits, Verdict,
};
use drag_solver_http::task_api::{TaskService, TaskSolver, TaskSolverBuilder};
use drag_solver_http::{PICTURE, Pace, lenient};
use serde_json::{Value, json};

/// The provider's name, unless a builder gives another.
pub const NAME: &str = "twocaptcha";

/// What the workers are asked to do, unless the challenge has an instruction of its own.
pub const COMMENT: &str = "Click exactly two points, in this order: 1) the center of the piece or \
     handle that must be dragged; 2) the center of the place where it must be dropped.";

/// A [`DragSolver`](drag_solver_core::DragSolver) that asks 2Captcha. See the [crate docs](crate)
/// for an example.
pub type TwoCaptcha = TaskSolver<CoordinatesTask>;

/// Settings of a [`TwoCaptcha`].
pub type TwoCaptchaBuilder = TaskSolverBuilder<CoordinatesTask>;

/// The provider's task `CoordinatesTask`, with exactly two clicks.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CoordinatesTask;

impl TaskService for CoordinatesTask {
    const NAME: &'static str = NAME;
    const ALIASES: &'static [&'static str] = &["2captcha"];
    const BASE_URL: &'static str = "https://api.2captcha.com";
    const KEY_VARIABLE: &'static str = "TWOCAPTCHA_API_KEY";
    const BASE_URL_VARIABLE: &'static str = "TWOCAPTCHA_BASE_URL";
    const PACE: Pace = Pace::new(Duration::from_secs(5), Duration::from_secs(5));
    const LIMITS: ScreenshotLimits = ScreenshotLimits::none()
        .with_max_bytes(600_000)
        .with_max_side(1_000)
        .with_formats(&[ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif]);
    const UNSOLVABLE: Charge = Charge::No;

    fn task(&self, challenge: &DragChallenge) -> Value {
        json!({
            "type": "CoordinatesTask",
            "body": PICTURE,
            "comment": challenge.instruction().unwrap_or(COMMENT),
            "minClicks": 2,
            "maxClicks": 2,
        })
    }

    /// `{"coordinates": [{"x": 358, "y": 268}, {"x": 120, "y": 44}]}`, in the order of the clicks.
    fn drag(&self, solution: &Value) -> Result<Drag, String> {
        let point = |click: &Value| {
            let x = lenient::number(click.get("x"))?;
            let y = lenient::number(click.get("y"))?;
            Some(Point::new(x, y))
        };
        let clicks = solution.get("coordinates").and_then(Value::as_array);
        match clicks.map(Vec::as_slice) {
            Some([first, second]) => match (point(first), point(second)) {
                (Some(start), Some(end)) => Ok(Drag::new(start, end)),
                _ => Err(format!("a click is not {{x, y}} in numbers: {solution}")),
            },
            Some(clicks) => Err(format!(
                "{} clicks instead of two: {solution}",
                clicks.len()
            )),
            None => Err(format!("the solution has no `coordinates`: {solution}")),
        }
    }

    fn report_path(&self, verdict: Verdict) -> Option<&'static str> {
        match verdict {
            Verdict::Correct => Some("reportCorrect"),
            Verdict::Incorrect => Some("reportIncorrect"),
        }
    }
}
