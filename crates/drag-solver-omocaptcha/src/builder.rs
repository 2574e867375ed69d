//! Settings, checked.

use std::time::Duration;

use drag_solver_core::{DragChallenge, JobId, ScreenshotLimits, SolveError, Usd, Verdict};
use drag_solver_http::reqwest::Client;
use drag_solver_http::{
    AnswerError, ApiRequest, ApiResponse, ConfigError, Context, Created, HttpSettings, JobApi,
    JobState, Pace, Secret, Transport, check_token,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{ApiVersion, Omocaptcha, OmocaptchaConfig, OmocaptchaV1, OmocaptchaV2};

/// Longest job type accepted, in bytes. The longest known has 21.
const MAX_JOB_TYPE: usize = 100;

/// Makes an [`Omocaptcha`]. The token is the only setting that must be given. `Debug` does not show
/// it.
#[derive(Debug, Default)]
pub struct OmocaptchaBuilder {
    token: Option<Secret>,
    version: ApiVersion,
    job_type: Option<String>,
    http: HttpSettings,
}

impl OmocaptchaBuilder {
    /// Token of the account.
    #[must_use]
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.token = Some(token.into().into());
        self
    }

    /// Protocol; v1 unless set.
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Where the API is; the provider's own unless set. https, or http to this machine.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.http.base_url = Some(url.into());
        self
    }

    /// Kind of job: a number with v1 (`24` unless set), a name with v2 (`TiktokSliderPhoneTask`
    /// unless set; `ZaloSliderPhoneTask` has the same shape).
    #[must_use]
    pub fn job_type(mut self, job_type: impl Into<String>) -> Self {
        self.job_type = Some(job_type.into());
        self
    }

    /// Name of the solver, so that two accounts fit into one chain; `omocaptcha` unless set.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.http.name = Some(name.into());
        self
    }

    /// When to ask for the result; first after 2 s or
    /// [later, as experience says](drag_solver_http::HttpSolver#time), then every 2 s unless set. The
    /// provider asks not to be asked more often.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.http.pace = Some(pace);
        self
    }

    /// How long one call of `solve` may take; 120 s unless set.
    #[must_use]
    pub fn job_timeout(mut self, limit: Duration) -> Self {
        self.http.job_timeout = Some(limit);
        self
    }

    /// How long one request may take, upload included; 30 s unless set.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.http.request_timeout = Some(limit);
        self
    }

    /// How long connecting may take; 10 s unless set.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.http.connect_timeout = Some(limit);
        self
    }

    /// Goes through the HTTP proxy at this URL instead of the one the environment names.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<SecretString>) -> Self {
        self.http.proxy = Some(url.into().into());
        self
    }

    /// Uses a client of the caller's own. What then is the caller's affair is said at
    /// [`ReqwestTransportBuilder::client`](drag_solver_http::ReqwestTransportBuilder::client).
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.http.client = Some(client);
        self
    }

    /// Sends through `transport` instead of over HTTP. Base URL, proxy, client and connect timeout
    /// are then not used.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.http.transport = Some(Box::new(transport));
        self
    }

    /// The most that one answer costs, for calculating the worst case of a chain.
    /// [`Omocaptcha::services`] says what it is today.
    #[must_use]
    pub fn price(mut self, price: Usd) -> Self {
        self.http.price = Some(price);
        self
    }

    /// Checks the settings and makes the solver. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn build(self) -> Result<Omocaptcha, ConfigError> {
        let api = self.api()?;
        let solver = self.http.solver(api, self.version.base_url())?;
        Ok(Omocaptcha { solver })
    }

    fn api(&self) -> Result<Api, ConfigError> {
        let Some(token) = &self.token else {
            return Err(ConfigError::new(
                "token",
                "is not set: set it to the token of your omocaptcha account",
            ));
        };
        let token = Context::of_process().secret("token", token)?;
        let token = check_token("token", token.expose_secret())?;
        let job_type = match &self.job_type {
            Some(job_type) => check_job_type(self.version, job_type.trim())?,
            None => self.version.job_type(),
        };
        Ok(match self.version {
            ApiVersion::V1 => Api::V1(OmocaptchaV1::new(token, job_type)),
            ApiVersion::V2 => Api::V2(OmocaptchaV2::new(token, job_type)),
        })
    }
}

impl From<OmocaptchaConfig> for OmocaptchaBuilder {
    fn from(config: OmocaptchaConfig) -> Self {
        let mut http = HttpSettings::default();
        http.base_url = config.base_url;
        http.name = config.name;
        http.proxy = config.proxy;
        http.pace = config.poll;
        http.request_timeout = config.request_timeout;
        http.connect_timeout = config.connect_timeout;
        Self {
            token: config.token,
            version: config.api_version.unwrap_or_default(),
            job_type: config.job_type,
            http,
        }
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
