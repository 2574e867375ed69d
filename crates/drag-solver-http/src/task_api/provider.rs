//! The settings that a service is made of.

use drag_solver_core::ConfigError;
use secrecy::SecretString;

use super::api::TaskApi;
use super::service::TaskService;
use crate::{Context, Service};

/// The members of a [`TaskService`] are the settings that only it has.
impl<S: TaskService + Default> Service for TaskApi<S> {
    const NAME: &'static str = S::NAME;
    const ALIASES: &'static [&'static str] = S::ALIASES;
    const BASE_URL: &'static str = S::BASE_URL;
    const KEY_VARIABLE: &'static str = S::KEY_VARIABLE;
    const BASE_URL_VARIABLE: &'static str = S::BASE_URL_VARIABLE;
    type Config = S;

    fn from_config(key: SecretString, service: S, _: &Context) -> Result<Self, ConfigError> {
        service.check()?;
        Ok(Self::new(key, service))
    }
}
