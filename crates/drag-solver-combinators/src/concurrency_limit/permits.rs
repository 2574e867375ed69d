//! The permits, and the queue for them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::policy::ConcurrencyLimitPolicy;
use crate::InvalidPolicy;

/// The permits of a [`ConcurrencyLimit`](super::ConcurrencyLimit). Clones are the same permits.
///
/// Make it yourself to put one limit around several solvers, with
/// [`ConcurrencyLimit::sharing`](super::ConcurrencyLimit::sharing), or to look at it from outside.
#[derive(Clone)]
pub struct Permits(Arc<Shared>);

struct Shared {
    policy: ConcurrencyLimitPolicy,
    /// Hands out permits in the order in which they were asked for.
    semaphore: Semaphore,
    waiting: AtomicU32,
}

impl Permits {
    /// As many permits as `policy` says, all of them free.
    ///
    /// # Errors
    ///
    /// See [`ConcurrencyLimitPolicy::check`].
    pub fn new(policy: ConcurrencyLimitPolicy) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        Ok(Self(Arc::new(Shared {
            policy,
            semaphore: Semaphore::new(count(&policy)),
            waiting: AtomicU32::new(0),
        })))
    }

    /// What it was built with.
    #[must_use]
    pub fn policy(&self) -> ConcurrencyLimitPolicy {
        self.0.policy
    }

    /// How many calls are under way right now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        count(&self.0.policy) - self.0.semaphore.available_permits()
    }

    /// How many calls wait right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Acquire) as usize
    }

    /// A permit that is free right now. There is none while somebody waits.
    pub(super) fn free(&self) -> Option<SemaphorePermit<'_>> {
        self.0.semaphore.try_acquire().ok()
    }

    /// A place in the queue, if one is left.
    pub(super) fn queue(&self) -> Option<Place<'_>> {
        let waiting = &self.0.waiting;
        // One step: between a check and an addition another caller could take the same place.
        waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
                Some(waiting + 1).filter(|&taken| taken <= self.0.policy.max_waiting)
            })
            .ok()
            .map(|_| Place(&self.0))
    }
}

fn count(policy: &ConcurrencyLimitPolicy) -> usize {
    let wanted = usize::try_from(policy.max_in_flight).unwrap_or(usize::MAX);
    wanted.min(Semaphore::MAX_PERMITS)
}

/// A place in the queue. It is free again when this is dropped.
#[must_use]
pub(super) struct Place<'a>(&'a Shared);

impl<'a> Place<'a> {
    /// Waits for a permit, until `at` at the latest. A permit that comes at that very instant counts;
    /// one that comes later goes to the next in line.
    pub(super) async fn permit_by(self, at: Option<Instant>) -> Option<SemaphorePermit<'a>> {
        let permit = self.0.semaphore.acquire();
        let permit = match at {
            Some(at) => timeout_at(at, permit).await.ok()?,
            None => permit.await,
        };
        permit.ok() // nobody closes the semaphore
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits")
            .field("policy", &self.0.policy)
            .field("in_flight", &self.in_flight())
            .field("waiting", &self.waiting())
            .finish()
    }
}
