//! One account with a provider, ready to be asked: its protocol, and what carries it.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Billed, ConfigError, ErrorKind, JobId, ScreenshotLimits, SolveError, Usd};
use secrecy::{ExposeSecret as _, SecretString};

use super::status::judge;
use super::trust::Trust;
use crate::record::CallRecorder;
use crate::redact::{is_echo, redact_error};
use crate::times::{FirstPoll, Times};
use crate::transport::Delivery;
use crate::{
    ApiRequest, ApiResponse, CallbackReceiver, Carrier, Created, HttpOptions, JobApi, JobState,
    NoCallbacks, ResponseError, Transport, TransportError, check_name,
};

/// A transport that keeps the limit ends this much earlier than one that does not is cut off: it
/// alone knows how far the request got.
const GRACE: Duration = Duration::from_millis(100);

/// One request may take this long, and longer if its body is large.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Asking more often than this is a busy loop against the provider.
const FASTEST_POLL: Duration = Duration::from_millis(1);

/// One job may take this long, from the create request to the answer.
const JOB_TIMEOUT: Duration = Duration::from_secs(120);

/// One account with a provider: its protocol, what carries it, and the checked settings.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) api: Arc<dyn JobApi>,
    /// What it was made of, beside what the protocol knows.
    secrets: Vec<SecretString>,
    transport: Box<dyn Transport>,
    pub(super) limits: ScreenshotLimits,
    pub(super) times: Times,
    pub(super) first_poll: FirstPoll,
    /// What the provider is asked to call, and whether it does.
    pub(super) callbacks: Result<CallbackReceiver, NoCallbacks>,
    pub(super) trust: Trust,
    pub(super) price: Option<Usd>,
    /// Where calls are recorded, and what goes over the wire.
    pub(super) calls: Option<CallRecorder>,
}

/// Why a request brought nothing.
pub(super) struct Failure {
    pub(super) error: SolveError,
    /// Whether the provider says so in words that its documentation explains. Otherwise there was no
    /// response, none of the provider's, or one that may mean anything.
    pub(super) is_refusal: bool,
}

impl Account {
    /// Checks the settings.
    pub(super) fn new(
        api: Arc<dyn JobApi>,
        mut secrets: Vec<SecretString>,
        mut options: HttpOptions,
        carrier: Carrier,
    ) -> Result<Self, ConfigError> {
        let own = || api.name().to_owned();
        let name = options.name.clone().unwrap_or_else(own);
        check_name(&name)?;
        let times = times(&*api, &options)?;
        if options.price.is_some_and(Usd::is_negative) {
            let problem = "must not be less than nothing";
            return Err(ConfigError::new("price", problem));
        }
        let known = |secret: &SecretString| {
            let mut own = api.secrets().into_iter();
            own.any(|own| own.expose_secret() == secret.expose_secret())
        };
        secrets.retain(|secret| !known(secret)); // looking for one takes its time
        let own = || api.base_url().to_owned();
        let base_url = options.base_url.get_or_insert_with(own).clone();
        let transport = carrier.transport(&options)?;
        let callbacks = if api.has_jobs() && api.takes_callbacks() {
            options.callback_target()
        } else {
            Err(NoCallbacks::NotInProtocol)
        };
        let calls = options.recorder.as_ref().map(|recorder| {
            let secrets = api.secrets().into_iter().chain(&secrets);
            let receiver = options.callback_receiver.as_ref();
            let called = receiver.map(CallbackReceiver::public_url);
            CallRecorder::new(recorder, &name, secrets, called, &base_url, times)
        });
        let transport = match &calls {
            Some(calls) => calls.transport(transport),
            None => transport,
        };
        let first_poll = match options.poll {
            Some(_) => FirstPoll::fixed(times.poll),
            None => FirstPoll::learning_from(times.poll),
        };
        Ok(Self {
            transport,
            calls,
            name,
            secrets,
            limits: api.limits(),
            times,
            first_poll,
            callbacks,
            trust: Trust::new(times.poll.every, options.poll.is_none()),
            price: options.price,
            api,
        })
    }

    /// What no error may show.
    pub(super) fn secrets(&self) -> Vec<&SecretString> {
        let mut secrets = self.api.secrets();
        secrets.extend(&self.secrets);
        secrets
    }

