//! Settings of an [`HttpSolver`] whose protocol is made of a token.

use std::fmt;

use drag_solver_core::ConfigError;
use secrecy::SecretString;

use super::http_solver::HttpSolver;
use crate::{Carrier, Context, HttpOptions, JobApi, Service};

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

    pub(crate) fn of_service(own: A::Config) -> Self {
        Self::of_service_in(own, Context::process())
    }

    pub(crate) fn of_service_in(own: A::Config, context: Context) -> Self {
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
