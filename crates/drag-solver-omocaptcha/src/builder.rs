//! Settings, checked.

use std::fmt;
use std::time::Duration;

use drag_solver_core::{DragChallenge, JobId, ScreenshotLimits, SolveError, Usd, Verdict};
use drag_solver_http::reqwest::Client;
use drag_solver_http::{
    AnswerError, ApiRequest, ApiResponse, ConfigError, Context, Created, HttpSolver, JobApi,
    JobState, Pace, ReqwestTransport, Transport, check_token,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{ApiVersion, Omocaptcha, OmocaptchaConfig, OmocaptchaV1, OmocaptchaV2};

/// Longest job type accepted, in bytes. The longest known has 21.
const MAX_JOB_TYPE: usize = 100;

/// Makes an [`Omocaptcha`]. The token is the only setting that must be given.
#[derive(Default)]
pub struct OmocaptchaBuilder {
    config: OmocaptchaConfig,
    pace: Option<Pace>,
    job_timeout: Option<Duration>,
    request_timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    client: Option<Client>,
    transport: Option<Box<dyn Transport>>,
    price: Option<Usd>,
}

impl OmocaptchaBuilder {
    /// Token of the account.
    #[must_use]
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.config.token = Some(token.into().into());
        self
    }

    /// Protocol; v1 unless set.
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.config.api_version = Some(version);
        self
    }

    /// Where the API is; the provider's own unless set. https, or http to this machine.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.config.base_url = Some(url.into());
        self
    }

    /// Kind of job: a number with v1 (`24` unless set), a name with v2 (`TiktokSliderPhoneTask`
    /// unless set; `ZaloSliderPhoneTask` has the same shape).
    #[must_use]
    pub fn job_type(mut self, job_type: impl Into<String>) -> Self {
        self.config.job_type = Some(job_type.into());
        self
    }

    /// Name of the solver, so that two accounts fit into one chain; `omocaptcha` unless set.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = Some(name.into());
        self
    }

    /// When to ask for the result; first after 2 s or
    /// [later, as experience says](drag_solver_http::HttpSolver#time), then every 2 s unless set. The
    /// provider asks not to be asked more often.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// How long one call of `solve` may take; 120 s unless set.
    #[must_use]
    pub fn job_timeout(mut self, limit: Duration) -> Self {
        self.job_timeout = Some(limit);
        self
    }

    /// How long one request may take, upload included; 30 s unless set.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = Some(limit);
        self
    }

    /// How long connecting may take; 10 s unless set.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Goes through the HTTP proxy at this URL instead of the one the environment names.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<SecretString>) -> Self {
        self.config.proxy = Some(url.into().into());
        self
    }

    /// Uses a client of the caller's own. What then is the caller's affair is said at
    /// [`ReqwestTransportBuilder::client`](drag_solver_http::ReqwestTransportBuilder::client).
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Sends through `transport` instead of over HTTP. Base URL, proxy, client and connect timeout
    /// are then not used.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// The most that one answer costs, for calculating the worst case of a chain.
    /// [`Omocaptcha::services`] says what it is today.
    #[must_use]
    pub fn price(mut self, price: Usd) -> Self {
        self.price = Some(price);
        self
    }

    /// Checks the settings and makes the solver. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn build(mut self) -> Result<Omocaptcha, ConfigError> {
        let api = self.api()?;
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => Box::new(self.http()?),
        };
        let mut solver = HttpSolver::builder(api, transport);
        if let Some(name) = self.config.name {
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
        let solver = solver.build()?;
        Ok(Omocaptcha { solver })
    }

    fn version(&self) -> ApiVersion {
        self.config.api_version.unwrap_or_default()
    }

    fn api(&self) -> Result<Api, ConfigError> {
        let Some(token) = &self.config.token else {
            return Err(ConfigError::new(
                "token",
                "is not set: set it to the token of your omocaptcha account",
            ));
        };
        let token = Context::of_process().secret("token", token)?;
        let token = check_token("token", token.expose_secret())?;
        let version = self.version();
        let job_type = match &self.config.job_type {
            Some(job_type) => check_job_type(version, job_type.trim())?,
            None => version.job_type(),
        };
        Ok(match version {
            ApiVersion::V1 => Api::V1(OmocaptchaV1::new(token, job_type)),
            ApiVersion::V2 => Api::V2(OmocaptchaV2::new(token, job_type)),
        })
    }

    fn http(&mut self) -> Result<ReqwestTransport, ConfigError> {
        let own = self.version().base_url();
        let base_url = self.config.base_url.as_deref().unwrap_or(own);
        let mut http = ReqwestTransport::builder(base_url);
        if let Some(limit) = self.connect_timeout {
            http = http.connect_timeout(limit);
        }
        if let Some(proxy) = &self.config.proxy {
            let proxy = Context::of_process().secret("proxy", proxy)?;
            http = http.proxy(proxy.expose_secret());
        }
        if let Some(client) = self.client.take() {
            http = http.client(client);
        }
        http.build()
    }
}

impl From<OmocaptchaConfig> for OmocaptchaBuilder {
    fn from(config: OmocaptchaConfig) -> Self {
        Self {
            pace: config.poll,
            request_timeout: config.request_timeout,
            connect_timeout: config.connect_timeout,
            config,
            ..Self::default()
        }
    }
}

impl fmt::Debug for OmocaptchaBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OmocaptchaBuilder")
            .field("config", &self.config)
            .field("pace", &self.pace)
            .field("job_timeout", &self.job_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("client", &self.client.is_some())
            .field("transport", &self.transport)
            .field("price", &self.price)
            .finish()
    }
}

fn check_job_type(version: ApiVersion, job_type: &str) -> Result<&str, ConfigError> {
    let is_number = job_type.bytes().all(|b| b.is_ascii_digit());
    let is_word = job_type.bytes().all(|b| b.is_ascii_graphic());
    let own = version.job_type();
    let problem = if job_type.is_empty() || job_type.len() > MAX_JOB_TYPE || !is_word {
        format!("`{job_type}` is no job type: write one word, as in `{own}`")
    } else if is_number != (version == ApiVersion::V1) {
        format!(
            "`{job_type}` is not a job type of API {version}, where they look like `{own}`: is `api_version` right?"
        )
    } else {
        return Ok(job_type);
    };
    Err(ConfigError::new("job_type", problem))
}

/// The protocol that was chosen.
#[derive(Debug)]
pub(crate) enum Api {
    V1(OmocaptchaV1),
    V2(OmocaptchaV2),
}

impl Api {
    fn chosen(&self) -> &dyn JobApi {
        match self {
            Self::V1(api) => api,
            Self::V2(api) => api,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl JobApi for Api {
    fn name(&self) -> &str {
        self.chosen().name()
    }

    fn secret(&self) -> Option<&SecretString> {
        self.chosen().secret()
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        self.chosen().create(challenge)
    }

    fn created(&self, answer: &ApiResponse) -> Result<Created, AnswerError> {
        self.chosen().created(answer)
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        self.chosen().poll(job)
    }

    fn polled(&self, answer: &ApiResponse) -> Result<JobState, AnswerError> {
        self.chosen().polled(answer)
    }

    fn pace(&self) -> Pace {
        self.chosen().pace()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.chosen().limits()
    }

    fn feedback(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        self.chosen().feedback(job, verdict)
    }

    fn feedback_taken(&self, answer: &ApiResponse) -> Result<(), AnswerError> {
        self.chosen().feedback_taken(answer)
    }
}
