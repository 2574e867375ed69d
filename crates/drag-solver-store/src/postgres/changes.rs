//! Who waits for a challenge to end, wherever that happens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::timeout;

/// What a challenge is called where its end is told: a few bytes for any id.
pub(super) type Mark = u64;

/// The mark of this id.
pub(super) fn mark(id: &str) -> Mark {
    let hash = Sha256::digest(id.as_bytes());
    hash[..8]
        .iter()
        .fold(0, |n, byte| n << 8 | u64::from(*byte))
}

pub(super) struct Changes {
    table: Arc<Mutex<Table>>,
    /// How long it is waited for word of a change: it may have been lost.
    longest: Duration,
}

type Table = HashMap<Mark, Waited>;

struct Waited {
    notify: Arc<Notify>,
    /// How many wait.
    count: usize,
}

impl Changes {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            table: Arc::default(),
            longest,
        }
    }

    /// Ends when this challenge has changed, or after a while.
    pub(super) fn of(&self, id: &str) -> BoxFuture<'static, ()> {
        let mark = mark(id);
        let mut table = lock(&self.table);
        let waited = table.entry(mark).or_insert_with(|| Waited {
            notify: Arc::default(),
            count: 0,
        });
        waited.count += 1;
        let notify = Arc::clone(&waited.notify);
        let changed = Arc::clone(&notify).notified_owned();
        let waiting = Waiting {
            table: Arc::clone(&self.table),
            mark,
            notify,
        };
        let longest = self.longest;
        async move {
            let _ = timeout(longest, changed).await;
            drop(waiting);
        }
        .boxed()
    }

    pub(super) fn wake(&self, mark: Mark) {
        let waited = lock(&self.table).remove(&mark);
        if let Some(waited) = waited {
            waited.notify.notify_waiters();
        }
    }

    /// Word of a change may have been lost.
    pub(super) fn wake_all(&self) {
        for (_, waited) in lock(&self.table).drain() {
            waited.notify.notify_waiters();
        }
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One who waits. The last one leaves nothing behind.
struct Waiting {
    table: Arc<Mutex<Table>>,
    mark: Mark,
    notify: Arc<Notify>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        let Some(waited) = table.get_mut(&self.mark) else {
            return;
        };
        // Who was woken is in the table no more, and others may be.
        if Arc::ptr_eq(&waited.notify, &self.notify) {
            waited.count -= 1;
            if waited.count == 0 {
                table.remove(&self.mark);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_change_after_the_question_is_not_missed() {
        let changes = Changes::new(LONGEST);
        let (first, second, other) = (changes.of("a"), changes.of("a"), changes.of("b"));
        changes.wake(mark("a"));
        let begun = Instant::now();
        tokio::join!(first, second);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        other.await;
        assert_eq!(begun.elapsed(), LONGEST);
        assert!(lock(&changes.table).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_no_longer_waits_leaves_nothing_behind() {
        let changes = Changes::new(LONGEST);
        let (first, second) = (changes.of("a"), changes.of("a"));
        drop(first);
        assert_eq!(lock(&changes.table).len(), 1);
        drop(second);
        assert!(lock(&changes.table).is_empty());
        let third = changes.of("a");
        changes.wake_all();
        third.await;
        assert!(lock(&changes.table).is_empty());
    }
}
