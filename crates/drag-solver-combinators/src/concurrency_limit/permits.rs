//! The permits, and the queue for them.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::policy::ConcurrencyLimitPolicy;
use crate::settings::shared_form;
use crate::sync::{Mutex, lock};

/// The permits of a [`ConcurrencyLimit`](crate::ConcurrencyLimit). Clones are the same permits.
///
/// Make them yourself to put one limit around several solvers, or to look at them from outside:
/// `.concurrency_limit(&permits)`.
///
/// ```
/// use drag_solver_combinators::{ConcurrencyLimitPolicy, DragSolverExt, Permits};
/// # use drag_solver_mock::MockSolver;
/// # let (first, second) = (MockSolver::new("first"), MockSolver::new("second"));
///
/// let permits = Permits::new(ConcurrencyLimitPolicy::default().max_in_flight(5));
/// let chain = first
///     .concurrency_limit(&permits)
///     .or(second.concurrency_limit(&permits)); // five in both together
///
/// permits.set_policy(permits.policy().max_in_flight(2)); // from now on, with calls under way too
/// assert_eq!((permits.in_flight(), permits.waiting()), (0, 0));
/// # let _ = chain;
/// ```
#[derive(Clone, Debug)]
pub struct Permits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Hands out permits in the order in which they were asked for.
    semaphore: Semaphore,
}

#[derive(Debug)]
struct State {
    policy: ConcurrencyLimitPolicy,
    /// How many there are: more than there are to be, while calls are under way that began before the
    /// limit was lowered.
    permits: usize,
    waiting: u32,
}

impl Permits {
    /// As many permits as `policy` says, all of them free.
    #[must_use]
    pub fn new(policy: ConcurrencyLimitPolicy) -> Self {
        let permits = count(&policy);
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                policy,
                permits,
                waiting: 0,
            }),
            semaphore: Semaphore::new(permits),
        }))
    }

    /// Their settings.
    #[must_use]
    pub fn policy(&self) -> ConcurrencyLimitPolicy {
        lock(&self.0.state).policy
    }

    /// Changes the settings, for all who share the permits. Calls under way keep their permits: under a
    /// lower limit no call begins until fewer than that many are under way. Calls that wait stay in line,
    /// for as long as they were told to when they came.
    pub fn set_policy(&self, policy: ConcurrencyLimitPolicy) {
        let mut state = lock(&self.0.state);
        state.policy = policy;
        let missing = count(&policy).saturating_sub(state.permits);
        state.permits += missing;
        drop(state); // those who wait are woken
        self.0.semaphore.add_permits(missing);
        self.0.remove_surplus();
    }

    /// How many calls are under way right now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let state = lock(&self.0.state);
        state.permits - self.0.semaphore.available_permits()
    }

    /// How many calls wait right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.0.state).waiting as usize
    }

    /// A permit that is free right now. There is none while another call waits.
    pub(crate) fn free(&self) -> Option<Permit<'_>> {
        let permit = self.0.semaphore.try_acquire().ok()?;
        Some(self.0.keep(permit))
    }

    /// A position in the queue, if one is left.
    pub(super) fn queue(&self) -> Option<Position<'_>> {
        let mut state = lock(&self.0.state);
        if state.waiting >= state.policy.most_waiting() {
            return None;
        }
        state.waiting += 1;
        Some(Position(&self.0))
    }
}

fn count(policy: &ConcurrencyLimitPolicy) -> usize {
    (policy.max_in_flight.get() as usize).min(Semaphore::MAX_PERMITS)
}

/// A position in the queue. It is free again when this is dropped.
#[must_use]
pub(super) struct Position<'a>(&'a Shared);

impl<'a> Position<'a> {
    /// Waits for a permit, until `at` at the latest. A permit that comes at that very instant counts;
    /// one that comes later goes to the next in line.
    pub(super) async fn permit_by(self, at: Option<Instant>) -> Option<Permit<'a>> {
        let permit = self.0.semaphore.acquire();
        let permit = match at {
            Some(at) => timeout_at(at, permit).await.ok()?,
            None => permit.await,
        };
        Some(self.0.keep(permit.ok()?)) // the semaphore is never closed
    }
}

impl Drop for Position<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).waiting -= 1;
        // A permit that was granted and not taken went back past `Permit`.
        self.0.remove_surplus();
    }
}

impl Shared {
    /// Has a permit given back by [`Permit`], and not by the semaphore.
    fn keep(&self, permit: SemaphorePermit<'_>) -> Permit<'_> {
        permit.forget();
        Permit(self)
    }

    /// Takes away free permits that there should not be.
    fn remove_surplus(&self) {
        let mut state = lock(&self.state);
        let too_many = state.permits.saturating_sub(count(&state.policy));
        state.permits -= self.semaphore.forget_permits(too_many);
    }
}

/// A permit of a call under way. When this is dropped it goes to the next in line, unless there are too
/// many since the limit was lowered.
#[must_use]
pub(crate) struct Permit<'a>(&'a Shared);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        if state.permits > count(&state.policy) {
            state.permits -= 1;
            return;
        }
        drop(state); // the next in line is woken
        self.0.semaphore.add_permits(1);
        self.0.remove_surplus(); // the limit may have been lowered in between
    }
}

shared_form!(Permits of ConcurrencyLimitPolicy);
