//! The generic cell rate algorithm: one instant stands for all the calls there ever were.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::from_nanos;

/// When the next call may be made.
///
/// `fair` is the instant at which the next call would come if all calls were spread evenly. Calls may
/// come early, by at most `tolerance`; each moves `fair` on by `interval`.
#[derive(Debug)]
pub(super) struct Gcra {
    interval: Duration,
    tolerance: Duration,
    origin: Instant,
    /// Counted from `origin`, so that nothing can underflow.
    fair: Duration,
    /// The latest calls, as long as each may yet turn out not to have been made.
    pending: Vec<Pending>,
    next_id: u64,
}

#[derive(Debug)]
struct Pending {
    id: u64,
    /// What `fair` was before it.
    before: Duration,
    was_given_back: bool,
}

impl Gcra {
    pub(super) fn new(interval: Duration, burst: u32, now: Instant) -> Self {
        Self {
            interval,
            tolerance: tolerance(interval, burst),
            origin: now,
            fair: Duration::ZERO,
            pending: Vec::new(),
            next_id: 0,
        }
    }

    /// Calls are spread otherwise from now on. Those that were made count as before, and each takes up an
    /// interval of the new length, from when it was made.
    pub(super) fn respace(&mut self, interval: Duration, burst: u32, now: Instant) {
        let (now, old) = (self.since_origin(now), self.interval);
        let stretch = |fair: Duration| {
            let ahead = fair.saturating_sub(now).as_nanos();
            if ahead == 0 || old.is_zero() {
                return fair;
            }
            let calls = ahead.div_ceil(old.as_nanos());
            let gone_by = from_nanos(calls * old.as_nanos() - ahead); // of the first one's interval
            let ahead = from_nanos(calls.saturating_mul(interval.as_nanos()));
            now.saturating_add(ahead).saturating_sub(gone_by)
        };
        self.fair = stretch(self.fair);
        for pending in &mut self.pending {
            pending.before = stretch(pending.before);
        }
        self.interval = interval;
        self.tolerance = tolerance(interval, burst);
    }

    /// When a call may be made after `ahead` others that wait: `now`, or later, or `None` if the
    /// clock does not reach as far.
    pub(super) fn earliest(&self, ahead: u32, now: Instant) -> Option<Instant> {
        let fair = self.fair.max(self.since_origin(now));
        let wait = self.interval.saturating_mul(ahead);
        let earliest = fair.saturating_add(wait).saturating_sub(self.tolerance);
        Some(self.origin.checked_add(earliest)?.max(now))
    }

    /// Counts a call that is made now, and returns its id.
    pub(super) fn take(&mut self, now: Instant) -> u64 {
        let (id, before) = (self.next_id, self.fair);
        self.next_id += 1;
        self.pending.push(Pending {
            id,
            before,
            was_given_back: false,
        });
        let fair = before.max(self.since_origin(now));
        self.fair = fair.saturating_add(self.interval);
        id
    }

    /// The call was made, and so those before it stay counted, too: without them it would have come
    /// earlier than it did.
    pub(super) fn keep(&mut self, id: u64) {
        self.pending.retain(|pending| pending.id > id);
    }

    /// The call was not made: it is undone once all those after it are.
    pub(super) fn give_back(&mut self, id: u64) {
        let call = self.pending.iter_mut().find(|pending| pending.id == id);
        if let Some(call) = call {
            call.was_given_back = true;
        }
        while let Some(last) = self.pending.pop_if(|last| last.was_given_back) {
            self.fair = last.before;
        }
    }

    fn since_origin(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.origin)
    }
}

/// How much earlier than its fair instant a call of a burst may come.
fn tolerance(interval: Duration, burst: u32) -> Duration {
    interval.saturating_mul(burst.saturating_sub(1))
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
            gcra.take(begun);
        }
        assert_eq!(next(&gcra, begun, 0), 100);
        assert_eq!(next(&gcra, begun, 100), 100);
        assert_eq!(gcra.earliest(2, begun), Some(begun + 3 * INTERVAL));
        // After a long silence there is the burst again, and not a call more.
        let later = begun + Duration::from_secs(9);
        for _ in 0..3 {
            assert_eq!(next(&gcra, begun, 9_000), 9_000);
            gcra.take(later);
        }
        assert_eq!(next(&gcra, begun, 9_000), 9_100);
    }

    #[test]
    fn calls_that_were_made_count_by_the_new_interval() {
        let begun = Instant::now();
        for (interval, expected) in [(1_000, 2_100), (10, 120)] {
            let mut gcra = Gcra::new(INTERVAL, 1, begun);
            gcra.take(begun);
            gcra.take(begun + INTERVAL);
            let undone = gcra.take(begun + INTERVAL);
            // At 100 ms, the next call is two intervals away.
            gcra.respace(Duration::from_millis(interval), 1, begun + INTERVAL);
            assert_eq!(next(&gcra, begun, 100), expected);
            gcra.give_back(undone);
            assert_eq!(next(&gcra, begun, 100), 100 + u128::from(interval));
        }
        let mut gcra = Gcra::new(INTERVAL, 1, begun);
        gcra.take(begun);
        gcra.respace(INTERVAL, 3, begun);
        assert_eq!(next(&gcra, begun, 0), 0, "a burst of three has two left");
        gcra.take(begun);
        gcra.take(begun);
        assert_eq!(next(&gcra, begun, 0), 100);
        gcra.respace(Duration::MAX, u32::MAX, begun);
        gcra.respace(Duration::ZERO, 1, begun);
        gcra.respace(INTERVAL, 1, begun);
    }

    #[test]
    fn a_slot_is_given_back_only_if_no_call_was_made_after() {
        let begun = Instant::now();
        let mut gcra = Gcra::new(INTERVAL, 1, begun);
        let slot = gcra.take(begun);
        gcra.give_back(slot);
        assert_eq!(next(&gcra, begun, 0), 0);
        let slot = gcra.take(begun);
        let after = gcra.take(begun + INTERVAL);
        gcra.give_back(slot);
        assert_eq!(next(&gcra, begun, 100), 200, "two calls at once otherwise");
        gcra.keep(after);
        assert_eq!(next(&gcra, begun, 100), 200);
        assert!(gcra.pending.is_empty());
    }

    #[test]
    fn slots_of_calls_that_were_never_made_come_back_in_any_order() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
            let begun = Instant::now();
            let mut gcra = Gcra::new(INTERVAL, 4, begun);
            let made = gcra.take(begun);
            let slots = [gcra.take(begun), gcra.take(begun), gcra.take(begun)];
            gcra.keep(made);
            for index in order {
                gcra.give_back(slots[index]);
            }
            assert_eq!(gcra.fair, INTERVAL, "{order:?}");
            assert!(gcra.pending.is_empty());
        }
    }
}
