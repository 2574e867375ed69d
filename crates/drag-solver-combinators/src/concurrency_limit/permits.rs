//! The permits, and the queue for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::policy::ConcurrencyLimitPolicy;
use crate::settings::shared_form;

/// The permits of a [`ConcurrencyLimit`](crate::ConcurrencyLimit). Clones are the same permits.
///
/// Make them yourself to put one limit around several solvers, or to look at them from outside:
/// `.concurrency_limit(&permits)`.
#[derive(Clone, Debug)]
pub struct Permits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    policy: ConcurrencyLimitPolicy,
    /// Hands out permits in the order in which they were asked for.
    semaphore: Semaphore,
    waiting: AtomicU32,
}

impl Permits {
    /// As many permits as `policy` says, all of them free.
    #[must_use]
    pub fn new(policy: ConcurrencyLimitPolicy) -> Self {
        Self(Arc::new(Shared {
            policy,
            semaphore: Semaphore::new(count(&policy)),
            waiting: AtomicU32::new(0),
        }))
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

    /// A permit that is free right now. There is none while another call waits.
    pub(crate) fn free(&self) -> Option<SemaphorePermit<'_>> {
        self.0.semaphore.try_acquire().ok()
    }

    /// A position in the queue, if one is left.
    pub(super) fn queue(&self) -> Option<Position<'_>> {
        let policy = &self.0.policy;
        let max_waiting = if policy.may_wait() {
            policy.max_waiting.unwrap_or(u32::MAX)
        } else {
            0
        };
        // One step: between a check and an addition another caller could take the same position.
        let one_more = |waiting: u32| (waiting < max_waiting).then(|| waiting + 1);
        let taken = self
            .0
            .waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        taken.ok().map(|_| Position(&self.0))
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
    pub(super) async fn permit_by(self, at: Option<Instant>) -> Option<SemaphorePermit<'a>> {
        let permit = self.0.semaphore.acquire();
        let permit = match at {
            Some(at) => timeout_at(at, permit).await.ok()?,
            None => permit.await,
        };
        permit.ok() // the semaphore is never closed
    }
}

impl Drop for Position<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

shared_form!(Permits of ConcurrencyLimitPolicy);
