//! Waiting for jobs that were bought.

use std::collections::VecDeque;
use std::iter::once;
use std::time::Duration;

use drag_solver_core::{Billed, ErrorKind, JobId, PaidJob, Solution, SolveError};
use tokio::time::Instant;

use super::account::{Account, Failure};
use super::expected_call::ExpectedCall;
use crate::redact::redact;
use crate::times::TimeLimit;
use crate::{Answer, JobState};

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
    /// When it is asked about; `None` if the clock does not reach as far.
    pub(super) next: Option<Instant>,
    origin: Origin,
    /// What the last poll brought, if it is not that the job is running.
    trouble: Option<Box<Trouble>>,
    /// The call that the provider was asked for.
    pub(super) expected_call: Option<Box<ExpectedCall>>,
}

/// Who bought the jobs.
enum Origin {
    /// This call did, and there is one.
    Bought {
        created: Instant,
        /// How long it was seen to be still running.
        was_running: Duration,
    },
    /// Earlier calls did.
    Resumed(Box<Resumed>),
}

/// What is known of jobs of earlier calls.
#[derive(Default)]
struct Resumed {
    /// Those that wait for their turn.
    others: VecDeque<JobId>,
    /// How those failed that have ended.
    failed: Vec<drag_solver_core::Attempt>,
    /// Each time in a row that a job was said not to be there.
    missing: Vec<JobId>,
}

/// What the error says that says that time is up.
enum Trouble {
    Unknown(String),
    Failed(SolveError),
}

/// What came of asking once.
pub(super) enum Polled {
    /// There is more to be waited for.
    Open,
    /// The job that was asked about has come to this end.
    Ended(Result<Answer, SolveError>),
    /// There is no use in asking again now: the error leaves all jobs to be resumed.
    GaveUp(SolveError),
}

