//! A provider's protocol, as a solver.

use std::sync::Arc;

use drag_solver_core::{
    Billed, ConfigError, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError,
    SolverFuture, Verdict, WorstCase, async_trait, forward_solver,
};
use secrecy::SecretString;
use tokio::time::Instant;

use super::account::Account;
use super::attempt::Attempt;
use crate::balance::no_balance;
use crate::record::CallRecorder;
use crate::{
    ApiRequest, ApiResponse, Balance, CallbackReceiver, Carrier, HttpOptions, JobApi, NoCallbacks,
    ResponseError, Transport,
};

/// A [`DragSolver`] over a provider's [`JobApi`]: buys one job a challenge, then asks until it is
/// done.
///
/// # Money
///
/// The create request is sent once. If it provably never reached the provider, the error says
/// [`Billed::No`] and [`ErrorKind::Unavailable`], and a retry around this solver may simply repeat
/// it. If it may have reached the provider, the error says [`Billed::Maybe`]. Nothing is bought
/// when the time left is not longer than the wait before the first poll
/// ([`PollInterval::first`](crate::PollInterval::first)): the answer could not be fetched.
///
/// Asking for the result costs nothing, so it continues through lost connections, 5xx, HTML pages and
/// garbage, at the provider's interval (or later, if it says `Retry-After`), until the job is done or
/// the time is up. The error then names the job, and a challenge that
/// [resumes](DragChallenge::resume_job) it makes the next call continue to ask instead of buying. Its
/// `retry_after` is the wait that the provider's interval still demands.
///
/// A challenge may bring several jobs of this solver. They are asked about in turn, one poll an
/// interval, and the first answer is taken; one that ends without an answer leaves the turn to the
/// others, and the error of the last one has the others as failed attempts. Nothing is bought by a
/// call that resumes. An error names every job that is not finished.
///
/// What an answer costs is what the provider says, or else the
/// [price](HttpOptions::price) that was set. The [profile](DragSolver::profile) has one answer at that price,
/// within the job's timeout.
///
/// # Time
///
/// The whole job has [`job_timeout`](HttpOptions::job_timeout), one request has
/// [`request_timeout`](HttpOptions::request_timeout), a poll no more than 10 s of it, and
/// neither outlasts the challenge's deadline. When the job's own time is up the error is
/// [`ErrorKind::Timeout`], when the deadline comes first [`ErrorKind::DeadlineExceeded`]. A wait that
/// would end too late is not begun.
///
/// The first poll comes after the provider's documented wait at the earliest. Once 16 jobs have come
/// to their end it is put off for as long as all but two of the last 16 were seen to be still
/// running, up to four times the documented wait, because a poll that cannot find an answer is of no
/// use. An interval that was [set](HttpOptions::poll) is kept to the letter instead.
///
/// # Callbacks
///
/// Where the program has a public address ([`HttpOptions::callbacks_to`]) and the protocol has callbacks, the
/// provider is asked to call when the job has ended. A call is a hint: it makes this solver poll at once, once
/// a job, and changes nothing about the polls of the schedule. So a forged one costs one poll.
///
/// Once 128 jobs in a row were called about in time, three polls of four are left out (but for those of one job
/// in eight, and the last before a deadline) until the first call that is missing; calls that wait then go back
/// to the schedule at once. So callbacks that are lost, late or forged are no worse than polling, neither in
/// the mean nor at the 99th percentile; a single answer whose call is lost while others come may be fetched up
/// to three intervals later. With an interval that was [set](HttpOptions::poll), no poll is left out.
///
/// # Cancellation
///
/// Dropping the future of [`solve`](DragSolver::solve) abandons request and job at once; nothing is
/// held that needs giving back. A job that was bought may still be billed: a
/// [tracked](DragChallenge::tracked) challenge knows its id.
///
/// Cloning is cheap and shares the connections.
#[derive(Debug)]
pub struct HttpSolver<A> {
    api: Arc<A>,
    account: Arc<Account>,
}

