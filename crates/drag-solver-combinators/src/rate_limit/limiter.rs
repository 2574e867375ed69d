//! Who may make the next call, and when.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::gcra::{Gcra, Slot};
use super::policy::RateLimitPolicy;
use crate::InvalidPolicy;
use crate::sync::{Mutex, lock};

/// The clock of a [`RateLimit`](super::RateLimit). Clones are the same clock.
///
/// Make it yourself to put one limit around several solvers, with
/// [`RateLimit::sharing`](super::RateLimit::sharing), or to look at it from outside.
#[derive(Clone)]
pub struct RateLimiter(Arc<Shared>);

struct Shared {
    policy: RateLimitPolicy,
    /// One permit, handed on in order: whoever has it waits for the next slot, and everybody else
    /// for it. So a waiter that leaves makes room for all behind it, and nobody overtakes.
    turn: Semaphore,
    state: Mutex<State>,
}

struct State {
    gcra: Gcra,
    waiting: u32,
}

/// Why there is no slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooEarly {
    /// When there would be one, if the clock reaches as far.
    pub(super) at: Option<Instant>,
}

/// How long a call can wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// The last instant at which the call may be made.
    latest: Option<Instant>,
    /// The instant before which it must be made.
    deadline: Option<Instant>,
}

impl Patience {
    pub(super) fn new(
        now: Instant,
        max_wait: std::time::Duration,
        deadline: Option<Instant>,
    ) -> Self {
        let latest = now.checked_add(max_wait);
        Self { latest, deadline }
    }

    fn check(&self, at: Option<Instant>) -> Result<Instant, TooEarly> {
        let in_time = |at: Instant| {
            self.latest.is_none_or(|latest| at <= latest)
                && self.deadline.is_none_or(|deadline| at < deadline)
        };
        at.filter(|&at| in_time(at)).ok_or(TooEarly { at })
    }

    fn end(&self) -> Option<Instant> {
        self.latest.into_iter().chain(self.deadline).min()
    }
}

impl RateLimiter {
    /// A clock by which no call was made yet.
    ///
    /// # Errors
    ///
    /// See [`RateLimitPolicy::check`].
    pub fn new(policy: RateLimitPolicy) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        let gcra = Gcra::new(policy.interval(), policy.burst, Instant::now());
        Ok(Self(Arc::new(Shared {
            policy,
            turn: Semaphore::new(1),
            state: Mutex::new(State { gcra, waiting: 0 }),
        })))
    }

    /// What it was built with.
    #[must_use]
    pub fn policy(&self) -> RateLimitPolicy {
        self.0.policy
    }

    /// How many calls wait right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.0.state).waiting as usize
    }

    /// A slot that is free right now, or a place in the queue for a later one that comes in time.
    pub(super) fn enter(&self, now: Instant, patience: Patience) -> Result<Entry<'_>, TooEarly> {
        let mut state = lock(&self.0.state);
        let at = patience.check(state.gcra.earliest(state.waiting, now))?;
        if state.waiting == 0 && at <= now {
            return Ok(Entry::Now(state.gcra.take(now)));
        }
        state.waiting += 1;
        Ok(Entry::Later {
            wait: at - now,
            place: Place(&self.0),
        })
    }

    /// Undoes a call that was refused before it reached anybody.
    pub(super) fn give_back(&self, slot: Slot) {
        lock(&self.0.state).gcra.give_back(slot);
    }
}

pub(super) enum Entry<'a> {
    Now(Slot),
    Later {
        wait: std::time::Duration,
        place: Place<'a>,
    },
}

/// A place in the queue. It is free again when this is dropped, and its slot goes to the next.
#[must_use]
pub(super) struct Place<'a>(&'a Shared);

impl Place<'_> {
    /// Waits for a slot and takes it, unless it comes too late after all: a slot may come a little
    /// later than it looked, because timers count whole milliseconds.
    pub(super) async fn slot(self, patience: Patience) -> Result<Slot, TooEarly> {
        let turn = self.0.turn.acquire();
        let turn = match patience.end() {
            Some(end) => timeout_at(end, turn).await.ok(),
            None => Some(turn.await),
        };
        loop {
            let now = Instant::now();
            let at = {
                let mut state = lock(&self.0.state);
                let at = state.gcra.earliest(0, now);
                if turn.is_none() {
                    return Err(TooEarly { at });
                }
                let at = patience.check(at)?;
                if at <= now {
                    // Both in one step, or else a newcomer could still see somebody ahead of it.
                    let slot = state.gcra.take(now);
                    state.waiting -= 1;
                    std::mem::forget(self);
                    return Ok(slot);
                }
                at
            };
            sleep_until(at).await;
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).waiting -= 1;
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("policy", &self.0.policy)
            .field("waiting", &self.waiting())
            .finish()
    }
}
