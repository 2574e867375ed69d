//! One call of `solve`.

use std::collections::{HashMap, VecDeque};
use std::iter::once;
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, ErrorKind, Event, JobId, PaidJob, Point, Solution, SolveError,
};
use tokio::time::Instant;

use super::account::{Account, Failure};
use crate::{Answer, Created, JobApi, JobState};

/// A poll is a few bytes each way. One that hangs is better asked again than waited for as long as an
/// upload may take.
const POLL_LIMIT: Duration = Duration::from_secs(10);

/// One call of `solve`: what it works on, and when it has to be done.
pub(super) struct Attempt<'a, A> {
    account: &'a Account<A>,
    solver: &'a str,
    challenge: &'a DragChallenge,
    started: Instant,
    limit: TimeLimit,
}

/// When an attempt has to be done: the nearer one of the challenge's deadline and the job's timeout.
struct TimeLimit {
    due: Option<Instant>,
    /// What it is when time is up.
    kind: ErrorKind,
}

/// A job of an earlier call is given up when its provider says this often in a row that there is no
/// such job. One that this call has bought is asked for as long as there is time: it is new, and not
/// every server of a provider may know it yet.
const MISSING_IS_GONE: u32 = 3;

/// What the last poll brought, for the error that says that time is up.
enum LastPoll {
    Running,
    Unknown(String),
    Failed(SolveError),
}

impl TimeLimit {
    fn nearest(job_timeout: Duration, challenge: &DragChallenge) -> Self {
        // A timeout beyond the clock's end is none.
        let own = Instant::now().checked_add(job_timeout);
        let deadline = challenge.deadline();
        if own.is_some_and(|own| deadline.is_none_or(|deadline| own < deadline)) {
            let kind = ErrorKind::Timeout;
            return Self { due: own, kind };
        }
        Self {
            due: deadline,
            kind: ErrorKind::DeadlineExceeded,
        }
    }

    /// Whether there is time for what begins at `at`.
    fn allows(&self, at: Instant) -> bool {
        self.due.is_none_or(|due| at < due)
    }

    fn left(&self) -> Option<Duration> {
        let now = Instant::now();
        self.due.map(|due| due.saturating_duration_since(now))
    }

    fn cap(&self, limit: Duration) -> Duration {
        self.left().map_or(limit, |left| left.min(limit))
    }
}

impl<'a, A: JobApi> Attempt<'a, A> {
    pub(super) fn new(account: &'a Account<A>, challenge: &'a DragChallenge) -> Self {
        Self {
            account,
            solver: &account.name,
            challenge,
            started: Instant::now(),
            limit: TimeLimit::nearest(account.job_timeout, challenge),
        }
    }

    pub(super) async fn run(&self) -> Result<Solution, SolveError> {
        let solver = self.solver;
        let outcome = self.buy_or_resume().await.map_err(|error| self.own(error));
        match &outcome {
            Ok(solution) => tracing::debug!(solver, elapsed = ?solution.elapsed(), "solved"),
            Err(error) => {
                tracing::debug!(solver, kind = %error.kind(), billed = %error.billed(), "failed");
            }
        }
        outcome
    }

    async fn buy_or_resume(&self) -> Result<Solution, SolveError> {
        let solver = self.solver;
        self.notify(Event::Started { solver }).await?;
        if self.challenge.is_expired() {
            let message = "the challenge's deadline has passed: nothing was sent";
            return Err(self.refuse(ErrorKind::DeadlineExceeded, message));
        }
        let mut paid: VecDeque<_> = self.challenge.paid_jobs_of(solver).cloned().collect();
        for job in &paid {
            tracing::debug!(solver, %job, "resuming a paid job");
            self.notify(Event::Resumed { solver, job }).await?;
        }
        if let Some(job) = paid.pop_front() {
            return self.wait(job, paid, Some(Instant::now()), None).await;
        }
        // Boxed, like the polls: what buying needs is given back before the wait begins, so that
        // thousands can wait.
        match Box::pin(self.buy()).await? {
            Created::Answer { job, answer } => {
                let end = self.check(job.as_ref(), answer);
                self.settle(job.as_ref(), end.as_ref()).await?;
                end
            }
            Created::Job(job) => {
                let created = Instant::now();
                let first = self.first_poll(created);
                self.wait(job, VecDeque::new(), first, Some(created)).await
            }
        }
    }