    /// Sends the request that buys.
    pub(super) async fn create(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<Created, Failure> {
        let parse = |response: &ApiResponse| {
            let created = self.api.parse_created(response)?;
            match created.job() {
                // Errors and logs would show it.
                Some(job) if is_echo(job, &self.secrets()) => Err(ResponseError::Unparseable(
                    "the token in place of a job's id".into(),
                )),
                _ => Ok(created),
            }
        };
        self.exchange(request.purchase(), limit, parse).await
    }

    /// Asks for the state of a job.
    pub(super) async fn poll(&self, job: &JobId, limit: Duration) -> Result<JobState, Failure> {
        let parse = |response: &ApiResponse| self.api.parse_poll(response);
        self.exchange(self.api.poll(job), limit, parse).await
    }

    /// Sends `request` once, gives up after `limit`, and reads the response with `parse`.
    pub(super) async fn exchange<T>(
        &self,
        request: ApiRequest,
        limit: Duration,
        parse: impl FnOnce(&ApiResponse) -> Result<T, ResponseError>,
    ) -> Result<T, Failure> {
        let label = request.label().to_owned();
        let response = self.send(request, limit).await?;
        parse(&response).map_err(|error| Failure {
            is_refusal: matches!(error, ResponseError::Rejected(_)),
            error: judge(&label, &response, error, &self.secrets()),
        })
    }

    async fn send(&self, request: ApiRequest, limit: Duration) -> Result<ApiResponse, Failure> {
        let label = request.label().to_owned();
        if let Some(problem) = request.problem() {
            return Err(Failure {
                error: unsendable(&label, problem),
                is_refusal: true,
            });
        }
        // The transport keeps the limit and knows best how far it got; this one is for those that
        // do not keep it.
        let sending = self.transport.as_ref().send(request, limit);
        let outcome = match tokio::time::timeout(limit.saturating_add(GRACE), sending).await {
            Ok(outcome) => outcome,
            Err(_) => Err(TransportError::lost(format!("no answer within {limit:?}"))),
        };
        outcome.map_err(|error| Failure {
            error: unanswered(&label, error),
            is_refusal: false,
        })
    }

    /// The error as callers get it: of this solver, without its secrets, after `elapsed`.
    pub(super) fn finish_error(&self, error: SolveError, elapsed: Duration) -> SolveError {
        let error = redact_error(error, &self.secrets())
            .with_solver(&self.name)
            .with_default_elapsed(elapsed);
        match self.price {
            Some(price) => error.with_price(price),
            None => error,
        }
    }
}

/// As `options` say, or else `api` and this library.
fn times(api: &dyn JobApi, options: &HttpOptions) -> Result<Times, ConfigError> {
    let poll = options.poll.unwrap_or_else(|| api.poll_interval());
    let job_timeout = options.job_timeout.unwrap_or(JOB_TIMEOUT);
    // Where there is nothing but one request, it is the whole job.
    let request_timeout = match options.request_timeout {
        Some(own) => own,
        None if api.has_jobs() => REQUEST_TIMEOUT,
        None => job_timeout,
    };
    let refuse = |setting, problem: &str| Err(ConfigError::new(setting, problem));
    if poll.every < FASTEST_POLL {
        return refuse("poll.every", &format!("must be at least {FASTEST_POLL:?}"));
    }
    if request_timeout.is_zero() {
        return refuse("request_timeout", "must be more than zero");
    }
    if job_timeout <= poll.first {
        let first = poll.first;
        let problem = format!("must be more than {first:?}, the wait before the first poll");
        return refuse("job_timeout", &problem);
    }
    Ok(Times {
        poll,
        request_timeout,
        job_timeout,
    })
}

/// The error of a request that cannot be sent. No other request of its kind can be.
fn unsendable(label: &str, problem: &str) -> SolveError {
    let message = format!("{label}: {problem}; nothing was sent");
    SolveError::new(ErrorKind::Unsupported, message)
}

/// The error of the request called `label` that got no response.
fn unanswered(label: &str, error: TransportError) -> SolveError {
    let (kind, billed) = match error.delivery {
        Delivery::NotSent => (ErrorKind::Unavailable, Billed::No),
        Delivery::Refused => (ErrorKind::Unauthorized, Billed::No),
        Delivery::Lost => (ErrorKind::Unavailable, Billed::Maybe),
        Delivery::BadResponse => (ErrorKind::Protocol, Billed::Maybe),
    };
    let unanswered = SolveError::new(kind, format!("{label}: {error}")).with_billed(billed);
    match error.source {
        Some(source) => unanswered.with_source(source),
        None => unanswered,
    }
}
