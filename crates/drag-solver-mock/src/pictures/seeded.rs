//! Random numbers that are the same in every version.

/// `SplitMix64` (Steele, Lea, Flood 2014). Written here because the generators of `rand` may change
/// between its versions, and with them every test picture.
#[derive(Clone, Debug)]
pub(super) struct Seeded(u64);

impl Seeded {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` up to, not including, `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        // 32 bits are exact in an f64, and plenty for a picture.
        let unit = f64::from((self.next() >> 32) as u32) / f64::from(u32::MAX);
        low + (high - low) * unit.min(1.0 - f64::EPSILON)
    }

    pub(super) fn coin(&mut self) -> bool {
        self.next() >> 63 == 1
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T; 4]) -> &'a T {
        &items[(self.next() >> 62) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // From the reference implementation, https://prng.di.unimi.it/splitmix64.c, seed 1234567.
        let mut seeded = Seeded::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| seeded.next()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut seeded = Seeded::new(1);
        for _ in 0..10_000 {
            assert!((2.0..3.0).contains(&seeded.between(2.0, 3.0)));
        }
    }
}
