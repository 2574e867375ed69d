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

#[cfg(test)]
mod tests {
    use drag_solver_core::{DragChallenge, DragSolver as _, JobId, SolveError};

    use super::*;
    use crate::{AnswerError, ApiRequest, ApiResponse, Created, JobState};

    #[derive(Debug)]
    struct Api;

    impl JobApi for Api {
        fn name(&self) -> &'static str {
            "example"
        }

        fn create(&self, _: &DragChallenge) -> Result<ApiRequest, SolveError> {
            Ok(ApiRequest::json("create", &serde_json::Value::Null))
        }

        fn created(&self, _: &ApiResponse) -> Result<Created, AnswerError> {
            Ok(Created::Pending(JobId::from(7)))
        }

        fn poll(&self, _: &JobId) -> ApiRequest {
            ApiRequest::json("poll", &serde_json::Value::Null)
        }

        fn polled(&self, _: &ApiResponse) -> Result<JobState, AnswerError> {
            Ok(JobState::Running)
        }

        fn pace(&self) -> Pace {
            Pace::new(Duration::from_secs(2), Duration::from_secs(2))
        }
    }

    fn refused(settings: HttpSettings) -> String {
        let error = settings.solver(Api, "https://api.example.com").unwrap_err();
        error.setting().to_owned()
    }

    #[test]
    fn every_setting_reaches_the_solver() {
        let seconds = Duration::from_secs;
        let settings = HttpSettings {
            base_url: Some("https://other.example.com/v9".into()),
            name: Some("backup".into()),
            pace: Some(Pace::new(seconds(3), seconds(4))),
            job_timeout: Some(seconds(55)),
            request_timeout: Some(seconds(6)),
            price: Some(Usd::from_micros(900)),
            ..HttpSettings::default()
        };
        let solver = settings.solver(Api, "https://api.example.com").unwrap();
        assert_eq!(solver.name(), "backup");
        assert_eq!(solver.worst_case().to_string(), "1 attempt, 55s, $0.0009");
        let shown = format!("{solver:?}");
        for setting in [
            "https://other.example.com/v9",
            "first: 3s, every: 4s",
            "request_timeout: 6s",
        ] {
            assert!(shown.contains(setting), "{setting}: {shown}");
        }
        let own = HttpSettings::default().solver(Api, "https://api.example.com");
        assert!(format!("{own:?}").contains("https://api.example.com"));
    }

    #[test]
    fn what_only_the_transport_knows_reaches_it() {
        let settings = HttpSettings {
            connect_timeout: Some(Duration::ZERO),
            ..HttpSettings::default()
        };
        assert_eq!(refused(settings), "connect_timeout");
        let settings = HttpSettings {
            proxy: Some("no URL".into()),
            ..HttpSettings::default()
        };
        assert_eq!(refused(settings), "proxy");
        // A client of one's own goes there: it has its proxy already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = HttpSettings {
            client: Some(Client::new()),
            proxy: Some("http://proxy.example.com:3128".into()),
            ..HttpSettings::default()
        };
        assert_eq!(refused(settings), "proxy");
    }
}
