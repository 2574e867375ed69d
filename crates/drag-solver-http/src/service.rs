//! What the settings of an account make.

use std::borrow::Cow;

use drag_solver_core::ConfigError;
use secrecy::SecretString;

use crate::{Context, EnvVar};

/// What the settings of an account make: a [`JobApi`](crate::JobApi), or an
/// [`AnswerApi`](crate::AnswerApi) within [`OneCall`](crate::OneCall). An
/// [`HttpSolver`](crate::HttpSolver) of it then has a [builder](crate::HttpSolver::builder), is made of the
/// environment's variables, and is a [`Provider`](crate::Provider), so that a registry can know it. No error
/// of its shows the token, and what else [`from_config`](Self::from_config) read through its [`Context`].
///
/// ```
/// use drag_solver_core::ConfigError;
/// use drag_solver_http::secrecy::SecretString;
/// use drag_solver_http::{Context, EnvVar, HttpSolver, JobApi, Service};
/// use serde::Deserialize;
/// # use drag_solver_core::{DragChallenge, JobId, SolveError};
/// # use drag_solver_http::*;
///
/// #[derive(Debug)]
/// struct Clickworks {
///     key: SecretString,
///     team: String,
/// }
/// # impl JobApi for Clickworks {
/// #     fn create(&self, _: &DragChallenge) -> Result<ApiRequest, SolveError> {
/// #         Ok(ApiRequest::get("jobs").bearer(&self.key))
/// #     }
/// #     fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
/// #         response.job_id("job").map(Created::Job)
/// #     }
/// #     fn poll(&self, job: &JobId) -> ApiRequest {
/// #         ApiRequest::get("jobs").segment(job.as_str()).bearer(&self.key)
/// #     }
/// #     fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
/// #         response.answer("drag").map(JobState::Solved)
/// #     }
/// #     fn poll_interval(&self) -> PollInterval {
/// #         PollInterval::new(std::time::Duration::from_secs(2), std::time::Duration::from_secs(2))
/// #     }
/// # }
/// // impl JobApi for Clickworks { .. }
///
/// /// What only this provider has; in a file it stands beside the settings that all have.
/// #[derive(Default, Deserialize)]
/// #[serde(default)]
/// struct Settings {
///     team: String,
/// }
///
/// impl Service for Clickworks {
///     const NAME: &'static str = "clickworks";
///     const BASE_URL: &'static str = "https://api.clickworks.example";
///     const KEY_VARIABLE: &'static str = "CLICKWORKS_KEY";
///     type Config = Settings;
///
///     fn from_config(key: SecretString, own: Settings, _: &Context) -> Result<Self, ConfigError> {
///         Ok(Self { key, team: own.team })
///     }
/// }
///
/// let solver = HttpSolver::<Clickworks>::builder()
///     .token("YOUR_API_KEY")
///     .config(Settings { team: "blue".to_owned() })
///     .build()?;
/// assert_eq!(solver.api().team, "blue");
/// # Ok::<(), ConfigError>(())
/// ```
pub trait Service: Sized {
    /// Its name: short, stable, lower case.
    const NAME: &'static str;
    /// Other names that people know it by.
    const ALIASES: &'static [&'static str] = &[];
    /// Where the API is.
    const BASE_URL: &'static str;
    /// Variable of the environment that holds the token.
    const KEY_VARIABLE: &'static str;
    /// Variable of the environment that holds another base URL; empty for the name in capitals, with
    /// `_BASE_URL` behind it.
    const BASE_URL_VARIABLE: &'static str = "";
    /// The settings that only this service has, of which each may be absent: [`NoConfig`](crate::NoConfig) if there are
    /// none. So that a file can hold them, they are serde's `DeserializeOwned`.
    type Config: Default + Send + 'static;

    /// Other variables of the environment that [`from_config`](Self::from_config) reads, for a help page.
    #[must_use]
    fn more_variables() -> Vec<EnvVar> {
        Vec::new()
    }

    /// The account with this token. `context` is where other variables and secrets are read from.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting, or the variable it came from.
    fn from_config(
        token: SecretString,
        own: Self::Config,
        context: &Context,
    ) -> Result<Self, ConfigError>;
}

/// [`Service::BASE_URL_VARIABLE`], or what it stands for.
pub(crate) fn own_base_url_variable<A: Service>() -> Cow<'static, str> {
    match A::BASE_URL_VARIABLE {
        "" => base_url_variable(A::NAME).into(),
        own => own.into(),
    }
}

/// `HMCAPTCHA_BASE_URL`
#[doc(hidden)]
#[must_use]
pub fn base_url_variable(name: &str) -> String {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    format!("{name}_BASE_URL")
}
