//! The settings that only this provider has.

use std::fmt;
use std::str::FromStr;

use drag_solver_core::ConfigError;
use drag_solver_http::Context;
use serde::{Deserialize, Serialize};

/// Longest job type accepted, in bytes. The longest known has 21.
const MAX_JOB_TYPE: usize = 100;

/// Names of the environment's variables.
pub mod variables {
    /// Token of the account.
    pub const API_TOKEN: &str = "OMOCAPTCHA_API_TOKEN";
    /// `v1` or `v2`.
    pub const API_VERSION: &str = "OMOCAPTCHA_API_VERSION";
    /// Where the API is.
    pub const BASE_URL: &str = "OMOCAPTCHA_BASE_URL";
    /// Kind of job.
    pub const JOB_TYPE: &str = "OMOCAPTCHA_JOB_TYPE";
}

/// Which of the provider's two protocols to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ApiVersion {
    /// `createJob`, at `https://omocaptcha.com/api`.
    #[default]
    V1,
    /// `createTask`, at `https://api.omocaptcha.com/v2`.
    V2,
}

impl ApiVersion {
    /// The provider's own base URL.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::V1 => "https://omocaptcha.com/api",
            Self::V2 => "https://api.omocaptcha.com/v2",
        }
    }

    /// The kind of job that asks for a drag on a phone's screen.
    #[must_use]
    pub const fn job_type(self) -> &'static str {
        match self {
            Self::V1 => "24",
            Self::V2 => "TiktokSliderPhoneTask",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

impl FromStr for ApiVersion {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim() {
            "v1" => Ok(Self::V1),
            "v2" => Ok(Self::V2),
            other => Err(ConfigError::new(
                "api_version",
                format!("`{other}` is not a version: write v1 or v2"),
            )),
        }
    }
}

/// The settings that only an [`Omocaptcha`](crate::Omocaptcha) has. What is `None` is the provider's
/// default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OmocaptchaConfig {
    /// Protocol; v1 unless set.
    pub api_version: Option<ApiVersion>,
    /// Kind of job; [`ApiVersion::job_type`] unless set.
    pub job_type: Option<String>,
}

impl OmocaptchaConfig {
    /// Takes what is not set from the environment's variables.
    pub(crate) fn resolve(mut self, context: &Context) -> Result<Self, ConfigError> {
        if self.api_version.is_none()
            && let Some(version) = context.variable(variables::API_VERSION)?
        {
            let version = version.parse::<ApiVersion>();
            self.api_version = Some(version.map_err(|e| e.in_variable(variables::API_VERSION))?);
        }
        if self.job_type.is_none()
            && let Some(job_type) = context.variable(variables::JOB_TYPE)?
        {
            self.job_type = Some(job_type);
            self.checked_job_type()
                .map_err(|e| e.in_variable(variables::JOB_TYPE))?;
        }
        Ok(self)
    }

    /// The kind of job, if the protocol has such.
    pub(crate) fn checked_job_type(&self) -> Result<&str, ConfigError> {
        let version = self.api_version.unwrap_or_default();
        let own = version.job_type();
        let job_type = self.job_type.as_deref().map_or(own, str::trim);
        let is_number = job_type.bytes().all(|b| b.is_ascii_digit());
        let is_word = job_type.bytes().all(|b| b.is_ascii_graphic());
        let problem = if !(1..=MAX_JOB_TYPE).contains(&job_type.len()) || !is_word {
            format!("`{job_type}` is no job type: write one word, as in `{own}`")
        } else if is_number != (version == ApiVersion::V1) {
            format!(
                "`{job_type}` is not a job type of API {version}, where they look like `{own}`: is \
                 `api_version` right?"
            )
        } else {
            return Ok(job_type);
        };
        Err(ConfigError::new("job_type", problem))
    }
}
