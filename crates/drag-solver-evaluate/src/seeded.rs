//! Random numbers that are the same in every run.

/// `SplitMix64` (Steele, Lea and Flood, 2014): a report drawn twice from the same calls is the same report.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // 53 bits are what an f64 holds
        let fraction = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        fraction
    }

    /// A number below `count`, which is zero only if `count` is.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        // The bias is one in 2^64 / count.
        let wide = u128::from(self.next()) * count as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_numbers_stay_in_their_range() {
        let drawn = |seed| {
            let mut seeded = Seeded::new(seed);
            (0..1000).map(|_| seeded.below(7)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        for value in 0..7 {
            let count = drawn(3).iter().filter(|&&drawn| drawn == value).count();
            assert!((100..190).contains(&count), "{value}: {count}");
        }
        let mut seeded = Seeded::new(1);
        assert!((0..1000).all(|_| (0.0..1.0).contains(&seeded.fraction())));
    }
}
