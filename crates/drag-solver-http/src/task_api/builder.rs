//! Settings of a service, checked.

use std::fmt;
use std::time::Duration;

use drag_solver_core::Usd;
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};

use super::{TaskConfig, TaskJobs, TaskService, TaskSolver, config};
use crate::{
    ConfigError, Context, HttpSolver, Pace, ReqwestTransport, ReqwestTransportBuilder, Transport,
    check_token,
};

/// Makes a [`TaskSolver`]. The token is the only setting that must be given.
pub struct TaskSolverBuilder<S> {
    service: S,
    config: TaskConfig,
    pace: Option<Pace>,
    job_timeout: Option<Duration>,
    request_timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    client: Option<Client>,
    transport: Option<Box<dyn Transport>>,
    price: Option<Usd>,
}

impl<S: TaskService> TaskSolverBuilder<S> {
    /// Key of the account.
    #[must_use]
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.config.token = Some(token.into().into());
        self
    }

    /// Where the API is; the provider's own unless set. https, or http to this machine.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.config.base_url = Some(url.into());
        self
    }

    /// Name of the solver, so that two accounts fit into one chain; the provider's unless set.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = Some(name.into());
        self
    }

    /// When to ask for the result; at the provider's documented pace, and first when
    /// [experience says](crate::HttpSolver#time), unless set. Asking faster may get an account or an
    /// address blocked.
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
    /// [`ReqwestTransportBuilder::client`].
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
    pub fn build(self) -> Result<TaskSolver<S>, ConfigError> {
        let context = Context::of_process();
        let Some(token) = &self.config.token else {
            return Err(ConfigError::new("token", config::is_not_set::<S>()));
        };
        let token = context.secret("token", token)?;
        let token = check_token("token", token.expose_secret())?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Box::new(http::<S>(
                &self.config,
                &context,
                self.connect_timeout,
                self.client,
            )?),
        };
        let mut solver = HttpSolver::builder(TaskJobs::new(token, self.service), transport);
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
        Ok(TaskSolver::over(solver.build()?))
    }
}

fn http<S: TaskService>(
    config: &TaskConfig,
    context: &Context,
    connect_timeout: Option<Duration>,
    client: Option<Client>,
) -> Result<ReqwestTransport, ConfigError> {
    let base_url = config.base_url.as_deref().unwrap_or(S::BASE_URL);
    let mut http: ReqwestTransportBuilder = ReqwestTransport::builder(base_url);
    if let Some(limit) = connect_timeout {
        http = http.connect_timeout(limit);
    }
    if let Some(proxy) = &config.proxy {
        http = http.proxy(context.secret("proxy", proxy)?.expose_secret());
    }
    if let Some(client) = client {
        http = http.client(client);
    }
    http.build()
}

impl<S: TaskService> Default for TaskSolverBuilder<S> {
    fn default() -> Self {
        Self {
            service: S::default(),
            config: TaskConfig::default(),
            pace: None,
            job_timeout: None,
            request_timeout: None,
            connect_timeout: None,
            client: None,
            transport: None,
            price: None,
        }
    }
}

impl<S: TaskService> From<TaskConfig> for TaskSolverBuilder<S> {
    fn from(config: TaskConfig) -> Self {
        Self {
            pace: config.poll,
            request_timeout: config.request_timeout,
            connect_timeout: config.connect_timeout,
            config,
            ..Self::default()
        }
    }
}

impl<S: TaskService> fmt::Debug for TaskSolverBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSolverBuilder")
            .field("service", &self.service)
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