    /// Sends the create request.
    async fn buy(&self) -> Result<Created, SolveError> {
        let (api, solver) = (&self.account.api, self.solver);
        if let Err(error) = api.limits().check(self.challenge.screenshot()) {
            let advice = "crop, scale or re-encode it first (`.fit(..)` does); nothing was sent";
            return Err(self.refuse(ErrorKind::Unsupported, &format!("{error}: {advice}")));
        }
        self.leaves_time()?;
        let request = api.create(self.challenge)?;
        let (path, bytes) = (request.path(), request.body().len());
        tracing::debug!(solver, path, bytes, "buying");
        self.notify(Event::Buying { solver }).await?;
        // An observer that writes takes time too.
        if let Err(error) = self.leaves_time() {
            self.notify(Event::NotBought { solver }).await?;
            return Err(error);
        }
        let limit = self.limit.cap(self.account.limit(bytes));
        match self.account.create(request, limit).await {
            Ok(created) => {
                if let Some(job) = created.job() {
                    tracing::debug!(solver, %job, "bought");
                    self.notify(Event::Bought { solver, job }).await?;
                }
                Ok(created)
            }
            Err(Failure { error, is_refusal }) => {
                let is_late = !is_refusal && self.limit.left() == Some(Duration::ZERO);
                let error = if is_late {
                    error.with_kind(self.limit.kind)
                } else {
                    error
                };
                match error.billed() {
                    Billed::No => self.notify(Event::NotBought { solver }).await?,
                    Billed::Maybe | Billed::Yes => self.settle(None, Err(&error)).await?,
                }
                Err(error)
            }
        }
    }

    /// Refuses to buy an answer that there is no time left to fetch.
    fn leaves_time(&self) -> Result<(), SolveError> {
        let first = self.account.interval.first;
        // The job's own timeout is longer than that, so it is the deadline that is too near.
        let Some(left) = self.limit.left().filter(|&left| left <= first) else {
            return Ok(());
        };
        let message = format!(
            "{left:.1?} are left, and the provider is first asked for its answer after {first:.1?}: \
             nothing was bought"
        );
        Err(self.refuse(ErrorKind::DeadlineExceeded, &message))
    }

