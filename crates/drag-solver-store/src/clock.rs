//! Wall-clock time: what is on record outlives the process, and so does its time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Says what time it is. The system's clock, unless a test has one of its own.
///
/// A clock that jumps makes nothing be paid twice at once: it moves the day of a budget and the end of a lease, and a
/// call whose lease ended too early may no longer buy. One that shows a time far ahead makes the store forget what is
/// old by that time, see [`Retention`](crate::Retention).
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(Timestamp::now)
    }

    /// The time that `now` says.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// A clock that shows `start` now and goes with tokio's, which tests can pause.
    #[must_use]
    pub fn tokio(start: Timestamp) -> Self {
        let begun = tokio::time::Instant::now();
        Self::from_fn(move || after(start, begun.elapsed()))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// So long after `start`; at the end of all time if that is later.
pub(crate) fn after(start: Timestamp, length: Duration) -> Timestamp {
    start.checked_add(length).unwrap_or(Timestamp::MAX)
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.now())
    }
}
