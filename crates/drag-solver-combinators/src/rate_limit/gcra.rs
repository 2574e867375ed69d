//! The generic cell rate algorithm: one instant stands for all the calls there ever were.

use std::time::Duration;

use tokio::time::Instant;

/// When the next call may be made.
///
/// `fair` is the instant at which the next call would come if all calls were spread evenly. Calls may
/// come early, by `tolerance` at the most; each moves `fair` on by `interval`.
#[derive(Debug)]
pub(super) struct Gcra {
    interval: Duration,
    tolerance: Duration,
    origin: Instant,
    /// Counted from `origin`, so that nothing can underflow.
    fair: Duration,
}

/// A call that was let through, to be undone if nothing came of it.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(super) struct Slot {
    before: Duration,
    after: Duration,
}

impl Gcra {
    pub(super) fn new(interval: Duration, burst: u32, now: Instant) -> Self {
        Self {
            interval,
            tolerance: interval.saturating_mul(burst - 1),
            origin: now,
            fair: Duration::ZERO,
        }
    }

    /// When a call may be made after `ahead` others that wait: `now`, or later, or `None` if the
    /// clock does not reach as far.
    pub(super) fn earliest(&self, ahead: u32, now: Instant) -> Option<Instant> {
        let fair = self.fair.max(self.since_origin(now));
        let wait = self.interval.saturating_mul(ahead);
        let earliest = fair.saturating_add(wait).saturating_sub(self.tolerance);
        Some(self.origin.checked_add(earliest)?.max(now))
    }

    /// Counts a call that is made now.
    pub(super) fn take(&mut self, now: Instant) -> Slot {
        let before = self.fair;
        let fair = before.max(self.since_origin(now));
        self.fair = fair.saturating_add(self.interval);
        Slot {
            before,
            after: self.fair,
        }
    }

    /// Undoes a call of which nothing came. Not possible once there was another: it would be as if
    /// that one had come earlier than it did.
    pub(super) fn give_back(&mut self, slot: Slot) {
        if self.fair == slot.after {
            self.fair = slot.before;
        }
    }

    fn since_origin(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(100);

    /// How long after `begun` the next call may be made.
    fn next(gcra: &Gcra, begun: Instant, at: u64) -> u128 {
        let now = begun + Duration::from_millis(at);
        let earliest = gcra.earliest(0, now).unwrap();
        (earliest - begun).as_millis()
    }

    #[test]
    fn a_burst_is_spent_at_once_and_comes_back_an_interval_at_a_time() {
        let begun = Instant::now();
        let mut gcra = Gcra::new(INTERVAL, 3, begun);
        for _ in 0..3 {
            assert_eq!(next(&gcra, begun, 0), 0);
            let _ = gcra.take(begun);
        }
        assert_eq!(next(&gcra, begun, 0), 100);
        assert_eq!(next(&gcra, begun, 100), 100);
        assert_eq!(gcra.earliest(2, begun), Some(begun + 3 * INTERVAL));
        // After a long silence there is the burst again, and not a call more.
        let later = begun + Duration::from_secs(9);
        for _ in 0..3 {
            assert_eq!(next(&gcra, begun, 9_000), 9_000);
            let _ = gcra.take(later);
        }
        assert_eq!(next(&gcra, begun, 9_000), 9_100);
    }

    #[test]
    fn a_slot_is_given_back_only_if_nobody_came_after() {
        let begun = Instant::now();
        let mut gcra = Gcra::new(INTERVAL, 1, begun);
        let slot = gcra.take(begun);
        gcra.give_back(slot);
        assert_eq!(next(&gcra, begun, 0), 0);
        let slot = gcra.take(begun);
        let _ = gcra.take(begun + INTERVAL);
        gcra.give_back(slot);
        assert_eq!(next(&gcra, begun, 100), 200, "two calls at once otherwise");
    }
}
