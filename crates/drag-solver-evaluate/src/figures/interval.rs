//! What is estimated from a sample, and how well.

use serde::Serialize;

/// The quantile of the normal distribution that 95 % intervals reach to.
const Z: f64 = 1.959_963_984_540_054;

/// A figure that was estimated from a sample, and the interval that holds the true one with 95 %: of a hundred
/// evaluations of the same solver, some five give an interval that does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(clippy::exhaustive_structs)] // a number and two bounds
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound. Infinite, and `null` in JSON, if the sample is too small for one.
    pub high: f64,
}

impl Estimate {
    /// Whether `value` is within the bounds.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// The share `part` of `whole`, with Wilson's interval: it stays between 0 and 1, and means something for shares
/// near them. `None` of none.
///
/// ```
/// let share = drag_solver_evaluate::figures::wilson(97, 100).unwrap();
/// assert!((share.low - 0.9155).abs() < 0.0001 && (share.high - 0.9897).abs() < 0.0001);
/// ```
#[must_use]
pub fn wilson(part: u64, whole: u64) -> Option<Estimate> {
    if whole == 0 {
        return None;
    }
    let (n, share) = (float(whole), float(part.min(whole)) / float(whole));
    let centre = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(Estimate {
        value: share,
        low: (centre - half).max(0.0).min(share),
        high: (centre + half).min(1.0).max(share),
    })
}

/// The `q` quantile of a sample of what cannot be less than zero, with an interval that supposes nothing about its
/// distribution: its bounds are two of the sample, by their ranks. `None` of none.
///
/// The value is the smallest of the sample that at least the share `q` of it does not exceed.
#[must_use]
pub fn quantile(sample: &[f64], q: f64) -> Option<Estimate> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    of_sorted(&sorted, q)
}

/// [`quantile`] of what is sorted already.
pub(crate) fn of_sorted(sorted: &[f64], q: f64) -> Option<Estimate> {
    let n = sorted.len();
    let (q, count) = (q.clamp(0.0, 1.0), float(n as u64));
    let value = *sorted.get(rank(count * q).clamp(1, n.max(1)) - 1)?;
    let half = Z * (count * q * (1.0 - q)).sqrt();
    let low = match rank((count * q - half).floor()) {
        0 => 0.0,
        below => sorted.get(below - 1).copied().unwrap_or(value),
    };
    let above = rank((count * q + half).ceil()) + 1;
    let high = sorted.get(above - 1).copied().unwrap_or(f64::INFINITY);
    Some(Estimate { value, low, high })
}

/// A rank of a sorted sample, counted from 1; 0 for what is below it.
fn rank(place: f64) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
    let rank = (place - 1e-9).ceil() as usize;
    rank
}

/// The sum of the first numbers over the sum of the second ones, as of money and of right answers, of which each pair
/// belongs to one call. `None` if the second sum is nothing.
#[must_use]
pub fn ratio(pairs: &[(f64, f64)]) -> Option<Estimate> {
    let n = float(pairs.len() as u64);
    let (above, below) = pairs.iter().fold((0.0, 0.0), |(above, below), pair| {
        (above + pair.0, below + pair.1)
    });
    if below <= 0.0 {
        return None;
    }
    let value = above / below;
    // What the ratio moves by with one call, to the first order.
    let squares: f64 = pairs
        .iter()
        .map(|(one, other)| (one - value * other).powi(2))
        .sum();
    let half = if pairs.len() < 2 {
        f64::INFINITY
    } else {
        Z * (squares / (n - 1.0) / n).sqrt() / (below / n)
    };
    Some(Estimate {
        value,
        low: (value - half).max(0.0),
        high: value + half,
    })
}

#[allow(clippy::cast_precision_loss)] // counts of calls are far below 2^53
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use drag_solver_core::Seeded;

    use super::*;

    /// In how many of `times` samples the interval holds what is true.
    fn coverage(times: u64, mut holds: impl FnMut(&mut Seeded) -> bool) -> f64 {
        let held = (0..times)
            .filter(|&seed| holds(&mut Seeded::new(seed * 7919)))
            .count();
        float(held as u64) / float(times)
    }

    #[test]
    fn the_interval_of_a_share_holds_it_in_95_of_100_samples() {
        for truth in [0.5, 0.9, 0.985] {
            let covered = coverage(2000, |seeded| {
                let right = (0..400).filter(|_| seeded.fraction() < truth).count();
                wilson(right as u64, 400).unwrap().holds(truth)
            });
            assert!((0.93..0.975).contains(&covered), "{truth}: {covered}");
        }
        assert_eq!(wilson(0, 0), None);
        let all = wilson(50, 50).unwrap();
        assert!(all.low > 0.92 && all.holds(1.0), "{all:?}");
        let none = wilson(0, 50).unwrap();
        assert!(none.high < 0.08 && none.holds(0.0), "{none:?}");
    }

    #[test]
    fn the_interval_of_a_quantile_holds_it_whatever_the_distribution() {
        for q in [0.5, 0.95, 0.99] {
            let truth = -(1.0_f64 - q).ln(); // of the exponential distribution
            let covered = coverage(1000, |seeded| {
                let sample: Vec<f64> = (0..1000).map(|_| -(1.0 - seeded.fraction()).ln()).collect();
                quantile(&sample, q).unwrap().holds(truth)
            });
            assert!((0.935..0.99).contains(&covered), "{q}: {covered}");
        }
    }

    #[test]
    fn the_interval_of_money_per_right_answer_holds_it() {
        let (right, billed, price) = (0.9, 0.99, 0.0009);
        let covered = coverage(1000, |seeded| {
            let calls: Vec<(f64, f64)> = (0..1000)
                .map(|_| {
                    let draw = seeded.fraction();
                    let cost = if draw < billed { price } else { 0.0 };
                    (cost, if draw < right { 1.0 } else { 0.0 })
                })
                .collect();
            ratio(&calls).unwrap().holds(price * billed / right)
        });
        assert!((0.93..0.975).contains(&covered), "{covered}");
        assert_eq!(ratio(&[(1.0, 0.0)]), None);
        assert_eq!(ratio(&[]), None);
        assert!(ratio(&[(1.0, 1.0)]).unwrap().high.is_infinite());
    }

    #[test]
    fn a_quantile_is_one_of_the_sample_and_small_samples_have_no_upper_bound() {
        let sample = [5.0, 1.0, 4.0, 2.0, 3.0];
        for (q, value) in [
            (0.0, 1.0),
            (0.2, 1.0),
            (0.5, 3.0),
            (0.8, 4.0),
            (0.81, 5.0),
            (1.0, 5.0),
        ] {
            assert!(
                (quantile(&sample, q).unwrap().value - value).abs() < 1e-12,
                "{q}"
            );
        }
        assert!(quantile(&sample, 0.99).unwrap().high.is_infinite());
        assert_eq!(quantile(&[], 0.5), None);
    }
}
