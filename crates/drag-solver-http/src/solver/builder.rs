//! Settings of an [`HttpSolver`] whose protocol is made of a token.

use std::fmt;

use drag_solver_core::ConfigError;
use secrecy::SecretString;

use super::http_solver::HttpSolver;
use crate::{Carrier, Context, HttpOptions, JobApi, Service};

type Make<A> = dyn FnOnce(SecretString) -> Result<A, ConfigError> + Send;

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
    carrier: Carrier,
}

impl<A: JobApi> HttpSolverBuilder<A> {
    /// Settings of a solver that speaks what `api` makes of the account's token.
    pub fn new(api: impl FnOnce(SecretString) -> A + Send + 'static) -> Self {
        Self::made(|token| Ok(api(token)))
    }

    fn made(make: impl FnOnce(SecretString) -> Result<A, ConfigError> + Send + 'static) -> Self {
        Self {
            make: Box::new(make),
            http: HttpOptions::default(),
            carrier: Carrier::Http,
        }
    }

    crate::http_option_setters!(http, carrier);

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
        let api = (self.make)(token)?;
        HttpSolver::with_carrier(api, self.http, self.carrier)
    }
}

impl<A: Service> HttpSolverBuilder<A> {
    /// Replaces the settings that only this provider has.
    #[must_use]
    pub fn config(mut self, own: A::Config) -> Self {
        self.make = Self::of_service(own).make;
        self
    }

    pub(crate) fn of_service(own: A::Config) -> Self {
        Self::of_service_in(own, Context::process())
    }

    pub(crate) fn of_service_in(own: A::Config, context: Context) -> Self {
        Self::made(move |token| A::from_config(token, own, &context))
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
