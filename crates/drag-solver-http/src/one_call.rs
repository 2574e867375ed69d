//! Services that answer in the response to the request.

use std::fmt::Debug;
use std::time::Duration;

use drag_solver_core::{ConfigError, DragChallenge, JobId, ScreenshotLimits, SolveError, Verdict};
use secrecy::SecretString;

use crate::{
    Answer, ApiRequest, ApiResponse, Balance, Context, Created, EnvVar, JobApi, JobState,
    PollInterval, ResponseError, Service,
};

/// The protocol of a service without jobs: one request, whose response is the answer. Pure functions,
/// as those of [`JobApi`] are; [`OneCall`] makes a solver of them.
///
/// What it answers cannot be asked for a second time, so a challenge that resumes a job of this
/// solver is refused before anything is sent. A request has the whole time of a job, unless
/// [`request_timeout`](crate::HttpOptions::request_timeout) is set.
///
/// ```
/// use drag_solver_core::{DragChallenge, SolveError};
/// use drag_solver_http::secrecy::SecretString;
/// use drag_solver_http::serde_json::json;
/// use drag_solver_http::{
///     Answer, AnswerApi, ApiRequest, ApiResponse, HttpOptions, HttpSolver, OneCall, Picture,
///     ResponseError, Unit, points,
/// };
///
/// #[derive(Debug)]
/// struct Fractions {
///     key: SecretString,
/// }
///
/// impl AnswerApi for Fractions {
///     fn name(&self) -> &str {
///         "fractions"
///     }
///     fn base_url(&self) -> &str {
///         "https://fractions.example"
///     }
///     fn secrets(&self) -> Vec<&SecretString> {
///         vec![&self.key]
///     }
///     fn request(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
///         let shot = challenge.screenshot();
///         let order = json!({"image": Picture::data_uri(shot.format())});
///         Ok(ApiRequest::json_with_picture("solve", &order, shot)?.bearer(&self.key))
///     }
///     /// `{"points": [[0.21, 0.5], [0.8, 0.5]]}`
///     fn parse(&self, response: &ApiResponse) -> Result<Answer, ResponseError> {
///         let members = response.object()?;
///         let found = members.get("points");
///         let found = found.ok_or_else(|| response.missing_field("points"))?;
///         Ok(Answer::parsed(points::drag(Some(found))).with_unit(Unit::Fraction))
///     }
/// }
///
/// let api = OneCall(Fractions { key: "YOUR_API_KEY".into() });
/// let solver = HttpSolver::new(api, HttpOptions::default())?;
/// # Ok::<(), drag_solver_core::ConfigError>(())
/// ```
#[allow(clippy::unnecessary_literal_bound)] // an implementation may return its own
pub trait AnswerApi: Debug + Send + Sync + 'static {
    /// Short, stable, lower case: labels errors, logs and metrics. A [`Service`] has it as a constant
    /// instead.
    fn name(&self) -> &str {
        ""
    }

    /// Where the provider's own API is, as in `https://api.example.com/v1`. A [`Service`] has it as a
    /// constant instead.
    fn base_url(&self) -> &str {
        ""
    }

    /// Every secret that a request holds, so that no error shows one that a response repeats. Of a
    /// [`Service`], those that it was made of are known.
    fn secrets(&self) -> Vec<&SecretString> {
        Vec::new()
    }

    /// The request that buys the answer.
    ///
    /// # Errors
    ///
    /// When this provider cannot be asked that: nothing is sent.
    fn request(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError>;

    /// Reads the response, of any HTTP status. "Not solved" is
    /// [`ResponseError::Rejected`] with [`Unsolvable`](drag_solver_core::ErrorKind::Unsolvable).
    fn parse(&self, response: &ApiResponse) -> Result<Answer, ResponseError>;

    /// The pictures the provider takes.
    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
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
}

/// An [`AnswerApi`] as the [`JobApi`] that an [`HttpSolver`](crate::HttpSolver) speaks. Of one that is a
/// [`Service`], it is one, too: an `HttpSolver<OneCall<A>>` then has a builder and is a
/// [`Provider`](crate::Provider).
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs)] // a wrapper
pub struct OneCall<A>(pub A);

impl<A: AnswerApi> JobApi for OneCall<A> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn base_url(&self) -> &str {
        self.0.base_url()
    }

    fn secrets(&self) -> Vec<&SecretString> {
        self.0.secrets()
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        self.0.request(challenge)
    }

    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        let answer = self.0.parse(response)?;
        Ok(Created::Answer { job: None, answer })
    }

    // Never called: there is no job.
    fn poll(&self, _: &JobId) -> ApiRequest {
        ApiRequest::get("")
    }

    fn parse_poll(&self, _: &ApiResponse) -> Result<JobState, ResponseError> {
        Err(ResponseError::Unparseable("no jobs".into()))
    }

    fn poll_interval(&self) -> PollInterval {
        PollInterval::new(Duration::ZERO, Duration::from_secs(1))
    }

    fn limits(&self) -> ScreenshotLimits {
        self.0.limits()
    }

    fn report(&self, _: &JobId, _: Verdict) -> Option<ApiRequest> {
        None
    }

    fn balance(&self) -> Option<ApiRequest> {
        self.0.balance()
    }

    fn parse_balance(&self, response: &ApiResponse) -> Result<Balance, ResponseError> {
        self.0.parse_balance(response)
    }

    fn has_jobs(&self) -> bool {
        false
    }
}

impl<A: AnswerApi + Service> Service for OneCall<A> {
    const NAME: &'static str = A::NAME;
    const ALIASES: &'static [&'static str] = A::ALIASES;
    const BASE_URL: &'static str = A::BASE_URL;
    const KEY_VARIABLE: &'static str = A::KEY_VARIABLE;
    const BASE_URL_VARIABLE: &'static str = A::BASE_URL_VARIABLE;
    type Config = A::Config;

    fn more_variables() -> Vec<EnvVar> {
        A::more_variables()
    }

    fn from_config(
        token: SecretString,
        own: A::Config,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        A::from_config(token, own, context).map(Self)
    }
}
