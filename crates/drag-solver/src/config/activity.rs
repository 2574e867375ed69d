//! What a provider is doing, and what went wrong last.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use drag_solver_core::forward_solver;
use tokio::time::Instant;

use crate::{DragChallenge, DragSolver, ErrorKind, Solution, SolveError, async_trait};

/// The calls under way of one provider and its last error. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity(Arc<State>);

#[derive(Debug, Default)]
struct State {
    calls: AtomicUsize,
    last_error: Mutex<Option<PastError>>,
}

#[derive(Clone, Debug)]
pub(super) struct PastError {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    pub(super) at: Instant,
}

impl Activity {
    pub(super) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(super) fn last_error(&self) -> Option<PastError> {
        self.slot().clone()
    }

    fn failed(&self, error: &SolveError) {
        // A refusal of this side would hide why it refuses.
        if !error.kind().is_local_refusal() {
            *self.slot() = Some(PastError {
                kind: error.kind(),
                message: error.message().to_owned(),
                at: Instant::now(),
            });
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<PastError>> {
        let slot = self.0.last_error.lock();
        slot.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way.
struct Call<'a>(&'a AtomicUsize);

impl<'a> Call<'a> {
    fn of(activity: &'a Activity) -> Self {
        activity.0.calls.fetch_add(1, Ordering::Relaxed);
        Self(&activity.0.calls)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A provider whose calls are counted. It prints itself as what it wraps.
pub(super) struct Watched {
    pub(super) inner: Arc<dyn DragSolver>,
    pub(super) activity: Activity,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Watched {
    forward_solver!(inner: name, report, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let _call = Call::of(&self.activity);
        let outcome = self.inner.solve(challenge).await;
        if let Err(error) = &outcome {
            self.activity.failed(error);
        }
        outcome
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
