//! One call of `solve`.

use std::time::Duration;

use drag_solver_core::{
    Charge, Drag, DragChallenge, DragSolver as _, ErrorKind, JobId, Progress, Solution, SolveError,
};
use tokio::time::Instant;

use super::{HttpSolver, status, unanswered};
use crate::{Answer, AnswerError, Created, JobApi, JobState, TransportError};

/// A poll is a few bytes each way. One that hangs is better asked again than waited for as long as an
/// upload may take.
const POLL_LIMIT: Duration = Duration::from_secs(10);

/// One call of `solve`: what it works on, and when it has to be done.
pub(super) struct Attempt<'a, A> {
    solver: &'a HttpSolver<A>,
    challenge: &'a DragChallenge,
    started: Instant,
    due: Option<Instant>,
}

/// What the last poll brought, for the error that says that time is up.
enum LastPoll {
    None,
    Running,
    Unknown(String),
    Failed(SolveError),
}

impl<'a, A: JobApi> Attempt<'a, A> {
    pub(super) fn new(solver: &'a HttpSolver<A>, challenge: &'a DragChallenge) -> Self {
        let started = Instant::now();
        // A timeout beyond the clock's end is none.
        let own = started.checked_add(solver.shared.job_timeout);
        let due = match (own, challenge.deadline()) {
            (Some(own), Some(deadline)) => Some(own.min(deadline)),
            (own, deadline) => own.or(deadline),
        };
        Self {
            solver,
            challenge,
            started,
            due,
        }
    }

    pub(super) async fn run(&self) -> Result<Solution, SolveError> {
        let provider = self.solver.name();
        self.challenge.notify(&Progress::Started { provider });
        let (job, first, created) = if let Some(job) = self.challenge.paid_job(provider) {
            self.challenge.notify(&Progress::Resumed { provider, job });
            tracing::debug!(provider, %job, "resuming a paid job");
            (job.clone(), Some(Instant::now()), None)
        } else {
            // Boxed, like the polls: what buying needs is given back before the wait begins, so that
            // thousands can wait.
            match Box::pin(self.buy()).await? {
                Created::Solved { job, answer } => return self.finish(job, answer),
                Created::Pending(job) => {
                    let created = Instant::now();
                    (job, self.first_poll(created), Some(created))
                }
            }
        };
        let answer = self.wait(&job, first, created).await?;
        self.finish(Some(job), answer)
    }

    /// Sends the create request.
    async fn buy(&self) -> Result<Created, SolveError> {
        let provider = self.solver.name();
        let api = self.solver.api();
        let first = self.solver.shared.pace.first;
        self.check_limits()?;
        // The job's own timeout is longer than that, so it is the deadline that is too near.
        if let Some(left) = self.left()
            && left <= first
        {
            return Err(SolveError::new(
                ErrorKind::DeadlineExceeded,
                format!(
                    "{left:.1?} are left, and the provider is first asked for its answer after \
                     {first:.1?}: nothing was bought"
                ),
            ));
        }
        let request = api.create(self.challenge)?;
        let path = request.path().to_owned();
        tracing::debug!(provider, path, bytes = request.body().len(), "buying");
        self.challenge.notify(&Progress::Buying { provider });
        let answer = match self.solver.exchange(request, self.request_limit()).await {
            Ok(answer) => answer,
            Err(error) => {
                if matches!(error, TransportError::NotSent { .. }) {
                    self.challenge.notify(&Progress::NotBought { provider });
                }
                let error = self.in_time(unanswered(&path, error));
                tracing::debug!(provider, charge = ?error.charge(), "no answer to the purchase");
                return Err(error);
            }
        };
        let created = api.created(&answer).map_err(|error| {
            let error = status::judge(&path, &answer, error);
            tracing::debug!(provider, status = answer.status(), kind = %error.kind(), charge = ?error.charge(), "purchase refused");
            error
        })?;
        if let Created::Pending(job) | Created::Solved { job: Some(job), .. } = &created {
            self.challenge.notify(&Progress::Bought { provider, job });
            tracing::debug!(provider, %job, "bought");
        }
        Ok(created)
    }

