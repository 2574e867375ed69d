//! The time that all processes go by.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::problem::{Problem, Result};

/// Reads the server's clock.
pub(super) const TIME: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// The server's time, as far as it is known: machines need not agree, and it continues between two readings.
#[derive(Default)]
pub(super) struct ServerClock(Mutex<Option<(Timestamp, Instant)>>);

impl ServerClock {
    pub(super) fn now(&self) -> Timestamp {
        let read = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = read.and_then(|(time, at)| time.checked_add(at.elapsed()).ok());
        now.unwrap_or_else(Timestamp::now)
    }

    /// Of what [`TIME`] answers.
    pub(super) fn set(&self, micros: i64) -> Result<()> {
        let time = Timestamp::from_microsecond(micros).map_err(Problem::unreadable)?;
        let at = Instant::now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((time, at));
        Ok(())
    }
}
