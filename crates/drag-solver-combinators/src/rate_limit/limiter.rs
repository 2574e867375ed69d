//! Which call may be made next, and when.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Purchases, Tracker};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::gcra::Gcra;
use super::policy::RateLimitPolicy;
use crate::settings::shared_form;
use crate::sync::{Mutex, lock};

/// The clock of a [`RateLimit`](crate::RateLimit). Clones are the same clock.
///
/// Make it yourself to put one limit around several solvers, or to look at it from outside:
/// `.rate_limit(&limiter)`.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, RateLimitPolicy, RateLimiter};
/// # use drag_solver_core::DragSolver;
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), drag_solver_core::SolveError> {
/// # let challenge = fixtures::challenge();
/// # let provider = MockSolver::new("example").always(fixtures::drag());
/// let limiter = RateLimiter::new(RateLimitPolicy::default().max_calls(6).burst(1));
/// let solver = provider.rate_limit(&limiter);
///
/// solver.solve(&challenge).await?;
/// assert_eq!(limiter.next_in().unwrap().as_secs(), 10);
/// limiter.set_policy(limiter.policy().max_calls(60)); // from now on
/// assert_eq!(limiter.next_in().unwrap().as_secs(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RateLimiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// One permit, handed on in order: the call that has it waits for the next slot, and all others
    /// for it. So a call that leaves makes room for all behind it, and none overtakes.
    turn: Semaphore,
    /// A slot was given back or the settings were changed, so the next slot may come sooner.
    sooner: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    policy: RateLimitPolicy,
    gcra: Gcra,
    waiting: u32,
}

/// There is no slot in time. When there would be one, if the clock reaches as far.
#[derive(Debug)]
pub(super) struct TooEarly(pub(super) Option<Instant>);

/// `at`, if it is not after `latest`.
fn in_time(at: Option<Instant>, latest: Option<Instant>) -> Result<Instant, TooEarly> {
    let in_time = |at: &Instant| latest.is_none_or(|latest| *at <= latest);
    at.filter(in_time).ok_or(TooEarly(at))
}

impl RateLimiter {
    /// A clock by which no call was made yet.
    #[must_use]
    pub fn new(policy: RateLimitPolicy) -> Self {
        let gcra = Gcra::new(policy.interval(), policy.burst.get(), Instant::now());
        Self(Arc::new(Shared {
            turn: Semaphore::new(1),
            sooner: Notify::new(),
            state: Mutex::new(State {
                policy,
                gcra,
                waiting: 0,
            }),
        }))
    }

    /// Its settings.
    #[must_use]
    pub fn policy(&self) -> RateLimitPolicy {
        lock(&self.0.state).policy
    }

    /// Changes the settings, for all who share the limit. Calls that were made count on: after one, the
    /// next comes an interval of the new settings later. Calls that wait stay in line, for as long as they
    /// were told to when they came.
    pub fn set_policy(&self, policy: RateLimitPolicy) {
        let mut state = lock(&self.0.state);
        state.policy = policy;
        let (interval, burst) = (policy.interval(), policy.burst.get());
        state.gcra.respace(interval, burst, Instant::now());
        drop(state);
        self.0.sooner.notify_one();
    }

    /// How long a call that is made now has to wait for its turn. `None` if the clock does not reach as
    /// far.
    #[must_use]
    pub fn next_in(&self) -> Option<Duration> {
        let now = Instant::now();
        let state = lock(&self.0.state);
        Some(state.gcra.earliest(state.waiting, now)? - now)
    }

    /// Takes a turn that is free now, and says whether there was one: for who would rather refuse than wait. It is
    /// not given back.
    ///
    /// ```
    /// # use drag_solver_combinators::{RateLimitPolicy, RateLimiter};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let limiter = RateLimiter::new(RateLimitPolicy::default().max_calls(6).burst(2));
    /// let took = [(); 3].map(|()| limiter.try_take());
    /// assert_eq!(took, [true, true, false]);
    /// # }
    /// ```
    #[must_use]
    pub fn try_take(&self) -> bool {
        let now = Instant::now();
        let mut state = lock(&self.0.state);
        let is_free = state.is_free(now);
        if is_free {
            let turn = state.gcra.take(now);
            state.gcra.keep(turn);
        }
        is_free
    }

