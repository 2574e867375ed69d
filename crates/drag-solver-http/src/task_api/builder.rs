//! Settings of a service, checked.

use std::time::Duration;

use drag_solver_core::Usd;
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};

use super::{TaskConfig, TaskJobs, TaskService, TaskSolver, config};
use crate::{ConfigError, Context, HttpSettings, Pace, Secret, Transport, check_token};

/// Makes a [`TaskSolver`]. The token is the only setting that must be given. `Debug` does not show it.
#[derive(Debug, Default)]
pub struct TaskSolverBuilder<S> {
    service: S,
    token: Option<Secret>,
    http: HttpSettings,
}

impl<S: TaskService> TaskSolverBuilder<S> {
    /// Key of the account.
    #[must_use]
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.token = Some(token.into().into());
        self
    }

    /// Where the API is; the provider's own unless set. https, or http to this machine.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.http.base_url = Some(url.into());
        self
    }

    /// Name of the solver, so that two accounts fit into one chain; the provider's unless set.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.http.name = Some(name.into());
        self
    }

    /// When to ask for the result; at the provider's documented pace, and first when
    /// [experience says](crate::HttpSolver#time), unless set. Asking faster may get an account or an
    /// address blocked.
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
    /// [`ReqwestTransportBuilder::client`](crate::ReqwestTransportBuilder::client).
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
    pub fn build(self) -> Result<TaskSolver<S>, ConfigError> {
        let Some(token) = &self.token else {
            return Err(ConfigError::new("token", config::is_not_set::<S>()));
        };
        let token = Context::of_process().secret("token", token)?;
        let token = check_token("token", token.expose_secret())?;
        let api = TaskJobs::new(token, self.service);
        let solver = self.http.solver(api, S::BASE_URL)?;
        Ok(TaskSolver::over(solver))
    }
}

impl<S: TaskService> From<TaskConfig> for TaskSolverBuilder<S> {
    fn from(config: TaskConfig) -> Self {
        Self {
            token: config.token,
            http: HttpSettings {
                base_url: config.base_url,
                name: config.name,
                proxy: config.proxy,
                pace: config.poll,
                request_timeout: config.request_timeout,
                connect_timeout: config.connect_timeout,
                ..HttpSettings::default()
            },
            ..Self::default()
        }
    }
}
