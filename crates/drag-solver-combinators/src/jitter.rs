//! Random fractions, a different one for every caller.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// `SplitMix64` (Steele, Lea and Flood, 2014). Its state is a counter, so one atomic addition hands
/// every caller a number of its own: no lock, and no two callers with the same "random" wait, which
/// is what cloned generators give. Eight lines need no dependency, and jitter needs no cryptography.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Jitter {
    /// The same numbers for the same seed, in the order of the calls.
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Numbers that cannot be foreseen.
    pub(crate) fn random() -> Self {
        // The standard library draws the keys of its hash maps from the operating system.
        Self::seeded(RandomState::new().hash_one(GOLDEN_GAMMA))
    }

    /// The next number, at least 0 and less than 1.
    pub(crate) fn fraction(&self) -> f64 {
        let state = self.0.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed);
        let mut z = state.wrapping_add(GOLDEN_GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        #[allow(clippy::cast_precision_loss)] // 53 bits are what an f64 holds
        let fraction = (z >> 11) as f64 / (1_u64 << 53) as f64;
        fraction
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

    #[test]
    fn it_is_splitmix64() {
        // First outputs for seed 1234567, as published with the reference implementation.
        let jitter = Jitter::seeded(1_234_567);
        for expected in [6_457_827_717_110_365_317_u64, 3_203_168_211_198_807_973] {
            #[allow(clippy::cast_precision_loss)]
            let fraction = (expected >> 11) as f64 / (1_u64 << 53) as f64;
            assert_eq!(jitter.fraction().to_bits(), fraction.to_bits());
        }
    }
}
