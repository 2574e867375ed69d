//! What one solver of a fallback did recently.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{JobId, Usd};
use tokio::time::Instant;

use super::figures::Figures;
use crate::sync::{Mutex, lock};

/// How many calls of a solver are remembered at most.
pub(super) const REMEMBERED: usize = 100;

/// What one solver of an [ordered](crate::Fallback::ordered) fallback did recently: its last 100 calls. Clones
/// are the same record.
///
/// Keep it to hand it to [another](crate::Fallback::with_track_records) fallback that takes this one's place. To
/// have it outlive the process, write down what [an observer](Self::set_observer) is told, and
/// [add](Self::add_known) it again; a chain from a file that has a store does so by itself.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use drag_solver_combinators::{DragSolverExt, OrderPolicy, PastCall, TrackRecord};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = fixtures::challenge();
/// # let broken = MockSolver::new("broken").always(ErrorKind::Unavailable);
/// # let steady = MockSolver::new("steady").always(fixtures::drag());
/// let chain = broken.or(steady).ordered(OrderPolicy::default());
/// let written = Arc::new(Mutex::new(Vec::new()));
/// let observer = {
///     let written = Arc::clone(&written);
///     Arc::new(move |call: &PastCall| written.lock().unwrap().push(call.clone()))
/// };
/// chain.track_records()[0].set_observer(Some(observer));
/// chain.solve(&challenge).await?;
///
/// let restarted = TrackRecord::default();
/// restarted.add_known(written.lock().unwrap().clone());
/// assert_eq!(restarted.calls(), chain.track_records()[0].calls());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct TrackRecord(Arc<Mutex<State>>);

/// Called when a call has ended; and again, with the same [`key`](PastCall::key), when its answer turned out to be
/// wrong.
pub type CallObserver = Arc<dyn Fn(&PastCall) + Send + Sync>;

/// A call of a solver that has ended, as its [`TrackRecord`] remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // made by those who have written it down
pub struct PastCall {
    /// Tells it from all other calls, those of other processes included, but for a chance of one in 2^63.
    pub key: i64,
    /// How long ago it ended.
    pub age: Duration,
    /// How long it took.
    pub took: Duration,
    /// Whether it came to an answer that is not known to be wrong.
    pub good: bool,
    /// What it cost, or costs if it is billed, in US dollars; `None` if neither a cost nor a price is known.
    pub spent: Option<Usd>,
    /// The job behind an answer, so that a verdict finds it.
    pub job: Option<JobId>,
}

impl PastCall {
    /// A call that ends now.
    pub(super) fn ended(
        took: Duration,
        good: bool,
        spent: Option<Usd>,
        job: Option<JobId>,
    ) -> Self {
        // Each state has keys of its own, which come from the system's randomness.
        let random = RandomState::new().hash_one(took) >> 1;
        Self {
            key: i64::try_from(random).unwrap_or(i64::MAX),
            age: Duration::ZERO,
            took,
            good,
            spent,
            job,
        }
    }
}

#[derive(Default)]
struct State {
    calls: VecDeque<Entry>, // the latest call at the end
    observer: Option<CallObserver>,
}

struct Entry {
    /// With the age that it had then. Not the instant of its end: that may be before the system was started, where
    /// there are no instants.
    call: PastCall,
    then: Instant,
}

impl Entry {
    fn age(&self) -> Duration {
        self.call.age.saturating_add(self.then.elapsed())
    }

    fn now(&self) -> PastCall {
        PastCall {
            age: self.age(),
            ..self.call.clone()
        }
    }
}

impl TrackRecord {
    /// The calls that are remembered, the latest at the end.
    #[must_use]
    pub fn calls(&self) -> Vec<PastCall> {
        lock(&self.0).calls.iter().map(Entry::now).collect()
    }

    /// Adds calls that are known from before, each once, in any order. The observer is not told of them.
    pub fn add_known(&self, calls: impl IntoIterator<Item = PastCall>) {
        let then = Instant::now();
        let state = &mut *lock(&self.0);
        for call in calls {
            if state.calls.iter().all(|own| own.call.key != call.key) {
                state.calls.push_back(Entry { call, then });
            }
        }
        let all = state.calls.make_contiguous();
        all.sort_by_key(|entry| std::cmp::Reverse(entry.age()));
        let surplus = state.calls.len().saturating_sub(REMEMBERED);
        state.calls.drain(..surplus);
    }