    /// When to ask first for a job that was created now: later than documented if earlier jobs say
    /// that it cannot be done before, unless that is too late for this one.
    fn first_poll(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.solver.shared.first_poll.wait())
            .filter(|&at| self.due.is_none_or(|due| at < due))
            .or_else(|| now.checked_add(self.solver.shared.pace.first))
    }

    /// Asks for the result of `job` until it is there, first at `next`. `created` is when the job
    /// was, if it is known.
    async fn wait(
        &self,
        job: &JobId,
        mut next: Option<Instant>,
        created: Option<Instant>,
    ) -> Result<Answer, SolveError> {
        let provider = self.solver.name();
        let every = self.solver.shared.pace.every;
        let mut last = LastPoll::None;
        let mut was_running = Duration::ZERO;
        loop {
            let Some(at) = next.filter(|&at| self.due.is_none_or(|due| at < due)) else {
                return Err(self.out_of_time(job, next, last));
            };
            tokio::time::sleep_until(at).await;
            let asked = Instant::now();
            let request = self.solver.api().poll(job);
            let path = request.path().to_owned();
            let limit = self.request_limit().min(POLL_LIMIT);
            let mut wait = every;
            last = match Box::pin(self.solver.exchange(request, limit)).await {
                Err(error) => LastPoll::Failed(unanswered(&path, error)),
                Ok(answer) => match self.solver.api().polled(&answer) {
                    Ok(JobState::Running) => LastPoll::Running,
                    Ok(JobState::Unknown(status)) => LastPoll::Unknown(status),
                    Ok(JobState::Solved(answer)) => {
                        self.learn(created, was_running);
                        return Ok(answer);
                    }
                    Ok(JobState::Failed(error)) => {
                        self.learn(created, was_running);
                        self.challenge.notify(&Progress::Settled { provider, job });
                        tracing::debug!(provider, kind = %error.kind(), "the job failed");
                        return Err(error);
                    }
                    Err(error) => {
                        let is_refusal = !matches!(error, AnswerError::Unreadable(_));
                        let error = status::judge(&path, &answer, error);
                        if is_refusal && !may_pass(error.kind()) {
                            tracing::debug!(provider, kind = %error.kind(), "poll refused");
                            return Err(error.with_charge(Charge::Unknown).with_job(job.clone()));
                        }
                        wait = wait.max(error.retry_after().unwrap_or_default());
                        LastPoll::Failed(error)
                    }
                },
            };
            if let LastPoll::Failed(error) = &last {
                tracing::debug!(provider, kind = %error.kind(), ?wait, "poll failed, asking again");
            }
            if let (LastPoll::Running | LastPoll::Unknown(_), Some(created)) = (&last, created) {
                was_running = asked.saturating_duration_since(created);
            }
            next = later(wait);
        }
    }

    /// A job has ended. Of one that was created by an earlier call nobody knows how long it took.
    fn learn(&self, created: Option<Instant>, was_running: Duration) {
        if created.is_some() {
            self.solver.shared.first_poll.learn(was_running);
        }
    }

    /// Checks the answer and wraps it up.
    fn finish(&self, job: Option<JobId>, answer: Answer) -> Result<Solution, SolveError> {
        let provider = self.solver.name();
        if let Some(job) = &job {
            self.challenge.notify(&Progress::Settled { provider, job });
        }
        let shot = self.challenge.screenshot();
        let (width, height) = (shot.width(), shot.height());
        let mut drag = answer.drag;
        if let Err(error) = drag.check(width, height, 0.0) {
            tracing::debug!(provider, "the answer is no drag on the screenshot");
            return Err(SolveError::new(
                ErrorKind::InvalidAnswer,
                match &job {
                    Some(job) => format!("job {job}: {error}"),
                    None => error.to_string(),
                },
            )
            .with_charge(Charge::Yes));
        }
        if drag
            .alternative_end
            .is_some_and(|end| !end.is_on(width, height))
        {
            tracing::warn!(
                provider,
                "dropped an alternative end that is off the screenshot"
            );
            drag = Drag::new(drag.start, drag.end);
        }
        let mut solution = Solution::new(drag, provider).with_elapsed(self.started.elapsed());
        if let Some(job) = job {
            solution = solution.with_job(job);
        }
        match answer.cost {
            // It would be money for a budget to spend.
            Some(cost) if cost.is_negative() => {
                tracing::warn!(provider, %cost, "dropped a cost that is less than nothing");
            }
            Some(cost) => solution = solution.with_cost(cost),
            None => {}
        }
        tracing::debug!(provider, elapsed = ?solution.elapsed(), "solved");
        Ok(solution)
    }

    fn check_limits(&self) -> Result<(), SolveError> {
        let limits = self.solver.api().limits();
        limits.check(self.challenge.screenshot()).map_err(|error| {
            SolveError::new(
                ErrorKind::Unsupported,
                format!(
                    "{error}: crop, scale or re-encode it first (`.fit(..)` does); nothing was sent"
                ),
            )
        })
    }

    fn left(&self) -> Option<Duration> {
        self.due
            .map(|due| due.saturating_duration_since(Instant::now()))
    }

    fn request_limit(&self) -> Duration {
        let own = self.solver.shared.request_timeout;
        self.left().map_or(own, |left| own.min(left))
    }

    /// Whose time is up when it is: the challenge's, or this solver's for one job.
    fn overdue(&self) -> ErrorKind {
        if self.challenge.deadline() == self.due {
            ErrorKind::DeadlineExceeded
        } else {
            ErrorKind::Timeout
        }
    }

    /// The error of an unanswered create request, which says so if time was up.
    fn in_time(&self, error: SolveError) -> SolveError {
        if self.left() == Some(Duration::ZERO) {
            error.with_kind(self.overdue())
        } else {
            error
        }
    }

    /// The error of a job that is not done when there is no time for another poll. `next` is when
    /// that poll would have been due.
    fn out_of_time(&self, job: &JobId, next: Option<Instant>, last: LastPoll) -> SolveError {
        let kind = self.overdue();
        let whose = match kind {
            ErrorKind::DeadlineExceeded => "the challenge's deadline leaves no time to wait".into(),
            _ => format!("not done within {:?}", self.solver.shared.job_timeout),
        };
        let (detail, cause) = match last {
            LastPoll::None | LastPoll::Running => (String::new(), None),
            LastPoll::Unknown(status) => (
                format!("; its last status `{status}` is not a documented one"),
                None,
            ),
            LastPoll::Failed(error) => (
                format!("; the last poll failed ({})", error.kind()),
                Some(error),
            ),
        };
        tracing::debug!(provider = self.solver.name(), %job, %kind, "left a paid job unfinished");
        let mut error = SolveError::new(kind, whose + &detail)
            .with_charge(Charge::Unknown)
            .with_job(job.clone());
        let pause = next.map(|at| at.saturating_duration_since(Instant::now()));
        if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
            error = error.with_retry_after(pause);
        }
        match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }
}

/// Whether a provider that refuses to be asked may answer the same question later.
fn may_pass(refusal: ErrorKind) -> bool {
    matches!(refusal, ErrorKind::RateLimited | ErrorKind::Unavailable)
}

/// The instant `wait` from now, if the clock goes that far.
fn later(wait: Duration) -> Option<Instant> {
    Instant::now().checked_add(wait)
}
