//! Waiting for jobs that were bought.

use std::collections::VecDeque;
use std::iter::once;
use std::time::Duration;

use drag_solver_core::{Billed, ErrorKind, JobId, PaidJob, Solution, SolveError};
use tokio::time::{Instant, sleep_until};

use super::account::Failure;
use super::attempt::Attempt;
use super::expected_call::ExpectedCall;
use crate::JobState;
use crate::redact::redact;

/// A poll is a few bytes each way. One that hangs is better asked again than waited for as long as an
/// upload may take.
const POLL_LIMIT: Duration = Duration::from_secs(10);

/// One that the provider has called for has at least this long, and otherwise ends when the next of the
/// schedule is due: a call must not put that off, should it be forged.
const CALLED_POLL_LIMIT: Duration = Duration::from_secs(1);

/// A job of an earlier call is given up when its provider says this often in a row that there is no
/// such job. One that this call has bought is asked for as long as there is time: it is new, and not
/// every server of a provider may know it yet.
const MISSING_IS_GONE: usize = 3;

/// The jobs that a call waits for, and what is known of them. It is all that a call holds while it
/// waits.
pub(super) struct OpenJobs {
    /// The one that is asked about next.
    job: JobId,
    /// The others, asked about in turn.
    others: VecDeque<JobId>,
    /// When it is asked about; `None` if the clock does not reach as far.
    pub(super) next: Option<Instant>,
    /// When it was created, if this call bought it.
    created: Option<Instant>,
    last: LastPoll,
    /// How long the job was seen to be still running.
    was_running: Duration,
    failed: Vec<drag_solver_core::Attempt>,
    /// Each time in a row that a job was said not to be there.
    missing: Vec<JobId>,
    /// The call that the provider was asked for.
    pub(super) expected_call: Option<Box<ExpectedCall>>,
}

/// What the last poll brought, for the error that says that time is up.
enum LastPoll {
    Running,
    Unknown(String),
    Failed(SolveError),
}

impl OpenJobs {
    /// The job that this call has bought, to be asked about first at `next`.
    pub(super) fn bought(job: JobId, created: Instant, next: Option<Instant>) -> Self {
        Self {
            job,
            others: VecDeque::new(),
            next,
            created: Some(created),
            last: LastPoll::Running,
            was_running: Duration::ZERO,
            failed: Vec::new(),
            missing: Vec::new(),
            expected_call: None,
        }
    }

    /// With a call that the provider was asked for.
    pub(super) fn expecting(mut self, call: Option<ExpectedCall>) -> Self {
        self.expected_call = call.map(Box::new);
        self
    }

    /// The jobs of earlier calls, asked about at once.
    pub(super) fn resumed(mut jobs: VecDeque<JobId>) -> Option<Self> {
        let now = Instant::now();
        let open = Self::bought(jobs.pop_front()?, now, Some(now));
        Some(Self {
            others: jobs,
            created: None,
            ..open
        })
    }

    /// Counts that there is no such job, and says whether it is gone for good.
    fn is_gone(&mut self) -> bool {
        self.missing.push(self.job.clone());
        let times = self.missing.iter().filter(|job| **job == self.job).count();
        self.created.is_none() && times >= MISSING_IS_GONE
    }

    fn is_there(&mut self) {
        self.missing.retain(|job| *job != self.job);
    }

    /// The next one in turn.
    fn turn(&mut self) {
        if let Some(other) = self.others.pop_front() {
            self.others
                .push_back(std::mem::replace(&mut self.job, other));
        }
    }
}

