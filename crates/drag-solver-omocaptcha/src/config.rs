//! Settings as data: from a file, from the environment.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use drag_solver_core::human_duration;
use drag_solver_http::{ConfigError, Context, Pace, Secret, check_token};
use serde::{Deserialize, Serialize};

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

/// The settings of an [`Omocaptcha`](crate::Omocaptcha), as a configuration file has them. Unknown
/// members are refused. `Debug` shows neither token nor proxy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OmocaptchaConfig {
    /// Token of the account.
    pub token: Option<Secret>,
    /// Protocol; v1 unless set.
    pub api_version: Option<ApiVersion>,
    /// Where the API is; the provider's own unless set.
    pub base_url: Option<String>,
    /// Kind of job; [`ApiVersion::job_type`] unless set.
    pub job_type: Option<String>,
    /// Name of the solver; `omocaptcha` unless set.
    pub name: Option<String>,
    /// URL of an HTTP proxy, possibly with a password in it.
    pub proxy: Option<Secret>,
    /// When to ask for the result; first after 2 s, then every 2 s unless set.
    pub poll: Option<Pace>,
    /// How long one request may take, upload included; 30 s unless set.
    #[serde(with = "human_duration::option")]
    pub request_timeout: Option<Duration>,
    /// How long connecting may take; 10 s unless set.
    #[serde(with = "human_duration::option")]
    pub connect_timeout: Option<Duration>,
}

impl OmocaptchaConfig {
    /// Reads the settings that the [crate docs](crate) name from the environment.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// Reads the same settings from anything that has them under the same names. One that is empty
    /// counts as not set.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let read = |name: &str| match lookup(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(ConfigError::new(name, "is not text in UTF-8")),
            },
        };
        let config = Self::default().or_variables(read)?;
        if config.token.is_none() {
            return Err(ConfigError::new(
                variables::API_TOKEN,
                "is not set: set it to the token of your omocaptcha account",
            ));
        }
        Ok(config)
    }

    /// Takes what is not set from the variables.
    pub(crate) fn or_variables(
        mut self,
        read: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        if self.token.is_none()
            && let Some(token) = read(variables::API_TOKEN)?
        {
            self.token = Some(check_token(variables::API_TOKEN, &token)?.into());
        }
        if self.api_version.is_none()
            && let Some(version) = read(variables::API_VERSION)?
        {
            self.api_version = Some(version.parse().map_err(of_variable)?);
        }
        if self.base_url.is_none() {
            self.base_url = read(variables::BASE_URL)?;
        }
        if self.job_type.is_none() {
            self.job_type = read(variables::JOB_TYPE)?;
        }
        Ok(self)
    }

    /// Replaces the places of secrets by the secrets.
    pub(crate) fn with_secrets(mut self, context: &Context) -> Result<Self, ConfigError> {
        for (setting, secret) in [("token", &mut self.token), ("proxy", &mut self.proxy)] {
            if let Some(secret) = secret {
                *secret = context.secret(setting, secret)?.into();
            }
        }
        Ok(self)
    }
}

/// The error of a setting, told of the variable it came from.
pub(crate) fn of_variable(error: ConfigError) -> ConfigError {
    let variable = match error.setting() {
        "token" => variables::API_TOKEN,
        "api_version" => variables::API_VERSION,
        "base_url" => variables::BASE_URL,
        "job_type" => variables::JOB_TYPE,
        _ => return error,
    };
    error.of_setting(variable)
}
