//! How long a solver's answers take, from calls of which some were not waited for to their end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::Ratio;

use crate::sync::{Mutex, lock};

/// How many calls of a solver are remembered: enough for the 0.99 quantile, and few enough to
/// follow a provider that changes during a day.
pub(crate) const REMEMBERED: usize = 200;

/// How long one call took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    time: Duration,
    /// No answer had come by then, and no call waited any longer. Sorts behind an answer of the same
    /// time.
    censored: bool,
}

/// How long the latest calls of one solver of a [`Hedge`](crate::Hedge) took. Clones are the same ones.
///
/// Keep them to hand them to [another](crate::Hedge::with_latencies) hedge that takes this one's place.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Arc<Mutex<VecDeque<Sample>>>);

impl Latencies {
    /// An answer came.
    pub(super) fn answered(&self, after: Duration) {
        self.add(after, false);
    }

    /// No answer had come by then. How long it would have taken is not known; but longer.
    pub(super) fn not_yet_answered(&self, by: Duration) {
        self.add(by, true);
    }

    fn add(&self, time: Duration, censored: bool) {
        let mut samples = lock(&self.0);
        if samples.len() == REMEMBERED {
            samples.pop_front();
        }
        samples.push_back(Sample { time, censored });
    }

    /// The time within which this part of all calls would be answered, if they were waited for.
    /// `None` with fewer than `min_answers` answers.
    ///
    /// This is the estimate of Kaplan and Meier (1958). Leaving out the calls that lost a race, or
    /// taking the time at which they lost for their latency, would make the quantile too low; the
    /// next hedge would start earlier, more calls would lose, and so on down. If so many lost that
    /// the quantile lies beyond all that was seen, the longest time seen is returned.
    pub(super) fn quantile(&self, quantile: Ratio, min_answers: usize) -> Option<Duration> {
        let mut sorted: Vec<Sample> = lock(&self.0).iter().copied().collect();
        let answers = sorted.iter().filter(|sample| !sample.censored);
        if answers.count() < min_answers {
            return None;
        }
        sorted.sort_unstable();
        let mut open = 1.0; // the part of all calls that has no answer yet
        for (index, sample) in sorted.iter().enumerate() {
            if sample.censored {
                continue;
            }
            #[allow(clippy::cast_precision_loss)] // at most 200
            let waiting = (sorted.len() - index) as f64;
            open *= (waiting - 1.0) / waiting;
            if 1.0 - open >= quantile.get() - 1e-9 {
                return Some(sample.time);
            }
        }
        sorted.last().map(|sample| sample.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jitter::Jitter;

    fn ratio(part: f64) -> Ratio {
        Ratio::new(part).unwrap()
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn without_losers_it_is_the_usual_quantile() {
        let latencies = Latencies::default();
        for seconds in (1..=100).rev() {
            latencies.answered(secs(seconds));
        }
        assert_eq!(latencies.quantile(ratio(0.5), 1), Some(secs(50)));
        assert_eq!(latencies.quantile(ratio(0.95), 1), Some(secs(95)));
        assert_eq!(latencies.quantile(ratio(0.001), 1), Some(secs(1)));
    }

    #[test]
    fn too_few_answers_say_nothing_and_losers_are_no_answers() {
        let latencies = Latencies::default();
        for _ in 0..19 {
            latencies.answered(secs(3));
        }
        latencies.not_yet_answered(secs(9));
        assert_eq!(latencies.quantile(ratio(0.9), 20), None);
        latencies.answered(secs(3));
        assert_eq!(latencies.quantile(ratio(0.9), 20), Some(secs(3)));
    }

    #[test]
    fn losers_do_not_drag_the_quantile_down() {
        let latency = Jitter::seeded(1);
        let other = Jitter::seeded(2);
        let latencies = Latencies::default();
        let mut without_losers = Vec::new();
        let mut as_if_answered = Vec::new();
        for _ in 0..REMEMBERED {
            // Takes up to 100 s, and half of the calls are lost to a solver that takes up to 200 s.
            let takes = Duration::from_secs_f64(100.0 * latency.fraction());
            let lost_at = Duration::from_secs_f64(200.0 * other.fraction());
            if takes <= lost_at {
                latencies.answered(takes);
                without_losers.push(takes);
            } else {
                latencies.not_yet_answered(lost_at);
            }
            as_if_answered.push(takes.min(lost_at));
        }
        let naive = |mut times: Vec<Duration>| {
            times.sort_unstable();
            times[times.len() * 8 / 10].as_secs()
        };
        let estimate = latencies.quantile(ratio(0.8), 20).unwrap().as_secs();
        assert!(
            (76..=84).contains(&estimate),
            "{estimate} s, and 80 s is right"
        );
        assert!(naive(without_losers) < 76);
        assert!(naive(as_if_answered) < 76);
    }

    #[test]
    fn a_quantile_beyond_all_that_was_seen_is_the_longest_time_seen() {
        let latencies = Latencies::default();
        for _ in 0..60 {
            latencies.answered(secs(3));
            latencies.not_yet_answered(secs(12));
        }
        assert_eq!(latencies.quantile(ratio(0.5), 20), Some(secs(3)));
        assert_eq!(latencies.quantile(ratio(0.9), 20), Some(secs(12)));
    }

    #[test]
    fn old_calls_are_forgotten() {
        let latencies = Latencies::default();
        for _ in 0..REMEMBERED {
            latencies.answered(secs(60));
        }
        for _ in 0..REMEMBERED {
            latencies.answered(secs(2));
        }
        assert_eq!(latencies.quantile(ratio(0.99), 1), Some(secs(2)));
        assert_eq!(lock(&latencies.0).len(), REMEMBERED);
    }
}