    /// When to ask first for a job that was created now: later than documented if earlier jobs say
    /// that it cannot be done before, unless that is too late for this one.
    fn first_poll(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.account.first_poll.wait())
            .filter(|&at| self.limit.allows(at))
            .or_else(|| now.checked_add(self.account.interval.first))
    }

    /// Asks for the result of `job`, and of `others` in turn, until one is there; first at `next`.
    /// `created` is when the job was, if this call bought it.
    async fn wait(
        &self,
        mut job: JobId,
        mut others: VecDeque<JobId>,
        mut next: Option<Instant>,
        created: Option<Instant>,
    ) -> Result<Solution, SolveError> {
        let solver = self.solver;
        let mut last = LastPoll::Running;
        let mut was_running = Duration::ZERO;
        let mut failed = Vec::new();
        // How often in a row each job was said not to be there.
        let mut missing: HashMap<JobId, u32> = HashMap::new();
        loop {
            let Some(at) = next.filter(|&at| self.limit.allows(at)) else {
                let error = self.out_of_time(next, last);
                let error = self.unfinished(error, once(job).chain(others));
                return Err(error.with_failed_attempts(failed));
            };
            tokio::time::sleep_until(at).await;
            let asked = Instant::now();
            let limit = self.limit.cap(self.account.limit(0).min(POLL_LIMIT));
            let mut wait = self.account.interval.every;
            let end = match Box::pin(self.account.poll(&job, limit)).await {
                Ok(JobState::Solved(answer)) => Some(self.check(Some(&job), answer)),
                Ok(JobState::Failed(error)) => Some(Err(error)),
                Ok(JobState::Running) => {
                    missing.remove(&job);
                    last = LastPoll::Running;
                    None
                }
                Ok(JobState::Unknown(status)) => {
                    last = LastPoll::Unknown(status);
                    None
                }
                Ok(JobState::Missing(error)) => {
                    let times = missing.entry(job.clone()).or_default();
                    *times += 1;
                    if created.is_none() && *times >= MISSING_IS_GONE {
                        Some(Err(error))
                    } else {
                        last = LastPoll::Failed(error);
                        None
                    }
                }
                Err(Failure { error, is_refusal }) if is_refusal && !may_pass(error.kind()) => {
                    let error = self.unfinished(error, once(job).chain(others));
                    return Err(error.with_failed_attempts(failed));
                }
                Err(Failure { error, .. }) => {
                    wait = wait.max(error.retry_after().unwrap_or_default());
                    tracing::debug!(solver, kind = %error.kind(), ?wait, "poll failed, asking again");
                    // One that was cut off because time was up says nothing about the provider.
                    let is_cut_off = self.limit.left() == Some(Duration::ZERO);
                    if !is_cut_off || matches!(last, LastPoll::Running) {
                        last = LastPoll::Failed(error);
                    }
                    None
                }
            };
            next = Instant::now().checked_add(wait);
            let Some(end) = end else {
                if !matches!(last, LastPoll::Failed(_)) {
                    was_running = asked - created.unwrap_or(asked);
                }
                if let Some(other) = others.pop_front() {
                    others.push_back(std::mem::replace(&mut job, other));
                }
                continue;
            };
            // How long a job of an earlier call took is not known.
            if created.is_some() {
                self.account.first_poll.learn(was_running);
            }
            self.settle(Some(&job), end.as_ref()).await?;
            match (end, others.pop_front()) {
                (Err(error), Some(other)) => {
                    failed.extend(self.own(error).attempts());
                    job = other;
                }
                (Err(error), None) => return Err(error.with_failed_attempts(failed)),
                (Ok(solution), None) => return Ok(solution.with_failed_attempts(failed)),
                (Ok(solution), Some(other)) => {
                    let late = SolveError::new(ErrorKind::Timeout, "another job was done first");
                    let late = self.unfinished(late, once(other).chain(others));
                    failed.extend(self.own(late).attempts());
                    return Ok(solution.with_failed_attempts(failed));
                }
            }
        }
    }

    /// The solution that the answer is, if it is a drag on the screenshot.
    fn check(&self, job: Option<&JobId>, answer: Answer) -> Result<Solution, SolveError> {
        let solver = self.solver;
        let mut cost = answer.cost;
        if let Some(cost) = cost.take_if(|cost| cost.is_negative()) {
            tracing::warn!(solver, %cost, "dropped a cost that is less than nothing");
        }
        let cost = cost.or(self.account.price);
        let shot = self.challenge.screenshot();
        let (width, height) = (shot.width(), shot.height());
        let drag = answer.drag.and_then(|drag| {
            let checked = drag.check(width, height, 0.0);
            checked.map_or_else(|error| Err(error.to_string()), |()| Ok(drag))
        });
        let is_off = |end: Point| !end.is_on(width, height);
        let drag = match drag {
            Ok(drag) if drag.alternative_end.is_some_and(is_off) => {
                tracing::warn!(solver, "dropped an alternative end off the screenshot");
                Drag::new(drag.start, drag.end)
            }
            Ok(drag) => drag,
            Err(wrong) => {
                let whose = job.map(|job| format!("job {job}: ")).unwrap_or_default();
                let error = SolveError::new(ErrorKind::InvalidAnswer, whose + &wrong);
                let error = error.with_billed(Billed::Yes);
                return Err(match cost {
                    Some(cost) => error.with_cost(cost),
                    None => error,
                });
            }
        };
        let mut solution = Solution::new(drag, solver).with_elapsed(self.started.elapsed());
        if let Some(job) = job {
            solution = solution.with_job(job.clone());
        }
        if let Some(cost) = cost {
            solution = solution.with_cost(cost);
        }
        Ok(solution)
    }

    /// Tells how a purchase ended.
    async fn settle(
        &self,
        job: Option<&JobId>,
        end: Result<&Solution, &SolveError>,
    ) -> Result<(), SolveError> {
        let (billed, cost) = match end {
            Ok(solution) => (Billed::Yes, solution.cost()),
            Err(error) => (error.billed(), error.spent().or(self.account.price)),
        };
        let solver = self.solver;
        self.notify(Event::Settled {
            solver,
            job,
            billed,
            cost,
        })
        .await
    }

    async fn notify(&self, event: Event<'_>) -> Result<(), SolveError> {
        self.challenge.notify(event).await
    }

    fn refuse(&self, kind: ErrorKind, message: &str) -> SolveError {
        self.challenge.refuse(self.solver, kind, message)
    }

    /// The error as callers get it.
    fn own(&self, error: SolveError) -> SolveError {
        self.account.finish_error(error, self.started.elapsed())
    }

    /// The error when there is no time for another poll, which would have been due at `next`.
    fn out_of_time(&self, next: Option<Instant>, last: LastPoll) -> SolveError {
        let kind = self.limit.kind;
        let whose = match kind {
            ErrorKind::DeadlineExceeded => "the challenge's deadline leaves no time to wait".into(),
            _ => format!("not done within {:?}", self.account.job_timeout),
        };
        let detail = match &last {
            LastPoll::Running => String::new(),
            LastPoll::Unknown(status) => {
                format!("; its last status `{status}` is not a documented one")
            }
            LastPoll::Failed(error) => format!("; the last poll failed ({})", error.kind()),
        };
        // Whole milliseconds, as errors go through JSON, and never too early.
        let pause = next.map(|at| at.saturating_duration_since(Instant::now()).as_nanos());
        let pause = pause.and_then(|nanos| u64::try_from(nanos.div_ceil(1_000_000)).ok());
        let pause = pause
            .filter(|&millis| millis > 0)
            .map(Duration::from_millis);
        let error = SolveError::new(kind, whose + &detail).with_retry_after(pause);
        match last {
            LastPoll::Failed(cause) => error.with_source(cause),
            _ => error,
        }
    }

    /// The error that leaves these jobs to be resumed.
    fn unfinished(&self, error: SolveError, jobs: impl Iterator<Item = JobId>) -> SolveError {
        let jobs: Vec<_> = jobs.map(|job| PaidJob::new(self.solver, job)).collect();
        let count = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        let error = error.with_billed(Billed::Maybe).with_unfinished_jobs(jobs);
        match self.account.price {
            Some(price) => error.with_cost(price * count),
            None => error,
        }
    }
}

/// Whether a provider that refuses to be asked may answer the same question later.
fn may_pass(refusal: ErrorKind) -> bool {
    matches!(refusal, ErrorKind::RateLimited | ErrorKind::Unavailable)
}
