//! Settings of a service as data: from a file, from the environment.

use std::ffi::OsString;
use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;

use super::TaskService;
use crate::{ConfigError, check_token};

/// The settings of a [`TaskSolver`](super::TaskSolver), as a configuration file has them. Unknown
/// members are refused. `Debug` shows neither token nor proxy.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TaskConfig {
    /// Key of the account.
    pub token: Option<SecretString>,
    /// Where the API is; the provider's own unless set.
    pub base_url: Option<String>,
    /// Name of the solver; the provider's unless set.
    pub name: Option<String>,
    /// URL of an HTTP proxy, possibly with a password in it.
    pub proxy: Option<SecretString>,
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
        let Some(token) = read(S::KEY_VARIABLE)? else {
            return Err(ConfigError::new(S::KEY_VARIABLE, is_not_set::<S>()));
        };
        Ok(Self {
            token: Some(check_token(S::KEY_VARIABLE, &token)?),
            base_url: read(S::BASE_URL_VARIABLE)?,
            ..Self::default()
        })
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

impl fmt::Debug for TaskConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written out, so that a new member is not shown by accident. A secret shows as [REDACTED].
        f.debug_struct("TaskConfig")
            .field("token", &self.token)
            .field("base_url", &self.base_url)
            .field("name", &self.name)
            .field("proxy", &self.proxy)
            .finish()
    }
}