    /// Has each change told from now on to this observer alone, or to none. It is called where a call ends, and
    /// must not wait.
    pub fn set_observer(&self, observer: Option<CallObserver>) {
        lock(&self.0).observer = observer;
    }

    /// Adds a call that has just ended.
    pub(super) fn add(&self, call: PastCall) {
        let told = {
            let mut state = lock(&self.0);
            if state.calls.len() >= REMEMBERED {
                state.calls.pop_front();
            }
            let observer = state.observer.clone();
            let told = observer.map(|observer| (observer, call.clone()));
            let then = Instant::now();
            state.calls.push_back(Entry { call, then });
            told
        };
        tell(told);
    }

    /// The answer of this job turned out to be wrong: its call was none that succeeded. An answer without a job cannot
    /// be told from others, and the latest one is taken for it.
    pub(super) fn was_wrong(&self, job: Option<&JobId>) {
        let told = {
            let mut state = lock(&self.0);
            let mut calls = state.calls.iter_mut().rev();
            let found = calls.find(|one| one.call.good && one.call.job.as_ref() == job);
            let Some(entry) = found else {
                return;
            };
            entry.call.good = false;
            let call = entry.now();
            state.observer.clone().map(|observer| (observer, call))
        };
        tell(told);
    }

    /// Forgets what ended longer ago than `window`, and says what is left.
    pub(super) fn figures(&self, window: Duration) -> Figures {
        let mut state = lock(&self.0);
        state.calls.retain(|entry| entry.age() < window);
        Figures::of(state.calls.iter().map(|entry| &entry.call))
    }
}

/// Not while the record is locked: the observer may look at it.
fn tell(told: Option<(CallObserver, PastCall)>) {
    if let Some((observer, call)) = told {
        observer(&call);
    }
}

impl fmt::Debug for TrackRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackRecord").field(&self.calls()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::secs;

    fn call(key: i64, age: u64) -> PastCall {
        PastCall {
            key,
            age: secs(age),
            ..PastCall::ended(secs(3), true, None, None)
        }
    }

    fn keys(record: &TrackRecord) -> Vec<i64> {
        record.calls().iter().map(|call| call.key).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_from_before_comes_before_what_happened_since_and_once() {
        let record = TrackRecord::default();
        record.add(call(3, 0));
        tokio::time::advance(secs(10)).await;
        record.add_known([call(2, 20), call(1, 30), call(3, 10)]);
        assert_eq!(keys(&record), [1, 2, 3]);
        tokio::time::advance(secs(5)).await;
        let ages: Vec<_> = record
            .calls()
            .iter()
            .map(|call| call.age.as_secs())
            .collect();
        assert_eq!(ages, [35, 25, 15]);
        assert_eq!(record.figures(secs(25)).calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_keeps_the_latest() {
        let record = TrackRecord::default();
        record.add_known((0..1_000).map(|age| call(age, age.unsigned_abs())));
        assert_eq!(keys(&record), (0..100).rev().collect::<Vec<_>>());
        for key in 2_000..2_100 {
            record.add(call(key, 0));
        }
        assert_eq!(keys(&record), (2_000..2_100).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn an_observer_hears_what_happens_here_and_not_what_it_told() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let record = TrackRecord::default();
        let (of_observer, same) = (Arc::clone(&heard), record.clone());
        record.set_observer(Some(Arc::new(move |call: &PastCall| {
            assert!(!same.calls().is_empty(), "it may look at the record");
            lock(&of_observer).push((call.key, call.good));
        })));
        record.add_known([call(1, 9)]);
        record.add(call(2, 0));
        record.was_wrong(None);
        record.was_wrong(Some(&JobId::from(7)));
        assert_eq!(*lock(&heard), [(2, true), (2, false)]);
        record.set_observer(None);
        record.add(call(3, 0));
        assert_eq!(lock(&heard).len(), 2);
    }

    #[test]
    fn keys_are_positive_and_differ() {
        let key = || PastCall::ended(secs(1), true, None, None).key;
        let keys: std::collections::HashSet<i64> = (0..1_000).map(|_| key()).collect();
        assert_eq!(keys.len(), 1_000);
        assert!(keys.iter().all(|&key| key >= 0));
    }
}
