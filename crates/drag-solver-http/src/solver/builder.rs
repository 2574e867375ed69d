//! Settings of an [`HttpSolver`].

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::Usd;

use super::first_poll::FirstPoll;
use super::{HttpSolver, Shared};
use crate::{ConfigError, JobApi, Pace, Transport, check_name};

/// One request may take this long, upload included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// One job may take this long, from the create request to the answer.
const JOB_TIMEOUT: Duration = Duration::from_secs(120);

/// Makes an [`HttpSolver`].
#[derive(Debug)]
pub struct HttpSolverBuilder<A> {
    api: A,
    transport: Box<dyn Transport>,
    name: Option<String>,
    pace: Option<Pace>,
    request_timeout: Duration,
    job_timeout: Duration,
    price: Option<Usd>,
}

impl<A: JobApi> HttpSolverBuilder<A> {
    pub(super) fn new(api: A, transport: Box<dyn Transport>) -> Self {
        Self {
            api,
            transport,
            name: None,
            pace: None,
            request_timeout: REQUEST_TIMEOUT,
            job_timeout: JOB_TIMEOUT,
            price: None,
        }
    }

    /// Another name than the provider's, so that two accounts with it fit into one chain:
    /// `"omocaptcha-backup"`. Paid jobs are known by this name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Another pace than the provider's documented one, kept to the letter: with it,
    /// [no first poll is put off](HttpSolver#time). Asking faster than documented may get an account
    /// or an address blocked.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// How long one request may take, upload included; 30 s unless set.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = limit;
        self
    }

    /// How long one call of `solve` may take, from the create request to the answer; 120 s unless
    /// set. A resumed job gets as long again.
    #[must_use]
    pub fn job_timeout(mut self, limit: Duration) -> Self {
        self.job_timeout = limit;
        self
    }

    /// The most that one answer costs. Only [`worst_case`](drag_solver_core::DragSolver::worst_case)
    /// uses it; what an answer did cost is for the provider to say.
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
    pub fn build(self) -> Result<HttpSolver<A>, ConfigError> {
        let name = self.name.unwrap_or_else(|| self.api.name().to_owned());
        check_name(&name)?;
        let (pace, first_poll) = match self.pace {
            Some(pace) => (pace, FirstPoll::fixed(pace)),
            None => (self.api.pace(), FirstPoll::learning_from(self.api.pace())),
        };
        if pace.every.is_zero() {
            let problem = "the wait between two polls must be more than zero";
            return Err(ConfigError::new("pace", problem));
        }
        if self.request_timeout.is_zero() {
            return Err(ConfigError::new(
                "request_timeout",
                "must be more than zero",
            ));
        }
        if self.price.is_some_and(Usd::is_negative) {
            return Err(ConfigError::new("price", "must not be less than nothing"));
        }
        if self.job_timeout <= pace.first {
            return Err(ConfigError::new(
                "job_timeout",
                format!(
                    "must be more than {:?}, the wait before the first poll: no job could be finished",
                    pace.first
                ),
            ));
        }
        Ok(HttpSolver {
            shared: Arc::new(Shared {
                api: self.api,
                transport: self.transport,
                name,
                pace,
                first_poll,
                request_timeout: self.request_timeout,
                job_timeout: self.job_timeout,
                price: self.price,
            }),
        })
    }
}
