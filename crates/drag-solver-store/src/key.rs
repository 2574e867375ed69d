//! Keys that are unique.

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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_comes_twice_and_each_is_a_number_from_all_there_are() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..2_500).map(|_| new_key()).collect::<Vec<_>>()))
            .collect();
        let keys: HashSet<i64> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(keys.len(), 10_000);
        assert!(keys.iter().all(|&key| key > 0));
        for bit in 0..63 {
            let set = keys.iter().filter(|&&key| key >> bit & 1 == 1).count();
            assert!((4_000..6_000).contains(&set), "bit {bit} of {set} keys");
        }
    }
}
