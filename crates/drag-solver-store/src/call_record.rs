//! What solvers did recently, so that who is asked first is known from the start.

use std::fmt::Display;
use std::time::Duration;

use drag_solver_core::{JobId, Usd};
use jiff::Timestamp;

/// Of each solver the last so many calls are kept.
pub(crate) const CALLS_KEPT: i64 = 100;

/// The latest time, in milliseconds, at which a call can have ended: a minute from now, as clocks differ. What is later is of a
/// clock that was wrong, and would stand before all that comes until then.
pub(crate) fn latest(now: jiff::Timestamp) -> i64 {
    now.as_millisecond().saturating_add(60_000)
}

/// A call of a solver that has ended, as it is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // made by those who write facts
pub struct CallRecord {
    /// Its key, which is unique.
    pub key: i64,
    /// Name of the solver, as those who ask for its calls know it.
    pub solver: String,
    /// When it ended, to the millisecond.
    pub ended: Timestamp,
    /// How long it took, to the millisecond.
    pub took: Duration,
    /// Whether it came to an answer that is not known to be wrong.
    pub good: bool,
    /// What it cost, in US dollars; `None` if that is not known.
    pub spent: Option<Usd>,
    /// The job behind an answer.
    pub job: Option<JobId>,
}

impl CallRecord {
    /// How long it took, in milliseconds.
    pub(crate) fn took_millis(&self) -> i64 {
        i64::try_from(self.took.as_millis()).unwrap_or(i64::MAX)
    }
}

/// So many milliseconds, as a store has them. Less than none is none.
pub(crate) fn took(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// The calls that can be read: what else is known of a solver is of use without one that is damaged.
pub(crate) fn readable<E: Display>(
    calls: impl IntoIterator<Item = Result<CallRecord, E>>,
    is_of_row: impl Fn(&E) -> bool,
) -> Result<Vec<CallRecord>, E> {
    let mut readable = Vec::new();
    for call in calls {
        match call {
            Ok(call) => readable.push(call),
            Err(error) if is_of_row(&error) => {
                tracing::warn!(%error, "a call on record cannot be read: it is left out");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(readable)
}
