//! Keys that are nobody else's.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A number from 1 up that no other call of any process has, but for a chance of one in 2^63: so what is
/// written can be named before it is written.
pub(crate) fn new_key() -> i64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Each state has keys of its own, which come from the system's randomness.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new().hash_one((count, std::process::id()));
    i64::try_from(random >> 1).unwrap_or(i64::MAX).max(1)
}
