//! How a store is opened.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::{Clock, Retention};

/// How a [`SqliteStore`](crate::SqliteStore) is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long a process that hangs keeps what it has taken up. Default: 15 s. One that has ended keeps it no
    /// longer than it lives.
    pub lease: Duration,
    /// How long to wait while another process writes. Default: 5 s.
    pub busy_timeout: Duration,
    /// How long things are kept. They are forgotten when the store is opened, and once an hour. `None`: for
    /// ever, until [`Store::prune`](crate::Store::prune) is called. Default: [`Retention::default`].
    pub retention: Option<Retention>,
    /// What time it is. Default: the system's clock.
    pub clock: Clock,
    /// The most pages that the file may have, read before each transaction: for tests of a full disk.
    #[doc(hidden)]
    pub max_pages: Option<Arc<AtomicU32>>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            busy_timeout: Duration::from_secs(5),
            retention: Some(Retention::default()),
            clock: Clock::system(),
            max_pages: None,
        }
    }
}

impl SqliteOptions {
    drag_solver_core::setters! { lease: Duration, busy_timeout: Duration }

    /// Replaces how long things are kept.
    #[must_use]
    pub fn retention(mut self, retention: impl Into<Option<Retention>>) -> Self {
        self.retention = retention.into();
        self
    }

    /// Replaces the clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn max_pages(mut self, max_pages: Arc<AtomicU32>) -> Self {
        self.max_pages = Some(max_pages);
        self
    }
}
