//! What the providers of an ordered fallback did, in the chain's store: the next process begins with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::forward_solver;
use drag_solver_store::jiff::Timestamp;
use drag_solver_store::{CallRecord, Fact, StoreError, StoreHandle};
use futures_util::future::{Either, select};
use tokio::sync::OnceCell;

use super::provider::ProviderConfig;
use crate::{DragChallenge, DragSolver, PastCall, Solution, SolveError, TrackRecord, async_trait};

/// As many as a record remembers.
const REMEMBERED: u32 = 100;

/// What a provider is called there. Of another kind it is another one, with any name.
pub(super) fn name_in_store(provider: &ProviderConfig) -> String {
    format!("{}/{}", provider.kind(), provider.label())
}

/// Has each call noted in the store from now on. No call waits for that.
pub(super) fn note(name: String, record: &TrackRecord, store: &StoreHandle) {
    let store = store.clone();
    record.set_observer(Some(Arc::new(move |call: &PastCall| {
        let ended = store.now().checked_sub(call.age);
        drop(store.record(Fact::Called(CallRecord {
            key: call.key,
            solver: name.clone(),
            ended: ended.unwrap_or(Timestamp::MIN),
            took: call.took,
            good: call.good,
            spent: call.spent,
            job: call.job.clone(),
        })));
    })));
}

/// A chain that reads what its providers did before, while its first calls are under way: none of them waits for it, or
/// fails because of it. It prints itself as what it wraps.
pub(super) struct Remembering {
    pub(super) inner: Arc<dyn DragSolver>,
    pub(super) store: StoreHandle,
    pub(super) window: Duration,
    /// The records, and what their providers are called in the store.
    pub(super) records: Vec<(String, TrackRecord)>,
    pub(super) has_read: OnceCell<()>,
}

impl Remembering {
    /// Reads them, once. What cannot be read is read by the next call.
    async fn read(&self) {
        // What is wrong with the store, it says to those who need it.
        let _ = self.has_read.get_or_try_init(|| self.read_all()).await;
    }

    async fn read_all(&self) -> Result<(), StoreError> {
        for (name, record) in &self.records {
            let now = self.store.now();
            let since = now.checked_sub(self.window).unwrap_or(Timestamp::MIN);
            let calls = self.store.calls(name, since, REMEMBERED).await?;
            record.add_known(calls.into_iter().map(|call| {
                PastCall {
                    key: call.key,
                    // Of a process whose clock is ahead: it ended just now.
                    age: now
                        .duration_since(call.ended)
                        .try_into()
                        .unwrap_or_default(),
                    took: call.took,
                    good: call.good,
                    // Nothing is paid back for a call: another program wrote that.
                    spent: call.spent.filter(|spent| !spent.is_negative()),
                    job: call.job,
                }
            }));
        }
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Remembering {
    forward_solver!(inner: name, report, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let solve = self.inner.solve(challenge);
        if self.has_read.initialized() {
            return solve.await;
        }
        let read = std::pin::pin!(self.read());
        match select(read, solve).await {
            Either::Left(((), solve)) => solve.await,
            Either::Right((outcome, _)) => outcome,
        }
    }
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
