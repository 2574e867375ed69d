//! The locks of this crate's shared state, in one place: the loom models in `tests/loom.rs` compile
//! the same state over loom's.

use std::sync::{MutexGuard, PoisonError};

pub(crate) use std::sync::Mutex;

/// Locks. Nothing panics while it holds one of these locks, and state that is plain data stays
/// usable even then.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