impl Attempt<'_> {
    /// Waits until the job is to be asked about, at `at` or because the provider calls. Then it says when it
    /// would have been time.
    pub(super) async fn turn(&self, open: &mut OpenJobs, at: Instant) -> Option<Instant> {
        let every = self.account.times.poll.every;
        let call = open.expected_call.as_mut();
        if let Some(call) = call.filter(|call| !call.is_used) {
            // Boxed: those who wait for no call do not carry it.
            Box::pin(call.turn(at, every, &self.limit, &self.account.trust)).await
        } else {
            sleep_until(at).await;
            None
        }
    }

    /// Asks once. The outcome of the call, if that is it; `None` if there is more to be waited for.
    ///
    /// A poll that the provider has called for comes between those of the schedule: `due` is the next of
    /// these, which it does not put off.
    pub(super) async fn ask(
        &self,
        open: &mut OpenJobs,
        due: Option<Instant>,
    ) -> Option<Result<Solution, SolveError>> {
        let solver = self.solver;
        let asked = Instant::now();
        let mut limit = self.account.limit(0).min(POLL_LIMIT);
        let mut pause = Duration::ZERO;
        if let Some(due) = due {
            limit = limit.min((due - asked).max(CALLED_POLL_LIMIT));
            tracing::debug!(solver, job = %open.job, "the provider has called: asking at once");
        }
        let limit = self.limit.cap(limit);
        let end = match self.account.poll(&open.job, limit).await {
            Ok(JobState::Solved(answer)) => Some(self.check(Some(&open.job), answer)),
            Ok(JobState::Failed(error)) => Some(Err(error)),
            Ok(JobState::Missing(error)) if open.is_gone() => Some(Err(error)),
            Ok(JobState::Missing(error)) => {
                let said = || self.own(error.clone());
                tracing::debug!(solver, job = %open.job, error = %said(), "no such job, asking again");
                open.last = LastPoll::Failed(error);
                None
            }
            Ok(JobState::Running) => {
                open.is_there();
                open.last = LastPoll::Running;
                None
            }
            Ok(JobState::Unknown(status)) => {
                let shown = || redact(&status, &self.account.secrets()).into_owned();
                tracing::debug!(solver, status = shown(), "an unknown status, asking again");
                open.last = LastPoll::Unknown(status);
                None
            }
            Err(Failure { error, is_refusal }) if is_refusal && !may_pass(error.kind()) => {
                return Some(Err(self.gave_up(error, open)));
            }
            Err(Failure { error, .. }) => {
                pause = error.retry_after().unwrap_or_default();
                // Without the secrets that a provider may repeat.
                let said = || self.own(error.clone());
                tracing::debug!(solver, error = %said(), ?pause, "poll failed, asking again");
                // One that was cut off because time was up says nothing about the provider.
                let is_cut_off = self.limit.left() == Some(Duration::ZERO);
                if !is_cut_off || matches!(open.last, LastPoll::Running) {
                    open.last = LastPoll::Failed(error);
                }
                None
            }
        };
        let now = Instant::now();
        open.next = match due {
            Some(due) => now.checked_add(pause).map(|at| at.max(due)),
            None => now.checked_add(pause.max(self.account.times.poll.every)),
        };
        let Some(end) = end else {
            // From polls of the schedule alone is learnt, lest forged calls teach anything.
            if due.is_none() && !matches!(open.last, LastPoll::Failed(_)) {
                open.was_running = asked - open.created.unwrap_or(asked);
            }
            open.turn();
            return None;
        };
        let call = open.expected_call.take();
        let was_stretched = call.as_ref().is_some_and(|call| call.was_stretched);
        // How long a job took is not known if an earlier call has bought it, or if polls were left out.
        if open.created.is_some() && !was_stretched {
            self.account.first_poll.learn(open.was_running);
        }
        if let Some(call) = call {
            call.ended(due.is_some(), &self.account.trust);
        }
        if let Err(error) = self.settle(Some(&open.job), end.as_ref()).await {
            return Some(Err(error));
        }
        let failed = std::mem::take(&mut open.failed);
        match (end, open.others.pop_front()) {
            (Err(error), Some(other)) => {
                open.failed = failed;
                open.failed.extend(self.own(error).attempts());
                open.job = other;
                None
            }
            (Err(error), None) => Some(Err(error.with_failed_attempts(failed))),
            (Ok(solution), None) => Some(Ok(solution.with_failed_attempts(failed))),
            (Ok(solution), Some(other)) => {
                let late = SolveError::new(ErrorKind::Timeout, "another job was done first");
                let others = std::mem::take(&mut open.others);
                let late = self.unfinished(late, once(other).chain(others));
                let failed = failed.into_iter().chain(self.own(late).attempts());
                Some(Ok(solution.with_failed_attempts(failed.collect())))
            }
        }
    }

    /// The error when there is no time for another poll.
    pub(super) fn out_of_time(&self, mut open: OpenJobs) -> SolveError {
        let kind = self.limit.kind;
        let whose = match kind {
            ErrorKind::DeadlineExceeded => "the challenge's deadline leaves no time to wait".into(),
            _ => format!("not done within {:?}", self.account.times.job_timeout),
        };
        let detail = match &open.last {
            LastPoll::Running => String::new(),
            LastPoll::Unknown(status) => {
                format!("; its last status `{status}` is not a documented one")
            }
            LastPoll::Failed(error) => format!("; the last poll failed: {}", error.message()),
        };
        // Whole milliseconds, as errors go through JSON, and never too early.
        let pause = open
            .next
            .map(|at| at.saturating_duration_since(Instant::now()).as_nanos());
        let pause = pause.and_then(|nanos| u64::try_from(nanos.div_ceil(1_000_000)).ok());
        let pause = pause
            .filter(|&millis| millis > 0)
            .map(Duration::from_millis);
        let error = SolveError::new(kind, whose + &detail).with_retry_after(pause);
        let error = match std::mem::replace(&mut open.last, LastPoll::Running) {
            LastPoll::Failed(cause) => error.with_source(cause),
            _ => error,
        };
        self.gave_up(error, &mut open)
    }

    /// The error of a call that leaves all its jobs to be resumed.
    fn gave_up(&self, error: SolveError, open: &mut OpenJobs) -> SolveError {
        let jobs = once(open.job.clone()).chain(std::mem::take(&mut open.others));
        let error = self.unfinished(error, jobs);
        error.with_failed_attempts(std::mem::take(&mut open.failed))
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
