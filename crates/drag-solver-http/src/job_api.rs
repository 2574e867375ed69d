//! What a provider has to say for itself.

use std::fmt::Debug;
use std::time::Duration;

use drag_solver_core::{DragChallenge, JobId, ScreenshotLimits, SolveError, Verdict};
use secrecy::SecretString;

use crate::{ApiRequest, ApiResponse, Balance, Created, JobState, PollInterval, ResponseError};

/// What most providers ask for between two polls.
const USUAL_WAIT: Duration = Duration::from_secs(5);

/// One provider's protocol: pure functions from a challenge to a request, and from a response to a
/// job id or a job's state.
///
/// It owns no socket and no clock. [`HttpSolver`](crate::HttpSolver) calls it and decides what an
/// error means for the paid job; an implementation only says what a response says.
#[allow(clippy::unnecessary_literal_bound)] // an implementation may return its own
pub trait JobApi: Debug + Send + Sync + 'static {
    /// Short, stable, lower case: labels errors, logs and metrics. A [`Service`](crate::Service) has it as
    /// a constant instead.
    fn name(&self) -> &str {
        ""
    }

    /// Where the provider's own API is, as in `https://api.example.com/v1`. A
    /// [`Service`](crate::Service) has it as a constant instead.
    fn base_url(&self) -> &str {
        ""
    }

    /// Every secret that a request holds, so that no error shows one that a response repeats. Of a
    /// [`Service`](crate::Service), those that it was made of are known.
    fn secrets(&self) -> Vec<&SecretString> {
        Vec::new()
    }

    /// The request that buys an answer.
    ///
    /// # Errors
    ///
    /// When this provider cannot be asked that: nothing is sent.
    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError>;

    /// Whether the provider calls an address when a job has ended, if it is asked to.
    fn takes_callbacks(&self) -> bool {
        false
    }

    /// The same request, with which the provider is asked to call `callback_url` once the job has ended, if it
    /// [does that](Self::takes_callbacks). What it sends there is never read.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create).
    fn create_with_callback(
        &self,
        challenge: &DragChallenge,
        callback_url: &str,
    ) -> Result<ApiRequest, SolveError> {
        let _ = callback_url;
        self.create(challenge)
    }

    /// Reads the response to [`create`](Self::create), of any HTTP status.
    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError>;

    /// The request that asks for a job's state. Asking changes nothing and may be repeated.
    fn poll(&self, job: &JobId) -> ApiRequest;

    /// Reads the response to [`poll`](Self::poll), of any HTTP status.
    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError>;

    /// How long to wait before asking. Never less than the provider's documentation allows. Unless it
    /// is said: 5 s, which is what most ask for.
    fn poll_interval(&self) -> PollInterval {
        PollInterval::new(USUAL_WAIT, USUAL_WAIT)
    }

    /// The pictures the provider takes.
    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
    }

    /// The request that tells the provider whether its answer was right; `None` if it takes no reports
    /// of this verdict.
    fn report(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let _ = (job, verdict);
        None
    }

    /// Reads the response to [`report`](Self::report). By default any 2xx will do.
    fn parse_report(&self, response: &ApiResponse) -> Result<(), ResponseError> {
        if response.is_success() {
            return Ok(());
        }
        let what = "the report was not taken";
        Err(ResponseError::Unparseable(what.into()))
    }

    /// The request that asks what is left in the account; `None` if that cannot be asked.
    fn balance(&self) -> Option<ApiRequest> {
        None
    }

    /// Reads the response to [`balance`](Self::balance).
    fn parse_balance(&self, response: &ApiResponse) -> Result<Balance, ResponseError> {
        let _ = response;
        Err(ResponseError::Unparseable("no balance".into()))
    }

    /// Whether it has jobs. Without them the answer is in the response to the create request:
    /// [`OneCall`](crate::OneCall) is that.
    #[doc(hidden)]
    fn has_jobs(&self) -> bool {
        true
    }
}
