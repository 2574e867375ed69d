//! What a registry must know of a provider, so that a configuration file can name it.

use std::borrow::Cow;

use drag_solver_core::{ConfigError, DragSolver, ErrorKind, SolveError, async_trait};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{
    Balance, CallbackReceiver, Context, HttpOptions, HttpSolver, HttpSolverBuilder, JobApi,
    NoCallbacks,
};

/// A provider with an account, as a registry knows it: what it is called, which variables of the
/// environment it reads, and how a solver is made of a table in a configuration file.
#[async_trait]
pub trait Provider: DragSolver + Sized {
    /// Its name: short, stable, lower case.
    const NAME: &'static str;
    /// Other names that people know it by.
    const ALIASES: &'static [&'static str] = &[];
    /// Who that is, for a help page: where the service is, say.
    const ABOUT: &'static str;
    /// The settings that only this provider has, of which each may be absent: [`NoConfig`] if there are
    /// none. In a file they stand beside the [`HttpOptions`].
    type Config: DeserializeOwned + Default;

    /// The variables it reads. The first holds the credentials.
    #[must_use]
    fn variables() -> Vec<EnvVar>;

    /// Makes a solver. What the settings leave open is taken from the environment's variables, then
    /// from the provider's defaults. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting, or the variable it came from.
    fn from_config(
        http: HttpOptions,
        own: Self::Config,
        context: &Context,
    ) -> Result<Self, ConfigError>;

    /// Makes a solver with the settings of the environment. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(&Context::process())
    }

    /// Makes a solver with the settings that the variables of `context` are, wherever they come from.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    fn from_variables(context: &Context) -> Result<Self, ConfigError> {
        let made = Self::from_config(HttpOptions::default(), Self::Config::default(), context);
        made.map_err(|error| match Self::variables().first() {
            // No setting has a token, so all that can be wrong with it is that there is none.
            Some(credentials) if error.path() == "token" => {
                let problem = "is not set: set it to the token of your account";
                ConfigError::of_variable(&*credentials.name, problem)
            }
            _ => error,
        })
    }

    /// Asks what is left in the account. Costs nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the provider has no way to ask it.
    async fn balance(&self) -> Result<Balance, SolveError> {
        Err(no_balance(self.name()))
    }

    /// What it is asked to call when an answer is there.
    ///
    /// # Errors
    ///
    /// Why it is not asked to.
    fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        Err(NoCallbacks::NotInProtocol)
    }
}

pub(crate) fn no_balance(solver: &str) -> SolveError {
    let message = "the provider has no way to ask what is left in an account";
    SolveError::new(ErrorKind::Unsupported, message).with_solver(solver)
}

/// What the settings of an account make: a [`JobApi`], or an [`AnswerApi`](crate::AnswerApi) within
/// [`OneCall`](crate::OneCall). An [`HttpSolver`] of it then has a [builder](HttpSolver::builder), is made
/// of the environment's variables, and is a [`Provider`], so that a registry can know it. No error of its
/// shows the token, and what else [`from_config`](Self::from_config) read through its [`Context`].
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
    /// The settings that only this service has, of which each may be absent: [`NoConfig`] if there are
    /// none.
    type Config: DeserializeOwned + Default + Send + 'static;

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

impl<A: Service + JobApi> HttpSolver<A> {
    /// Settings, to be given one by one.
    #[must_use]
    pub fn builder() -> HttpSolverBuilder<A> {
        HttpSolverBuilder::of_service(A::Config::default())
    }

    /// A solver with the settings of the environment: [`Service::KEY_VARIABLE`],
    /// [`Service::BASE_URL_VARIABLE`] and those that only it has.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        <Self as Provider>::from_env()
    }
}

#[async_trait]
impl<A: Service + JobApi> Provider for HttpSolver<A> {
    const NAME: &'static str = A::NAME;
    const ALIASES: &'static [&'static str] = A::ALIASES;
    const ABOUT: &'static str = A::BASE_URL;
    type Config = A::Config;

    fn variables() -> Vec<EnvVar> {
        let mut variables = vec![
            EnvVar::new(A::KEY_VARIABLE, "API key of the account"),
            EnvVar::new(own_base_url_variable::<A>(), "where the API is").with_default(A::BASE_URL),
        ];
        variables.extend(A::more_variables());
        variables
    }

    fn from_config(
        http: HttpOptions,
        own: A::Config,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        let http = http.resolve(A::KEY_VARIABLE, &own_base_url_variable::<A>(), context)?;
        let builder = HttpSolverBuilder::of_service_in(own, context.clone());
        builder.options(http).build()
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }

    fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        Self::callbacks(self)
    }
}

fn own_base_url_variable<A: Service>() -> Cow<'static, str> {
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

/// The settings of a provider that has none of its own.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[non_exhaustive]
pub struct NoConfig {}

/// A variable of the environment that a provider reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvVar {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it holds, in one line.
    pub description: Cow<'static, str>,
    /// What is taken unless it is set.
    pub default: Option<Cow<'static, str>>,
}

impl EnvVar {
    /// The variable `name`.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            default: None,
        }
    }

    /// Says what is taken unless it is set.
    #[must_use]
    pub fn with_default(mut self, default: impl Into<Cow<'static, str>>) -> Self {
        self.default = Some(default.into());
        self
    }
}
