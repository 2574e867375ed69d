//! What one call can take at most.

use std::fmt;
use std::time::Duration;

use crate::Usd;

/// The most that one call of a solver can take, known before it is made.
///
/// Combinators calculate it from their settings and from what they wrap; see
/// [`DragSolver::profile`](crate::DragSolver::profile). `None` means that there is no limit,
/// or that it is not known. Arithmetic saturates.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{Usd, WorstCase};
///
/// let once = WorstCase::one_purchase()
///     .with_time(Duration::from_secs(30))
///     .with_cost(Usd::from_micros(900));
/// let three_times = once.times(3).delayed_by(Duration::from_secs(20));
/// assert_eq!(three_times.to_string(), "3 answers, 110s, $0.0027");
/// assert_eq!(three_times.then(WorstCase::unknown()).cost, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorstCase {
    /// How many answers may be bought, which is what may be billed.
    pub purchases: Option<u32>,
    /// How long it may take until the call returns.
    pub time: Option<Duration>,
    /// How much may be billed, if every purchase is.
    pub cost: Option<Usd>,
}

impl WorstCase {
    /// Nothing is known.
    #[must_use]
    pub const fn unknown() -> Self {
        Self {
            purchases: None,
            time: None,
            cost: None,
        }
    }

    /// At most one answer is bought, in unknown time and at an unknown price.
    #[must_use]
    pub const fn one_purchase() -> Self {
        Self {
            purchases: Some(1),
            ..Self::unknown()
        }
    }

    /// Replaces the time.
    #[must_use]
    pub const fn with_time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Replaces the cost.
    #[must_use]
    pub const fn with_cost(mut self, cost: Usd) -> Self {
        self.cost = Some(cost);
        self
    }

    /// This, ended after `limit` at the latest.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.time = Some(self.time.map_or(limit, |time| time.min(limit)));
        self
    }

    /// This, after or between waits of `delay` in all.
    #[must_use]
    pub fn delayed_by(mut self, delay: Duration) -> Self {
        self.time = self.time.map(|time| time.saturating_add(delay));
        self
    }

    /// This `count` times, one after the other.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self {
            purchases: self.purchases.map(|n| n.saturating_mul(count)),
            time: self.time.map(|time| time.saturating_mul(count)),
            cost: self.cost.map(|cost| cost * count),
        }
    }

    /// This, and then `next`.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let time = self.time.zip(next.time);
        Self {
            time: time.map(|(one, other)| one.saturating_add(other)),
            ..self.alongside(next)
        }
    }

    /// This and `other` at the same time, until both are done.
    #[must_use]
    pub fn alongside(self, other: Self) -> Self {
        let purchases = self.purchases.zip(other.purchases);
        let time = self.time.zip(other.time);
        let cost = self.cost.zip(other.cost);
        Self {
            purchases: purchases.map(|(one, other)| one.saturating_add(other)),
            time: time.map(|(one, other)| one.max(other)),
            cost: cost.map(|(one, other)| one + other),
        }
    }
}

impl fmt::Display for WorstCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.purchases {
            Some(1) => f.write_str("1 answer")?,
            Some(answers) => write!(f, "{answers} answers")?,
            None => f.write_str("unknown answers")?,
        }
        match self.time {
            Some(time) => write!(f, ", {time:?}")?,
            None => f.write_str(", unknown time")?,
        }
        match self.cost {
            Some(cost) => write!(f, ", ${cost}"),
            None => f.write_str(", unknown cost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(seconds: u64, micros: i64) -> WorstCase {
        WorstCase::one_purchase()
            .with_time(Duration::from_secs(seconds))
            .with_cost(Usd::from_micros(micros))
    }

    #[test]
    fn one_after_the_other_adds_up_and_side_by_side_takes_the_longer() {
        let (a, b) = (one(30, 900), one(60, 1_200));
        assert_eq!(a.then(b).to_string(), "2 answers, 90s, $0.0021");
        assert_eq!(a.alongside(b).to_string(), "2 answers, 60s, $0.0021");
        assert_eq!(
            a.then(b).within(Duration::from_secs(80)).time,
            Some(Duration::from_secs(80))
        );
        assert_eq!(a.within(Duration::from_secs(80)), a);
    }

    #[test]
    fn what_is_unknown_stays_unknown() {
        let unpriced = WorstCase::one_purchase().within(Duration::from_secs(5));
        assert_eq!(
            unpriced.times(3).to_string(),
            "3 answers, 15s, unknown cost"
        );
        let unknown = one(1, 1).then(WorstCase::unknown());
        assert_eq!(unknown, WorstCase::unknown());
        assert_eq!(
            unknown.to_string(),
            "unknown answers, unknown time, unknown cost"
        );
    }

    #[test]
    fn arithmetic_saturates() {
        let huge = WorstCase::one_purchase()
            .with_time(Duration::MAX)
            .with_cost(Usd::MAX);
        let more = huge
            .times(u32::MAX)
            .times(2)
            .then(huge)
            .delayed_by(Duration::MAX);
        assert_eq!(more.purchases, Some(u32::MAX));
        assert_eq!(
            (more.time, more.cost),
            (Some(Duration::MAX), Some(Usd::MAX))
        );
    }
}
