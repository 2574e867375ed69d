//! Random numbers that follow from what they are for.

use drag_solver_core::Seeded;

/// The numbers of one job.
#[derive(Debug)]
pub(super) struct Random(Seeded);

impl Random {
    /// The numbers for this combination of keys.
    pub(super) fn new(keys: &[u64]) -> Self {
        let mixed = |state, key| Seeded::new(state ^ key).number();
        Self(Seeded::new(keys.iter().fold(0, mixed)))
    }

    /// At least 0 and less than 1.
    pub(super) fn fraction(&mut self) -> f64 {
        self.0.fraction()
    }

    /// Log-normal (Box and Muller, 1958).
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.fraction()).cos();
        median * (sigma * normal).exp()
    }
}
