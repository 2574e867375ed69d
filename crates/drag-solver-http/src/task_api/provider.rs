//! The solver that a service is.

use drag_solver_core::{ConfigError, SolveError, async_trait};

use super::api::TaskApi;
use super::service::TaskService;
use crate::{
    Balance, Context, EnvVar, HttpOptions, HttpSolver, HttpSolverBuilder, NoConfig, Provider,
};

impl<S: TaskService> HttpSolver<TaskApi<S>> {
    /// Settings, to be given one by one.
    #[must_use]
    pub fn builder() -> HttpSolverBuilder<TaskApi<S>>
    where
        S: Default,
    {
        HttpSolverBuilder::new(|key| TaskApi::new(key, S::default()))
    }

    /// A solver with the settings of the environment: [`TaskService::KEY_VARIABLE`] and
    /// [`TaskService::BASE_URL_VARIABLE`].
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_env() -> Result<Self, ConfigError>
    where
        S: Default,
    {
        <Self as Provider>::from_env()
    }

    /// Asks what is left in the account. Costs nothing.
    pub async fn balance(&self) -> Result<Balance, SolveError> {
        let parse = |response: &_| self.api().parse_balance(response);
        self.request(self.api().get_balance(), parse).await
    }
}

#[async_trait]
impl<S: TaskService + Default> Provider for HttpSolver<TaskApi<S>> {
    const NAME: &'static str = S::NAME;
    const ALIASES: &'static [&'static str] = S::ALIASES;
    const ABOUT: &'static str = S::BASE_URL;
    const VARIABLES: &'static [EnvVar] = &[
        EnvVar::new(S::KEY_VARIABLE, "API key of the account"),
        EnvVar::new(S::BASE_URL_VARIABLE, "where the API is").with_default(S::BASE_URL),
    ];
    type Config = NoConfig;

    fn from_config(http: HttpOptions, _: NoConfig, context: &Context) -> Result<Self, ConfigError> {
        let http = http.resolve(S::KEY_VARIABLE, S::BASE_URL_VARIABLE, context)?;
        Self::builder().options(http).build()
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }
}
