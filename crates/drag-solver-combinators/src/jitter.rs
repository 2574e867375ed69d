//! Random fractions, a different one for every caller.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use drag_solver_core::Seeded;

/// [`Seeded`], whose state is a counter: one atomic addition hands every caller a number of its own, with no lock,
/// and no two callers have the same "random" wait, which is what cloned generators give.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    /// The same numbers for the same seed, in the order of the calls.
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Numbers that cannot be foreseen.
    pub(crate) fn random() -> Self {
        // The standard library draws the keys of its hash maps from the operating system.
        Self::seeded(RandomState::new().hash_one(Seeded::STEP))
    }

    /// The next number, at least 0 and less than 1.
    pub(crate) fn fraction(&self) -> f64 {
        let state = self.0.fetch_add(Seeded::STEP, Ordering::Relaxed);
        Seeded::new(state).fraction()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_callers_differ() {
        let (one, other) = (Jitter::seeded(7), Jitter::seeded(7));
        let drawn: Vec<f64> = (0..100).map(|_| one.fraction()).collect();
        let again: Vec<f64> = (0..100).map(|_| other.fraction()).collect();
        assert_eq!(drawn, again);
        assert!(
            drawn
                .windows(2)
                .all(|pair| pair[0].to_bits() != pair[1].to_bits())
        );
        assert!(Jitter::random().fraction().to_bits() != Jitter::random().fraction().to_bits());
    }

    #[test]
    fn fractions_fill_the_unit_interval_evenly() {
        let jitter = Jitter::seeded(1);
        let mut tenths = [0_u32; 10];
        for _ in 0..100_000 {
            let fraction = jitter.fraction();
            assert!((0.0..1.0).contains(&fraction));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            {
                tenths[(fraction * 10.0) as usize] += 1;
            }
        }
        assert!(
            tenths.iter().all(|&n| (9_600..10_400).contains(&n)),
            "{tenths:?}"
        );
    }
}
