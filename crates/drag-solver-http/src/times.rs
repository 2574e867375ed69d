//! When a provider is asked, and for how long.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "serde")]
use drag_solver_core::human_duration;
use drag_solver_core::{DragChallenge, ErrorKind};
use tokio::time::Instant;

/// The slowest upload that is waited for, in bytes a second: 256 kbit/s.
const SLOWEST_UPLOAD: usize = 32 * 1024;

/// How many jobs are remembered.
const JOBS: usize = 16;

/// How many of them the first poll may have come too late for.
const LATE: usize = 2;

/// The longest wait, in multiples of the documented one: what a provider that has become faster can
/// cost its next jobs.
const LONGEST: u32 = 4;

/// When to ask for a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[allow(clippy::exhaustive_structs)] // two waits, and the provider's documentation names both
pub struct PollInterval {
    /// From the response to the create request to the first poll.
    #[cfg_attr(feature = "serde", serde(with = "human_duration"))]
    pub first: Duration,
    /// From the response to one poll to the next poll: the provider's documented minimum.
    #[cfg_attr(feature = "serde", serde(with = "human_duration"))]
    pub every: Duration,
}

impl PollInterval {
    /// First after `first`, then every `every`.
    #[must_use]
    pub const fn new(first: Duration, every: Duration) -> Self {
        Self { first, every }
    }
}

/// When an account asks, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) poll: PollInterval,
    pub(crate) request_timeout: Duration,
    pub(crate) job_timeout: Duration,
}

impl Times {
    /// How long a request with a body of this many bytes may take.
    pub(crate) fn request_limit(&self, body: usize) -> Duration {
        let upload = Duration::from_secs((body / SLOWEST_UPLOAD) as u64);
        self.request_timeout.saturating_add(upload)
    }
}

/// Since when a call of `solve` runs, and when it has to be done: at the nearer one of the challenge's
/// deadline and the job's timeout.
pub(crate) struct TimeLimit {
    started: Instant,
    due: Option<Instant>,
    /// What it is when time is up.
    pub(crate) kind: ErrorKind,
}

impl TimeLimit {
    pub(crate) fn nearest(
        started: Instant,
        job_timeout: Duration,
        challenge: &DragChallenge,
    ) -> Self {
        // A timeout beyond the clock's end is none.
        let own = started.checked_add(job_timeout);
        let deadline = challenge.deadline();
        if own.is_some_and(|own| deadline.is_none_or(|deadline| own < deadline)) {
            let kind = ErrorKind::Timeout;
            return Self {
                started,
                due: own,
                kind,
            };
        }
        Self {
            started,
            due: deadline,
            kind: ErrorKind::DeadlineExceeded,
        }
    }

    /// How long it has run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether there is time for what begins at `at`.
    pub(crate) fn allows(&self, at: Instant) -> bool {
        self.due.is_none_or(|due| at < due)
    }

    pub(crate) fn left(&self) -> Option<Duration> {
        let now = Instant::now();
        self.due.map(|due| due.saturating_duration_since(now))
    }

    pub(crate) fn cap(&self, limit: Duration) -> Duration {
        self.left().map_or(limit, |left| left.min(limit))
    }
}

/// Learns how long to leave a job alone: as long as all but [`LATE`] of the last [`JOBS`] jobs were
/// seen to be still running, and never less than the documented wait. So polls that come before any
/// answer can are left out.
///
/// What counts is how long a job was known to run, which is a fact about that job whenever it was
/// asked about, by however many callers at once. A job that had ended when it was first asked about
/// counts as having ended at once: three of them, and the wait is the documented one again, until
/// there are other jobs to learn from.
#[derive(Debug)]
pub(crate) struct FirstPoll {
    poll: PollInterval,
    /// How long each job was seen to run, oldest first. `None` if nothing is to be learnt.
    ran: Option<Mutex<VecDeque<Duration>>>,
}

impl FirstPoll {
    /// Waits as `poll` says until there are jobs to learn from.
    pub(crate) fn learning_from(poll: PollInterval) -> Self {
        let ran = Some(Mutex::new(VecDeque::with_capacity(JOBS)));
        Self { poll, ran }
    }

    /// Always waits as `poll` says.
    pub(crate) fn fixed(poll: PollInterval) -> Self {
        Self { poll, ran: None }
    }

    /// How long to wait after a job was created.
    pub(crate) fn wait(&self) -> Duration {
        let PollInterval { first, every } = self.poll;
        let learnt = self.ran.as_ref().and_then(|ran| {
            let mut ran: Vec<Duration> = lock(ran).iter().copied().collect();
            ran.sort_unstable();
            ran.get(LATE).copied().filter(|_| ran.len() == JOBS)
        });
        let longest = first.max(every).saturating_mul(LONGEST);
        learnt.map_or(first, |learnt| learnt.min(longest).max(first))
    }

    /// A job came to its end, and was still running this long after it was created, as far as
    /// anybody knows.
    pub(crate) fn learn(&self, was_running: Duration) {
        if let Some(ran) = &self.ran {
            let mut ran = lock(ran);
            if ran.len() == JOBS {
                ran.pop_front();
            }
            ran.push_back(was_running);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn after(jobs: impl IntoIterator<Item = Duration>) -> FirstPoll {
        let first_poll = FirstPoll::learning_from(PollInterval::new(s(2), s(2)));
        for ran in jobs {
            first_poll.learn(ran);
        }
        first_poll
    }

    #[test]
    fn it_waits_as_documented_until_it_has_seen_enough() {
        assert_eq!(after([s(6); JOBS - 1]).wait(), s(2));
        assert_eq!(after([s(6); JOBS]).wait(), s(6));
    }

    #[test]
    fn two_quick_answers_are_luck_and_three_are_news() {
        let first_poll = after([s(6); JOBS]);
        first_poll.learn(Duration::ZERO);
        first_poll.learn(Duration::ZERO);
        assert_eq!(first_poll.wait(), s(6));
        first_poll.learn(Duration::ZERO);
        assert_eq!(first_poll.wait(), s(2));
    }

    #[test]
    fn old_jobs_are_forgotten() {
        let jobs = [Duration::ZERO; JOBS].into_iter().chain([s(4); JOBS]);
        assert_eq!(after(jobs).wait(), s(4));
    }

    #[test]
    fn it_never_waits_much_longer_than_documented() {
        assert_eq!(after([s(100); JOBS]).wait(), s(8));
        let at_once = FirstPoll::learning_from(PollInterval::new(Duration::ZERO, s(2)));
        (0..JOBS).for_each(|_| at_once.learn(s(100)));
        assert_eq!(at_once.wait(), s(8));
    }

    #[test]
    fn a_fixed_wait_learns_nothing() {
        let first_poll = FirstPoll::fixed(PollInterval::new(s(2), s(2)));
        (0..JOBS).for_each(|_| first_poll.learn(s(100)));
        assert_eq!(first_poll.wait(), s(2));
    }
}
