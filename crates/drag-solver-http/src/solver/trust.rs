//! Whether a provider's callbacks can be relied on, so that it is polled less often.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::callbacks::Registration;

/// So many jobs in a row have to be called about before polls are put off.
///
/// If a share p of the calls is lost at random, a share p (1 - p)^128 of the jobs pays for it with a late poll:
/// 0.3 % at the worst p. If that share is late, it is at most 0.9 %, as one job in [`PROBE`] finds it out. So
/// neither the mean nor the 99th percentile gets worse than by polling.
const EARNED: u32 = 128;

/// One job in so many is polled as ever: a call that is late can be noticed by no other.
const PROBE: u32 = 8;

/// A call may come this long after the poll that found the answer; and no later than an eighth of the wait
/// between polls, or relying on it would be slower than polling.
const GRACE: Duration = Duration::from_millis(250);

/// Jobs at once whose call may still come.
const MAX_DOUBTS: usize = 64;

/// What is known of the callbacks of one account.
#[derive(Debug)]
pub(super) struct Trust {
    grace: Duration,
    /// Whether polls may be put off at all.
    learns: bool,
    state: Mutex<State>,
    doubted: Notify,
}

#[derive(Debug, Default)]
struct State {
    jobs: u32,
    /// Jobs in a row that were called about in time.
    in_a_row: u32,
    /// Jobs that a poll has found the end of, before any call, and until when that may still come.
    doubts: Vec<(Instant, Registration)>,
}

impl Trust {
    /// For a provider that is polled this often; `learns` if polls may be put off.
    pub(super) fn new(every: Duration, learns: bool) -> Self {
        Self {
            grace: GRACE.min(every / 8),
            learns,
            state: Mutex::default(),
            doubted: Notify::new(),
        }
    }

    /// Whether polls of the next job may be put off while callbacks can be relied on.
    pub(super) fn may_stretch_next(&self) -> bool {
        let mut state = self.state();
        state.jobs = state.jobs.wrapping_add(1);
        self.learns && !state.jobs.is_multiple_of(PROBE)
    }

    /// Whether callbacks can be relied on now.
    pub(super) fn is_earned(&self) -> bool {
        let mut state = self.state();
        state.settle();
        state.in_a_row >= EARNED && state.doubts.is_empty()
    }

    /// Ends when that may have changed for the worse.
    pub(super) fn doubted(&self) -> Notified<'_> {
        self.doubted.notified()
    }

    /// A job has come to its end, and its provider was asked to call.
    pub(super) fn learn(&self, job: Registration) {
        if !self.learns {
            return;
        }
        let mut state = self.state();
        state.settle();
        if job.called_at().is_some() {
            state.in_a_row = state.in_a_row.saturating_add(1);
            return;
        }
        if state.doubts.len() < MAX_DOUBTS {
            state.doubts.push((Instant::now() + self.grace, job));
        } else {
            state.in_a_row = 0;
        }
        drop(state);
        self.doubted.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends the doubts that are answered by now.
    fn settle(&mut self) {
        let now = Instant::now();
        let (mut came, mut missed) = (0, false);
        self.doubts.retain(|(until, job)| match job.called_at() {
            Some(at) if at <= *until => {
                came += 1;
                false
            }
            None if now <= *until => true,
            _ => {
                missed = true;
                false
            }
        });
        if missed && self.in_a_row >= EARNED {
            tracing::debug!("a callback is missing: polls are not put off");
        }
        self.in_a_row = if missed {
            0
        } else {
            self.in_a_row.saturating_add(came)
        };
    }
}
