//! Random numbers that are the same in every version.

/// `SplitMix64` (Steele, Lea, Flood 2014): the same numbers for the same seed, on every machine and permanently.
///
/// Written here because the generators of `rand` may change between its versions, and with them every test
/// picture, every simulation and every report drawn twice. It is no secret what comes next.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// What each number adds to the state: the number after `n` others is the first of `seed + n * STEP`.
    pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, any of 64 bits.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits are what an f64 holds
    pub fn fraction(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `low` up to, not including, `high`, one of 2^32.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let unit = f64::from((self.number() >> 32) as u32) / f64::from(u32::MAX);
        low + (high - low) * unit.min(1.0 - f64::EPSILON)
    }

    /// A number below `count`, which is zero only if `count` is.
    pub fn below(&mut self, count: usize) -> usize {
        // The bias is one in 2^64 / count.
        let wide = u128::from(self.number()) * count as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // From the reference implementation, https://prng.di.unimi.it/splitmix64.c, seed 1234567.
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        let mut seeded = Seeded::new(1_234_567);
        assert_eq!([(); 3].map(|()| seeded.number()), expected);
        let third = 1_234_567_u64.wrapping_add(Seeded::STEP.wrapping_mul(2));
        assert_eq!(Seeded::new(third).number(), expected[2]);
    }

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
        assert!((0..10_000).all(|_| (2.0..3.0).contains(&seeded.between(2.0, 3.0))));
        assert_eq!((seeded.below(0), *seeded.pick(&[7])), (0, 7));
    }
}
