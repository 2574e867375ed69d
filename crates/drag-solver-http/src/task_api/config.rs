//! Settings of a service as data: from a file, from the environment.

use std::ffi::OsString;
use std::time::Duration;

use drag_solver_core::human_duration;
use serde::Deserialize;

use super::TaskService;
use crate::{ConfigError, Context, Pace, Secret, check_token};

/// The settings of a [`TaskSolver`](super::TaskSolver), as a configuration file has them. Unknown
/// members are refused. `Debug` shows neither token nor proxy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TaskConfig {
    /// Key of the account.
    pub token: Option<Secret>,
    /// Where the API is; the provider's own unless set.
    pub base_url: Option<String>,
    /// Name of the solver; the provider's unless set.
    pub name: Option<String>,
    /// URL of an HTTP proxy, possibly with a password in it.
    pub proxy: Option<Secret>,
    /// When to ask for the result; the provider's documented pace unless set.
    pub poll: Option<Pace>,
    /// How long one request may take, upload included; 30 s unless set.
    #[serde(with = "human_duration::option")]
    pub request_timeout: Option<Duration>,
    /// How long connecting may take; 10 s unless set.
    #[serde(with = "human_duration::option")]
    pub connect_timeout: Option<Duration>,
}

impl TaskConfig {
    /// Reads key and base URL of `S` from variables, as `lookup` returns them. One that is empty
    /// counts as not set.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_variables<S: TaskService>(
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let read = |name: &str| match lookup(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(ConfigError::new(name, "is not text in UTF-8")),
            },
        };
        let config = Self::default().or_variables::<S>(read)?;
        if config.token.is_none() {
            return Err(ConfigError::new(S::KEY_VARIABLE, is_not_set::<S>()));
        }
        Ok(config)
    }

    /// Takes what is not set from the variables of `S`.
    pub(super) fn or_variables<S: TaskService>(
        mut self,
        read: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        if self.token.is_none()
            && let Some(token) = read(S::KEY_VARIABLE)?
        {
            self.token = Some(check_token(S::KEY_VARIABLE, &token)?.into());
        }
        if self.base_url.is_none() {
            self.base_url = read(S::BASE_URL_VARIABLE)?;
        }
        Ok(self)
    }

    /// Replaces the places of secrets by the secrets.
    pub(super) fn with_secrets(mut self, context: &Context) -> Result<Self, ConfigError> {
        for (setting, secret) in [("token", &mut self.token), ("proxy", &mut self.proxy)] {
            if let Some(secret) = secret {
                *secret = context.secret(setting, secret)?.into();
            }
        }
        Ok(self)
    }
}

pub(super) fn is_not_set<S: TaskService>() -> String {
    format!(
        "is not set: set it to the API key of your {} account",
        S::NAME
    )
}

/// The error of a setting, told of the variable it came from.
pub(super) fn of_variable<S: TaskService>(error: ConfigError) -> ConfigError {
    let variable = match error.setting() {
        "token" => S::KEY_VARIABLE,
        "base_url" => S::BASE_URL_VARIABLE,
        _ => return error,
    };
    error.of_setting(variable)
}
