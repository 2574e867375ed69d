//! Settings of an [`HttpSolver`] whose protocol is made of a token.

use std::fmt;

use drag_solver_core::{ConfigError, SolveError, async_trait};
use secrecy::SecretString;

use super::http_solver::HttpSolver;
use crate::service::own_base_url_variable;
use crate::{
    Balance, CallbackReceiver, Carrier, Context, EnvVar, HttpOptions, JobApi, NoCallbacks,
    Provider, Service,
};

type Make<A> = dyn FnOnce(SecretString) -> Result<Made<A>, ConfigError> + Send;

/// A protocol, and the secrets that it was made of.
type Made<A> = (A, Vec<SecretString>);

/// Makes an [`HttpSolver`] of the settings of one account. The token is the only one that must be given.
/// `Debug` does not show it.
///
/// ```
/// use drag_solver_core::ConfigError;
/// use drag_solver_http::{HttpSolver, HttpSolverBuilder, JobApi, secrecy::SecretString};
///
/// fn backup<A: JobApi>(api: fn(SecretString) -> A) -> Result<HttpSolver<A>, ConfigError> {
///     HttpSolverBuilder::new(api)
///         .token("YOUR_API_KEY")
///         .name("example-backup")
///         .build()
/// }
/// ```
pub struct HttpSolverBuilder<A> {
    make: Box<Make<A>>,
    http: HttpOptions,
    /// Name and base URL of the service, where no others are set.
    own: Option<(&'static str, &'static str)>,
    carrier: Carrier,
}

impl<A: JobApi> HttpSolverBuilder<A> {
    /// Settings of a solver that speaks what `api` makes of the account's token.
    pub fn new(api: impl FnOnce(SecretString) -> A + Send + 'static) -> Self {
        Self::made(|token| Ok((api(token.clone()), vec![token])))
    }

    fn made(
        make: impl FnOnce(SecretString) -> Result<Made<A>, ConfigError> + Send + 'static,
    ) -> Self {
        Self {
            make: Box::new(make),
            http: HttpOptions::default(),
            own: None,
            carrier: Carrier::Http,
        }
    }

    http_option_setters!(http);
    crate::carrier_setters!(carrier);

    /// Replaces what carries the requests.
    #[doc(hidden)]
    #[must_use]
    pub fn carrier(mut self, carrier: Carrier) -> Self {
        self.carrier = carrier;
        self
    }

    /// Checks the settings and makes the solver. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn build(mut self) -> Result<HttpSolver<A>, ConfigError> {
        let token = self.http.take_token(&Context::process())?;
        let (api, secrets) = (self.make)(token)?;
        if let Some((name, base_url)) = self.own {
            self.http.name.get_or_insert_with(|| name.to_owned());
            self.http
                .base_url
                .get_or_insert_with(|| base_url.to_owned());
        }
        HttpSolver::with_secrets(api, secrets, self.http, self.carrier)
    }
}

impl<A: Service + JobApi> HttpSolverBuilder<A> {
    /// Replaces the settings that only this provider has.
    #[must_use]
    pub fn config(mut self, own: A::Config) -> Self {
        self.make = Self::of_service(own).make;
        self
    }

    fn of_service(own: A::Config) -> Self {
        Self::of_service_in(own, Context::process())
    }

    fn of_service_in(own: A::Config, context: Context) -> Self {
        let service = Self::made(move |token| {
            let context = context.remembering(token.clone());
            let api = A::from_config(token, own, &context)?;
            Ok((api, context.remembered()))
        });
        Self {
            own: Some((A::NAME, A::BASE_URL)),
            ..service
        }
    }
}

impl<A> fmt::Debug for HttpSolverBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSolverBuilder")
            .field("http", &self.http)
            .field("carrier", &self.carrier)
            .finish_non_exhaustive()
    }
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
