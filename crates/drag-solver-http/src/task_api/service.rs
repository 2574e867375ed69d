//! What one service of the family brings along.

use std::fmt::Debug;
use std::time::Duration;

use drag_solver_core::{
    Billed, ConfigError, Drag, DragChallenge, ScreenshotLimits, SolveError, Verdict,
};
use serde_json::Value;

use crate::{Answer, PollInterval};

/// What workers who click on a picture are asked to do, unless the challenge has an instruction of its own.
pub const TWO_CLICKS: &str = "Click exactly two points, in this order: 1) the center of the piece or \
     handle that must be dragged; 2) the center of the place where it must be dropped.";

/// What tells one service of the `createTask` family from another: its task, its solution, and
/// what its documentation says of both.
///
/// Its members are the settings that only this service has: if it is `Default`, a
/// [`TaskApi`](super::TaskApi) of it is a [`Service`](crate::Service), and if it is serde's `Deserialize`, too
/// (with `#[serde(default)]`), a file can hold them.
pub trait TaskService: Debug + Send + Sync + 'static {
    /// Name of the provider: short, stable, lower case.
    const NAME: &'static str;
    /// Other names that people know the provider by.
    const ALIASES: &'static [&'static str] = &[];
    /// Where the provider's own API is.
    const BASE_URL: &'static str;
    /// Variable of the environment that holds the account's key.
    const KEY_VARIABLE: &'static str;
    /// Variable of the environment that holds another base URL; empty for the name in capitals, with
    /// `_BASE_URL` behind it.
    const BASE_URL_VARIABLE: &'static str = "";
    /// The documented waits before polls.
    const POLL_INTERVAL: PollInterval;
    /// The pictures that are taken.
    const LIMITS: ScreenshotLimits;
    /// Whether a task is billed that the workers gave up on.
    const UNSOLVABLE_BILLED: Billed;
    /// How long after its completion a task can still be asked about and reported on, if the
    /// documentation says.
    const RESULT_TTL: Option<Duration> = None;
    /// Whether `callbackUrl` beside the task is documented: where the service sends its answer, too.
    const TAKES_CALLBACK_URL: bool = false;

    /// The task, with a [`Picture`](crate::Picture) where the picture goes.
    fn task(&self, challenge: &DragChallenge) -> Value;

    /// Reads a drag out of the `solution`, or says what is wrong with it.
    fn drag(&self, solution: &Value) -> Result<Drag, String>;

    /// Reads the `solution` of a service that says something else than two points in pixels. What
    /// [`drag`](Self::drag) reads unless it is overridden.
    fn answer(&self, solution: &Value) -> Answer {
        Answer::parsed(self.drag(solution))
    }

    /// Refuses a challenge that the task cannot be right for. Nothing was sent then.
    ///
    /// # Errors
    ///
    /// Why.
    fn check_challenge(&self, challenge: &DragChallenge) -> Result<(), SolveError> {
        let _ = challenge;
        Ok(())
    }

    /// Refuses settings that cannot be right.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// The path that takes reports of this verdict; `None` if there is none.
    fn report_path(&self, verdict: Verdict) -> Option<&'static str> {
        let _ = verdict;
        None
    }
}