impl OpenJobs {
    /// The job that this call has bought, to be asked about first at `next`.
    pub(super) fn bought(job: JobId, created: Instant, next: Option<Instant>) -> Self {
        Self {
            job,
            next,
            origin: Origin::Bought {
                created,
                was_running: Duration::ZERO,
            },
            trouble: None,
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
        let job = jobs.pop_front()?;
        let resumed = Resumed {
            others: jobs,
            ..Resumed::default()
        };
        Some(Self {
            job,
            next: Some(Instant::now()),
            origin: Origin::Resumed(Box::new(resumed)),
            trouble: None,
            expected_call: None,
        })
    }

    /// The one that is asked about next, or has come to its end.
    pub(super) fn job(&self) -> &JobId {
        &self.job
    }

    fn resumed_jobs(&mut self) -> Option<&mut Resumed> {
        match &mut self.origin {
            Origin::Bought { .. } => None,
            Origin::Resumed(resumed) => Some(resumed),
        }
    }

    /// Counts that there is no such job, and says whether it is gone for good.
    fn is_gone(&mut self) -> bool {
        let Origin::Resumed(resumed) = &mut self.origin else {
            return false;
        };
        let missing = &mut resumed.missing;
        missing.push(self.job.clone());
        missing.iter().filter(|job| **job == self.job).count() >= MISSING_IS_GONE
    }

    fn is_there(&mut self) {
        if let Origin::Resumed(resumed) = &mut self.origin {
            resumed.missing.retain(|job| *job != self.job);
        }
    }

    /// The next one in turn.
    fn rotate(&mut self) {
        if let Origin::Resumed(resumed) = &mut self.origin
            && let Some(other) = resumed.others.pop_front()
        {
            let asked = std::mem::replace(&mut self.job, other);
            resumed.others.push_back(asked);
        }
    }

    /// Asks once.
    ///
    /// A poll that the provider has called for comes between those of the schedule: `due` is the next of
    /// these, which it does not put off.
    pub(super) async fn ask(
        &mut self,
        account: &Account,
        time: &TimeLimit,
        due: Option<Instant>,
    ) -> Polled {
        let (solver, asked) = (&account.name, Instant::now());
        let mut limit = account.times.request_limit(0).min(POLL_LIMIT);
        let mut pause = Duration::ZERO;
        if let Some(due) = due {
            limit = limit.min((due - asked).max(CALLED_POLL_LIMIT));
            tracing::debug!(solver, job = %self.job, "the provider has called: asking at once");
        }
        // Without the secrets that a provider may repeat.
        let said = |error: &SolveError| account.finish_error(error.clone(), time.elapsed());
        let end = match account.poll(&self.job, time.cap(limit)).await {
            Ok(JobState::Solved(answer)) => Some(Ok(answer)),
            Ok(JobState::Failed(error)) => Some(Err(error)),
            Ok(JobState::Missing(error)) if self.is_gone() => Some(Err(error)),
            Ok(JobState::Missing(error)) => {
                tracing::debug!(solver, job = %self.job, error = %said(&error), "no such job, asking again");
                self.trouble = Some(Box::new(Trouble::Failed(error)));
                None
            }
            Ok(JobState::Running) => {
                self.is_there();
                self.trouble = None;
                None
            }
            Ok(JobState::Unknown(status)) => {
                let shown = || redact(&status, &account.secrets()).into_owned();
                tracing::debug!(solver, status = shown(), "an unknown status, asking again");
                self.trouble = Some(Box::new(Trouble::Unknown(status)));
                None
            }
            Err(Failure { error, is_refusal }) if is_refusal && !may_pass(error.kind()) => {
                return Polled::GaveUp(self.gave_up(error, account));
            }
            Err(Failure { error, .. }) => {
                pause = error.retry_after().unwrap_or_default();
                tracing::debug!(solver, error = %said(&error), ?pause, "poll failed, asking again");
                // One that was cut off because time was up says nothing about the provider.
                let is_cut_off = time.left() == Some(Duration::ZERO);
                if !is_cut_off || self.trouble.is_none() {
                    self.trouble = Some(Box::new(Trouble::Failed(error)));
                }
                None
            }
        };
        let now = Instant::now();
        self.next = match due {
            Some(due) => now.checked_add(pause).map(|at| at.max(due)),
            None => now.checked_add(pause.max(account.times.poll.every)),
        };
        let Some(end) = end else {
            // Only polls of the schedule teach anything, so that forged calls do not.
            let has_failed = matches!(self.trouble.as_deref(), Some(Trouble::Failed(_)));
            if let Origin::Bought {
                created,
                was_running,
            } = &mut self.origin
                && due.is_none()
                && !has_failed
            {
                *was_running = asked - *created;
            }
            self.rotate();
            return Polled::Open;
        };
        let call = self.expected_call.take();
        let was_stretched = call.as_ref().is_some_and(|call| call.was_stretched);
        // How long a job took is not known if an earlier call has bought it, or if polls were left out.
        if let Origin::Bought { was_running, .. } = self.origin
            && !was_stretched
        {
            account.first_poll.learn(was_running);
        }
        if let Some(call) = call {
            call.ended(due.is_some(), &account.trust);
        }
        Polled::Ended(end)
    }

    /// The job that was asked about has come to this end, and that is told. The outcome of the call, unless
    /// other jobs may yet have an answer.
    pub(super) fn ended(
        &mut self,
        end: Result<Solution, SolveError>,
        account: &Account,
        time: &TimeLimit,
    ) -> Option<Result<Solution, SolveError>> {
        let own = |error| account.finish_error(error, time.elapsed()).attempts();
        let Some(resumed) = self.resumed_jobs() else {
            return Some(end);
        };
        let mut failed = std::mem::take(&mut resumed.failed);
        match (end, resumed.others.pop_front()) {
            (Err(error), Some(other)) => {
                failed.extend(own(error));
                resumed.failed = failed;
                self.job = other;
                None
            }
            (Err(error), None) => Some(Err(error.with_failed_attempts(failed))),
            (Ok(solution), None) => Some(Ok(solution.with_failed_attempts(failed))),
            (Ok(solution), Some(other)) => {
                let late = SolveError::new(ErrorKind::Timeout, "another job was done first");
                let others = std::mem::take(&mut resumed.others);
                failed.extend(own(unfinished(late, account, once(other).chain(others))));
                Some(Ok(solution.with_failed_attempts(failed)))
            }
        }
    }

    /// The error when there is no time for another poll.
    pub(super) fn out_of_time(mut self, account: &Account, time: &TimeLimit) -> SolveError {
        let whose = match time.kind {
            ErrorKind::DeadlineExceeded => "the challenge's deadline leaves no time to wait".into(),
            _ => format!("not done within {:?}", account.times.job_timeout),
        };
        let trouble = self.trouble.take().map(|trouble| *trouble);
        let detail = match &trouble {
            None => String::new(),
            Some(Trouble::Unknown(status)) => {
                format!("; its last status `{status}` is not a documented one")
            }
            Some(Trouble::Failed(error)) => format!("; the last poll failed: {}", error.message()),
        };
        // Whole milliseconds, as errors go through JSON, and never too early.
        let pause = self
            .next
            .map(|at| at.saturating_duration_since(Instant::now()).as_nanos());
        let pause = pause.and_then(|nanos| u64::try_from(nanos.div_ceil(1_000_000)).ok());
        let pause = pause
            .filter(|&millis| millis > 0)
            .map(Duration::from_millis);
        let error = SolveError::new(time.kind, whose + &detail).with_retry_after(pause);
        let error = match trouble {
            Some(Trouble::Failed(cause)) => error.with_source(cause),
            _ => error,
        };
        self.gave_up(error, account)
    }

    /// The error of a call that leaves all its jobs to be resumed.
    fn gave_up(&mut self, error: SolveError, account: &Account) -> SolveError {
        let job = once(self.job.clone());
        let Some(resumed) = self.resumed_jobs() else {
            return unfinished(error, account, job);
        };
        let Resumed { others, failed, .. } = std::mem::take(resumed);
        let error = unfinished(error, account, job.chain(others));
        error.with_failed_attempts(failed)
    }
}

/// The error that leaves these jobs to be resumed.
fn unfinished(
    error: SolveError,
    account: &Account,
    jobs: impl Iterator<Item = JobId>,
) -> SolveError {
    let jobs: Vec<_> = jobs.map(|job| PaidJob::new(&account.name, job)).collect();
    let count = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
    let error = error.with_billed(Billed::Maybe).with_unfinished_jobs(jobs);
    match account.price {
        Some(price) => error.with_cost(price * count),
        None => error,
    }
}

/// Whether a provider that refuses to be asked may answer the same question later.
fn may_pass(refusal: ErrorKind) -> bool {
    matches!(refusal, ErrorKind::RateLimited | ErrorKind::Unavailable)
}
