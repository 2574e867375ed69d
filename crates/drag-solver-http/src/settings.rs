//! What every provider's builder has in common.

use std::fmt;
use std::time::Duration;

use drag_solver_core::Usd;
use reqwest::Client;
use secrecy::ExposeSecret as _;

use crate::{ConfigError, Context, HttpSolver, JobApi, Pace, ReqwestTransport, Secret, Transport};

/// What a user may set between a provider's protocol and the solver that speaks it: the part that
/// the builders of all providers share. `Debug` shows no secret.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_http::{ConfigError, HttpSettings, HttpSolver, JobApi};
///
/// /// A provider's own builder adds its token, and what its tasks need.
/// fn build(api: impl JobApi) -> Result<HttpSolver<impl JobApi>, ConfigError> {
///     let mut settings = HttpSettings::default();
///     settings.request_timeout = Some(Duration::from_secs(20));
///     settings.solver(api, "https://api.example.com/v1")
/// }
/// ```
#[derive(Default)]
#[non_exhaustive]
pub struct HttpSettings {
    /// Where the API is; the provider's own unless set. https, or http to this machine.
    pub base_url: Option<String>,
    /// Name of the solver; the provider's unless set.
    pub name: Option<String>,
    /// When to ask for the result; the provider's documented pace unless set.
    pub pace: Option<Pace>,
    /// How long one call of `solve` may take; 120 s unless set.
    pub job_timeout: Option<Duration>,
    /// How long one request may take, upload included; 30 s unless set.
    pub request_timeout: Option<Duration>,
    /// How long connecting may take; 10 s unless set.
    pub connect_timeout: Option<Duration>,
    /// URL of an HTTP proxy, possibly with a password in it; the environment's unless set.
    pub proxy: Option<Secret>,
    /// An HTTP client of the caller's own.
    pub client: Option<Client>,
    /// Sends instead of HTTP; base URL, proxy, client and connect timeout are then not used.
    pub transport: Option<Box<dyn Transport>>,
    /// The most that one answer costs.
    pub price: Option<Usd>,
}

impl HttpSettings {
    /// A solver that speaks `api` with these settings; `own_base_url` is where the provider's own API
    /// is. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn solver<A: JobApi>(
        mut self,
        api: A,
        own_base_url: &str,
    ) -> Result<HttpSolver<A>, ConfigError> {
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => Box::new(self.http(own_base_url)?),
        };
        let mut solver = HttpSolver::builder(api, transport);
        if let Some(name) = self.name {
            solver = solver.name(name);
        }
        if let Some(pace) = self.pace {
            solver = solver.pace(pace);
        }
        if let Some(limit) = self.job_timeout {
            solver = solver.job_timeout(limit);
        }
        if let Some(limit) = self.request_timeout {
            solver = solver.request_timeout(limit);
        }
        if let Some(price) = self.price {
            solver = solver.price(price);
        }
        solver.build()
    }

    fn http(&mut self, own_base_url: &str) -> Result<ReqwestTransport, ConfigError> {
        let base_url = self.base_url.as_deref().unwrap_or(own_base_url);
        let mut http = ReqwestTransport::builder(base_url);
        if let Some(limit) = self.connect_timeout {
            http = http.connect_timeout(limit);
        }
        if let Some(proxy) = &self.proxy {
            let proxy = Context::of_process().secret("proxy", proxy)?;
            http = http.proxy(proxy.expose_secret());
        }
        if let Some(client) = self.client.take() {
            http = http.client(client);
        }
        http.build()
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("base_url", &self.base_url)
            .field("name", &self.name)
            .field("pace", &self.pace)
            .field("job_timeout", &self.job_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("proxy", &self.proxy)
            // A client's own Debug shows its default headers, which may be secret.
            .field("client", &self.client.is_some())
            .field("transport", &self.transport)
            .field("price", &self.price)
            .finish()
    }
}