impl<A: JobApi> HttpSolver<A> {
    /// A solver that speaks `api`, over HTTP. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn new(api: A, options: HttpOptions) -> Result<Self, ConfigError> {
        Self::with_secrets(api, Vec::new(), options, Carrier::Http)
    }

    /// A solver that speaks `api` through `transport` instead of over HTTP. Base URL, proxy and connect
    /// timeout are then not used.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn with_transport(
        api: A,
        options: HttpOptions,
        transport: impl Transport + 'static,
    ) -> Result<Self, ConfigError> {
        let carrier = Carrier::Transport(Box::new(transport));
        Self::with_secrets(api, Vec::new(), options, carrier)
    }

    /// With secrets beside those that the protocol knows.
    pub(super) fn with_secrets(
        api: A,
        secrets: Vec<SecretString>,
        options: HttpOptions,
        carrier: Carrier,
    ) -> Result<Self, ConfigError> {
        let api = Arc::new(api);
        let account = Account::new(api.clone(), secrets, options, carrier)?;
        Ok(Self {
            api,
            account: Arc::new(account),
        })
    }

    /// The provider's protocol.
    #[must_use]
    pub fn api(&self) -> &A {
        &self.api
    }

    /// What the provider is asked to call when an answer is there.
    ///
    /// # Errors
    ///
    /// Why it is not asked to.
    pub fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        self.account.callbacks.as_ref().map_err(|&why| why)
    }

    /// Asks what is left in the account. Costs nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the provider has no way to ask it.
    pub async fn balance(&self) -> Result<Balance, SolveError> {
        self.account.balance().await
    }

    /// Sends one request outside of any job (a price list, say) and reads the response with
    /// `parse`. It is sent once, and has the request timeout.
    ///
    /// # Errors
    ///
    /// What `parse` says, or why there was no response to read.
    pub async fn request<T>(
        &self,
        request: ApiRequest,
        parse: impl FnOnce(&ApiResponse) -> Result<T, ResponseError> + Send,
    ) -> Result<T, SolveError> {
        self.account.request(request, parse).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl<A: JobApi> DragSolver for HttpSolver<A> {
    forward_solver!(account: name, solve, report, profile);
}

impl<A> Clone for HttpSolver<A> {
    fn clone(&self) -> Self {
        Self {
            api: Arc::clone(&self.api),
            account: Arc::clone(&self.account),
        }
    }
}

// What does not depend on the protocol's type, in futures that are boxed here: so it is compiled once, and
// not in the crate of every provider.
impl Account {
    /// Asks what is left in the account.
    pub(super) fn balance(&self) -> SolverFuture<'_, Balance> {
        Box::pin(async move {
            let Some(request) = self.api.balance() else {
                return Err(no_balance(&self.name));
            };
            let recorded = self.calls.as_ref().map(CallRecorder::balance);
            let parse = |response: &ApiResponse| self.api.parse_balance(response);
            let balance = self.request(request, parse).await;
            if let Some(recorded) = recorded {
                recorded.ended(balance.as_ref());
            }
            balance
        })
    }

    /// Sends one request outside of any job.
    pub(super) async fn request<T>(
        &self,
        request: ApiRequest,
        parse: impl FnOnce(&ApiResponse) -> Result<T, ResponseError>,
    ) -> Result<T, SolveError> {
        let started = Instant::now();
        let outcome = self
            .exchange(request, self.times.request_limit(0), parse)
            .await;
        outcome.map_err(|failure| {
            // No job is bought by such a request, however it ends.
            let error = failure.error.with_billed(Billed::No);
            self.finish_error(error, started.elapsed())
        })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Account {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        Attempt::new(self, challenge).run().await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let refuse =
            |why: String| Err(SolveError::new(ErrorKind::Unsupported, why).with_solver(&self.name));
        if solution.solver() != self.name {
            return refuse(format!(
                "the solution comes from {}, and only that solver can take a report of it",
                solution.solver()
            ));
        }
        let Some(job) = solution.job() else {
            return refuse("the solution has no job id to report on".into());
        };
        let Some(request) = self.api.report(job, verdict) else {
            return refuse(format!(
                "the provider takes no reports of {verdict} answers"
            ));
        };
        let recorded = self.calls.as_ref();
        let recorded = recorded.map(|calls| calls.report(job, verdict));
        let parse = |response: &ApiResponse| self.api.parse_report(response);
        let outcome = self.request(request, parse).await;
        if let Some(recorded) = recorded {
            recorded.ended(outcome.as_ref());
        }
        outcome?;
        tracing::debug!(solver = self.name, %verdict, "reported");
        Ok(())
    }

    fn profile(&self) -> Profile {
        let mut worst = WorstCase::one_purchase().with_time(self.times.job_timeout);
        worst.cost = self.price;
        Profile::new(worst).with_limits(self.limits)
    }
}
