//! Random numbers that follow from what they are for.

/// `SplitMix64` (Steele, Lea and Flood, 2014): good enough for a simulation, and the same on every
/// machine and permanently.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers for this combination of keys.
    pub(super) fn new(keys: &[u64]) -> Self {
        keys.iter().fold(Self(0), |mut random, key| {
            random.0 ^= key;
            Self(random.next())
        })
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0 and less than 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits are what an f64 holds
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Log-normal (Box and Muller, 1958).
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.fraction()).cos();
        median * (sigma * normal).exp()
    }
}
