//! The solver that every HTTP provider is.

mod attempt;
mod builder;
mod first_poll;
mod status;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    Charge, DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Usd,
    Verdict, WorstCase, async_trait,
};

use self::attempt::Attempt;
pub use self::builder::HttpSolverBuilder;
use self::first_poll::FirstPoll;
use crate::redact::blot;
use crate::{AnswerError, ApiRequest, ApiResponse, JobApi, Pace, Transport, TransportError};

/// A [`DragSolver`] over a provider's [`JobApi`]: buys one job a challenge, then asks until it is
/// done.
///
/// # Money
///
/// The create request is sent once. If it provably never reached the provider, the error says
/// [`Charge::No`] and [`ErrorKind::Unavailable`], and a retry around this solver may simply repeat
/// it. If it may have reached the provider, the error says [`Charge::Unknown`]. Nothing is bought
/// when the time left is not longer than the wait before the first poll
/// ([`Pace::first`]): the answer could not be fetched.
///
/// Asking for the result costs nothing, so it goes on through lost connections, 5xx, HTML pages and
/// garbage, at the provider's pace (or later, if it says `Retry-After`), until the job is done or
/// the time is up. The error then names the job, and a challenge that is
/// [`resuming`](DragChallenge::resuming) it makes the next call go on asking instead of buying. Its
/// `retry_after` is the wait that the provider's pace still demands.
///
/// # Time
///
/// The whole job has [`job_timeout`](HttpSolverBuilder::job_timeout), one request has
/// [`request_timeout`](HttpSolverBuilder::request_timeout), a poll no more than 10 s of it, and
/// neither outlasts the challenge's deadline. When the job's own time is up the error is [`ErrorKind::Timeout`], when the deadline
/// comes first [`ErrorKind::DeadlineExceeded`]. A wait that would end too late is not begun.
///
/// The first poll comes after the provider's documented wait at the earliest. Once 16 jobs have come
/// to their end it is put off for as long as all but two of the last 16 were seen to be still
/// running, up to four times the documented wait, because a poll that cannot find an answer is of no
/// use to anybody. A [pace](HttpSolverBuilder::pace) that was set is kept to the letter instead.
///
/// # Cancellation
///
/// Dropping the future of [`solve`](DragSolver::solve) abandons request and job at once; nothing is
/// held that needs giving back. A job that was bought may still be billed: a
/// [`ProgressListener`](drag_solver_core::ProgressListener) knows its id.
///
/// Cloning is cheap.
pub struct HttpSolver<A> {
    shared: Arc<Shared<A>>,
}

struct Shared<A> {
    api: A,
    transport: Box<dyn Transport>,
    name: String,
    pace: Pace,
    first_poll: FirstPoll,
    request_timeout: Duration,
    job_timeout: Duration,
    price: Option<Usd>,
}

impl<A: JobApi> HttpSolver<A> {
    /// A solver for the provider that speaks `api`, reached through `transport`.
    pub fn builder(api: A, transport: impl Transport + 'static) -> HttpSolverBuilder<A> {
        HttpSolverBuilder::new(api, Box::new(transport))
    }

    /// The provider's protocol.
    #[must_use]
    pub fn api(&self) -> &A {
        &self.shared.api
    }

    /// Sends one request outside of any job (a balance, a price list) and reads its answer with
    /// `read`. It is sent once, and has the request timeout.
    ///
    /// # Errors
    ///
    /// What `read` says, or why there was no answer to read.
    pub async fn ask<T>(
        &self,
        request: ApiRequest,
        read: impl FnOnce(&ApiResponse) -> Result<T, AnswerError> + Send,
    ) -> Result<T, SolveError> {
        let path = request.path().to_owned();
        let answer = self.exchange(request, self.shared.request_timeout).await;
        let outcome = match answer {
            Ok(answer) => read(&answer).map_err(|error| status::judge(&path, &answer, error)),
            Err(error) => Err(unanswered(&path, error)),
        };
        // Whatever was asked here, no job was bought by it.
        outcome.map_err(|error| error.with_charge(Charge::No).with_provider(self.name()))
    }

    /// Sends one request, gives up after `limit`, and blots the token out of the answer.
    async fn exchange(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<ApiResponse, TransportError> {
        // The transport keeps the limit and knows best how far it got; this one is for those that
        // do not keep it.
        let sending = self.shared.transport.send(request, limit);
        match tokio::time::timeout(limit, sending).await {
            Ok(outcome) => outcome.map(|answer| blot(answer, self.shared.api.secret())),
            Err(_) => Err(TransportError::lost(format!("no answer within {limit:?}"))),
        }
    }
}

/// The error of a request to `path` that got no answer.
fn unanswered(path: &str, error: TransportError) -> SolveError {
    let (kind, charge) = match error {
        TransportError::NotSent { .. } => (ErrorKind::Unavailable, Charge::No),
        TransportError::Lost { .. } => (ErrorKind::Unavailable, Charge::Unknown),
        TransportError::BadAnswer { .. } => (ErrorKind::Protocol, Charge::Unknown),
    };
    let message = format!("{path}: {error}");
    let unanswered = SolveError::new(kind, message).with_charge(charge);
    match error {
        TransportError::NotSent { source, .. } | TransportError::Lost { source, .. } => {
            match source {
                Some(source) => unanswered.with_source(source),
                None => unanswered,
            }
        }
        TransportError::BadAnswer { .. } => unanswered,
    }
}

#[async_trait]
impl<A: JobApi> DragSolver for HttpSolver<A> {
    fn name(&self) -> &str {
        &self.shared.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        Attempt::new(self, challenge)
            .run()
            .await
            .map_err(|error| error.with_provider(self.name()))
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let refuse = |why: String| {
            Err(SolveError::new(ErrorKind::Unsupported, why).with_provider(self.name()))
        };
        if solution.provider() != self.name() {
            return refuse(format!(
                "the solution comes from {}, and only that solver can take a report of it",
                solution.provider()
            ));
        }
        let Some(job) = solution.job() else {
            return refuse("the solution has no job id to report on".into());
        };
        let Some(request) = self.api().feedback(job, verdict) else {
            return refuse(
                format!("the provider takes no reports of {verdict:?} answers").to_lowercase(),
            );
        };
        self.ask(request, |answer| self.api().feedback_taken(answer))
            .await?;
        tracing::debug!(provider = self.name(), ?verdict, "reported");
        Ok(())
    }

    /// One answer, within the job's timeout, at the [price](HttpSolverBuilder::price) that was set.
    fn worst_case(&self) -> WorstCase {
        let case = WorstCase::one_attempt().with_time(self.shared.job_timeout);
        match self.shared.price {
            Some(price) => case.with_cost(price),
            None => case,
        }
    }

    fn limits(&self) -> ScreenshotLimits {
        self.shared.api.limits()
    }
}

impl<A> Clone for HttpSolver<A> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<A: JobApi> fmt::Debug for HttpSolver<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSolver")
            .field("name", &self.shared.name)
            .field("api", &self.shared.api)
            .field("transport", &self.shared.transport)
            .field("pace", &self.shared.pace)
            .field("request_timeout", &self.shared.request_timeout)
            .field("job_timeout", &self.shared.job_timeout)
            .field("price", &self.shared.price)
            .finish()
    }
}
