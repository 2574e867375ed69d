//! What a provider has to say for itself.

use std::fmt::Debug;
use std::time::Duration;

use drag_solver_core::{
    Drag, DragChallenge, JobId, ScreenshotLimits, SolveError, Usd, Verdict, human_duration,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{ApiRequest, ApiResponse};

/// One provider's protocol: pure functions from a challenge to a request, and from an answer to a
/// job id or a job's state.
///
/// It owns no socket and no clock. [`HttpSolver`](crate::HttpSolver) calls it and decides what an
/// error means for the paid job; an implementation only says what an answer says.
pub trait JobApi: Debug + Send + Sync + 'static {
    /// Short, stable, lower case: labels errors, logs and metrics.
    fn name(&self) -> &str;

    /// The token, so that it can be blotted out of answers that repeat it.
    fn secret(&self) -> Option<&SecretString> {
        None
    }

    /// The request that buys an answer.
    ///
    /// # Errors
    ///
    /// When this provider cannot be asked that: nothing is sent.
    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError>;

    /// Reads the answer to [`create`](Self::create), whatever its HTTP status.
    fn created(&self, answer: &ApiResponse) -> Result<Created, AnswerError>;

    /// The request that asks how a job is getting on. Asking changes nothing and may be repeated.
    fn poll(&self, job: &JobId) -> ApiRequest;

    /// Reads the answer to [`poll`](Self::poll), whatever its HTTP status.
    fn polled(&self, answer: &ApiResponse) -> Result<JobState, AnswerError>;

    /// How long to wait before asking. Never less than the provider's documentation allows.
    fn pace(&self) -> Pace;

    /// The pictures the provider takes.
    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
    }

    /// The request that tells the provider whether its answer was right; `None` if it has no ear
    /// for this verdict.
    fn feedback(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let _ = (job, verdict);
        None
    }

    /// Reads the answer to [`feedback`](Self::feedback). By default any 2xx will do.
    fn feedback_taken(&self, answer: &ApiResponse) -> Result<(), AnswerError> {
        if answer.is_success() {
            return Ok(());
        }
        Err(AnswerError::Unreadable("the report was not taken".into()))
    }
}

/// When to ask for a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)] // two waits, and the provider's documentation names both
pub struct Pace {
    /// From the answer to the create request to the first poll.
    #[serde(with = "human_duration")]
    pub first: Duration,
    /// From the answer to one poll to the next poll: the provider's documented minimum.
    #[serde(with = "human_duration")]
    pub every: Duration,
}

impl Pace {
    /// First after `first`, then every `every`.
    #[must_use]
    pub const fn new(first: Duration, every: Duration) -> Self {
        Self { first, every }
    }
}

/// A create request was accepted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Created {
    /// The result is to be asked for with this id.
    Pending(JobId),
    /// Some providers answer at once.
    Solved {
        /// The job's id, if one was given all the same.
        job: Option<JobId>,
        /// The answer.
        answer: Answer,
    },
}

/// How a job is getting on.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobState {
    /// Not done yet.
    Running,
    /// A status the documentation does not know, neither success nor failure. The solver goes on
    /// asking, and says so in the error if nothing else comes.
    Unknown(String),
    /// Done.
    Solved(Answer),
    /// The job has ended and there will be no answer. The error says whether it was billed.
    Failed(SolveError),
}

/// What a job came to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// Where to drag, in pixels of the screenshot that was sent. It is checked by the solver.
    pub drag: Drag,
    /// What it cost, if the provider says.
    pub cost: Option<Usd>,
}

impl Answer {
    /// The answer `drag`, of unknown cost.
    #[must_use]
    pub const fn new(drag: Drag) -> Self {
        Self { drag, cost: None }
    }

    /// Adds what it cost.
    #[must_use]
    pub const fn with_cost(mut self, cost: Option<Usd>) -> Self {
        self.cost = cost;
        self
    }
}

/// Why an answer does not say what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnswerError {
    /// It is not an answer of this API: HTML, garbage, JSON without the documented members. The text
    /// says what was missing. The solver judges it by the HTTP status; a poll is repeated.
    Unreadable(String),
    /// The provider refused the request, and says why. A job that was asked about is not touched by
    /// it.
    Refused(SolveError),
    /// The provider refused the request, in words that its documentation does not explain. Where the
    /// HTTP status says more, the status counts.
    Unexplained(SolveError),
}

impl From<SolveError> for AnswerError {
    fn from(error: SolveError) -> Self {
        Self::Refused(error)
    }
}
