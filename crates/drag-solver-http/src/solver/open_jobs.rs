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
    fn turn(&mut self) {
        if let Origin::Resumed(resumed) = &mut self.origin
            && let Some(other) = resumed.others.pop_front()
        {
            let asked = std::mem::replace(&mut self.job, other);
            resumed.others.push_back(asked);
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
            Box::pin(call.turn(at, every, &self.limit(), &self.account.trust)).await
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
        let solver = self.solver();
        let asked = Instant::now();
        let mut limit = self.account.limit(0).min(POLL_LIMIT);
        let mut pause = Duration::ZERO;
        if let Some(due) = due {
            limit = limit.min((due - asked).max(CALLED_POLL_LIMIT));
            tracing::debug!(solver, job = %open.job, "the provider has called: asking at once");
        }
        let limit = self.limit().cap(limit);
        let end = match self.account.poll(&open.job, limit).await {
            Ok(JobState::Solved(answer)) => Some(self.check(Some(&open.job), answer)),
            Ok(JobState::Failed(error)) => Some(Err(error)),
            Ok(JobState::Missing(error)) if open.is_gone() => Some(Err(error)),
            Ok(JobState::Missing(error)) => {
                let said = || self.own(error.clone());
                tracing::debug!(solver, job = %open.job, error = %said(), "no such job, asking again");
                open.trouble = Some(Box::new(Trouble::Failed(error)));
                None
            }
            Ok(JobState::Running) => {
                open.is_there();
                open.trouble = None;
                None
            }
            Ok(JobState::Unknown(status)) => {
                let shown = || redact(&status, &self.account.secrets()).into_owned();
                tracing::debug!(solver, status = shown(), "an unknown status, asking again");
                open.trouble = Some(Box::new(Trouble::Unknown(status)));
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
                let is_cut_off = self.limit().left() == Some(Duration::ZERO);
                if !is_cut_off || open.trouble.is_none() {
                    open.trouble = Some(Box::new(Trouble::Failed(error)));
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
            // Only polls of the schedule teach anything, so that forged calls do not.
            let has_failed = matches!(open.trouble.as_deref(), Some(Trouble::Failed(_)));
            if let Origin::Bought {
                created,
                was_running,
            } = &mut open.origin
                && due.is_none()
                && !has_failed
            {
                *was_running = asked - *created;
            }
            open.turn();
            return None;
        };
        let call = open.expected_call.take();
        let was_stretched = call.as_ref().is_some_and(|call| call.was_stretched);
        // How long a job took is not known if an earlier call has bought it, or if polls were left out.
        if let Origin::Bought { was_running, .. } = open.origin
            && !was_stretched
        {
            self.account.first_poll.learn(was_running);
        }
        if let Some(call) = call {
            call.ended(due.is_some(), &self.account.trust);
        }
        if let Err(error) = self.settle(Some(&open.job), end.as_ref()).await {
            return Some(Err(error));
        }
        let Some(resumed) = open.resumed_jobs() else {
            return Some(end);
        };
        let failed = std::mem::take(&mut resumed.failed);
        match (end, resumed.others.pop_front()) {
            (Err(error), Some(other)) => {
                resumed.failed = failed;
                resumed.failed.extend(self.own(error).attempts());
                open.job = other;
                None
            }
            (Err(error), None) => Some(Err(error.with_failed_attempts(failed))),
            (Ok(solution), None) => Some(Ok(solution.with_failed_attempts(failed))),
            (Ok(solution), Some(other)) => {
                let late = SolveError::new(ErrorKind::Timeout, "another job was done first");
                let others = std::mem::take(&mut resumed.others);
                let late = self.unfinished(late, once(other).chain(others));
                let failed = failed.into_iter().chain(self.own(late).attempts());
                Some(Ok(solution.with_failed_attempts(failed.collect())))
            }
        }
    }

    /// The error when there is no time for another poll.
    pub(super) fn out_of_time(&self, mut open: OpenJobs) -> SolveError {
        let kind = self.limit().kind;
        let whose = match kind {
            ErrorKind::DeadlineExceeded => "the challenge's deadline leaves no time to wait".into(),
            _ => format!("not done within {:?}", self.account.times.job_timeout),
        };
        let trouble = open.trouble.take().map(|trouble| *trouble);
        let detail = match &trouble {
            None => String::new(),
            Some(Trouble::Unknown(status)) => {
                format!("; its last status `{status}` is not a documented one")
            }
            Some(Trouble::Failed(error)) => format!("; the last poll failed: {}", error.message()),
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
        let error = match trouble {
            Some(Trouble::Failed(cause)) => error.with_source(cause),
            _ => error,
        };
        self.gave_up(error, &mut open)
    }

    /// The error of a call that leaves all its jobs to be resumed.
    fn gave_up(&self, error: SolveError, open: &mut OpenJobs) -> SolveError {
        let job = once(open.job.clone());
        let Some(resumed) = open.resumed_jobs() else {
            return self.unfinished(error, job);
        };
        let Resumed { others, failed, .. } = std::mem::take(resumed);
        let error = self.unfinished(error, job.chain(others));
        error.with_failed_attempts(failed)
    }

    /// The error that leaves these jobs to be resumed.
    fn unfinished(&self, error: SolveError, jobs: impl Iterator<Item = JobId>) -> SolveError {
        let jobs: Vec<_> = jobs.map(|job| PaidJob::new(self.solver(), job)).collect();
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