    /// How many calls wait right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.0.state).waiting as usize
    }

    /// A slot that is free now. There is none while another call waits.
    pub(super) fn free(&self, now: Instant) -> Option<Slot<'_>> {
        let mut state = lock(&self.0.state);
        state.is_free(now).then(|| self.0.take(&mut state, now))
    }

    /// A position in the queue for a slot that comes before the deadline and is not waited for too long,
    /// and how long that looks to be.
    pub(super) fn queue(
        &self,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<(Position<'_>, Duration), TooEarly> {
        let shared = &*self.0;
        let mut state = lock(&shared.state);
        let latest = latest(state.policy.max_wait, now, deadline);
        let at = in_time(state.gcra.earliest(state.waiting, now), latest)?;
        state.waiting += 1;
        Ok((Position { shared, latest }, at - now))
    }
}

/// When a slot is of no use any more.
fn latest(max_wait: Option<Duration>, now: Instant, deadline: Option<Instant>) -> Option<Instant> {
    let patience = max_wait.and_then(|wait| now.checked_add(wait));
    // A call that is made at the deadline cannot be answered.
    let before_deadline =
        deadline.and_then(|deadline| deadline.checked_sub(Duration::from_nanos(1)));
    patience.into_iter().chain(before_deadline).min()
}

impl State {
    /// Whether there is a slot now, and no call waits for it.
    fn is_free(&self, now: Instant) -> bool {
        let at = self.gcra.earliest(0, now);
        self.waiting == 0 && at.is_some_and(|at| at <= now)
    }
}

impl Shared {
    fn take(&self, state: &mut State, now: Instant) -> Slot<'_> {
        Slot {
            shared: self,
            id: state.gcra.take(now),
            tracker: None,
        }
    }
}

/// A position in the queue. It is free again when this is dropped, and its slot goes to the next.
#[must_use]
pub(super) struct Position<'a> {
    shared: &'a Shared,
    latest: Option<Instant>,
}

impl<'a> Position<'a> {
    /// Waits for a slot and takes it, unless it comes too late after all: a slot may come a little
    /// later than it looked, because timers count whole milliseconds.
    pub(super) async fn slot(self) -> Result<Slot<'a>, TooEarly> {
        let (shared, latest) = (self.shared, self.latest);
        let turn = shared.turn.acquire();
        let turn = match latest {
            Some(latest) => timeout_at(latest, turn).await.ok(),
            None => Some(turn.await),
        };
        loop {
            let now = Instant::now();
            let at = {
                let mut state = lock(&shared.state);
                let at = state.gcra.earliest(0, now);
                if turn.is_none() {
                    return Err(TooEarly(at));
                }
                let at = in_time(at, latest)?;
                if at <= now {
                    // Both in one step, or else a newcomer could still see a call ahead of it.
                    state.waiting -= 1;
                    std::mem::forget(self);
                    return Ok(shared.take(&mut state, now));
                }
                at
            };
            let _ = timeout_at(at, shared.sooner.notified()).await;
        }
    }
}

impl Drop for Position<'_> {
    fn drop(&mut self) {
        lock(&self.shared.state).waiting -= 1;
    }
}

/// A slot that is taken. It is given back when this is dropped, unless a provider was asked.
#[must_use]
pub(super) struct Slot<'a> {
    shared: &'a Shared,
    id: u64,
    /// Knows whether a provider was asked; `None` if none was.
    tracker: Option<Tracker>,
}

impl Slot<'_> {
    /// The call begins.
    pub(super) fn begin(&mut self, tracker: Tracker) {
        self.tracker = Some(tracker);
    }

    /// The call ended with an error that was made on this side: no provider was asked, unless one said
    /// something.
    pub(super) fn refused(&mut self) {
        self.tracker
            .take_if(|tracker| !tracker.read(Purchases::has_spoken));
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let was_used = self.tracker.as_ref().is_some_and(Tracker::was_asked);
        let mut state = lock(&self.shared.state);
        if was_used {
            state.gcra.keep(self.id);
        } else {
            state.gcra.give_back(self.id);
            self.shared.sooner.notify_one();
        }
    }
}

shared_form!(RateLimiter of RateLimitPolicy);
