//! Parts of a whole.

use std::fmt;

/// A part of a whole, from 0 to 1: never negative, never more than everything, never "not a number".
///
/// ```
/// use drag_solver_core::Ratio;
///
/// assert_eq!(Ratio::percent(80).get(), 0.8);
/// assert_eq!(Ratio::percent(250), Ratio::ONE);
/// assert_eq!(Ratio::new(f64::NAN), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Ratio(f64);

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);

    /// Everything.
    pub const ONE: Self = Self(1.0);

    /// The ratio `part`; `None` unless it is from 0 to 1.
    #[must_use]
    pub fn new(part: f64) -> Option<Self> {
        (0.0..=1.0).contains(&part).then_some(Self(part))
    }

    /// So many hundredths. More than 100 counts as 100.
    #[must_use]
    pub const fn percent(hundredths: u8) -> Self {
        let hundredths = if hundredths > 100 { 100 } else { hundredths };
        Self(hundredths as f64 / 100.0)
    }

    /// The ratio as a number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl TryFrom<f64> for Ratio {
    type Error = InvalidRatio;

    fn try_from(part: f64) -> Result<Self, InvalidRatio> {
        Self::new(part).ok_or(InvalidRatio(part))
    }
}

/// A number that is not a part of a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidRatio(f64);

impl fmt::Display for InvalidRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be from 0 to 1, not {}", self.0)
    }
}

impl std::error::Error for InvalidRatio {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_zero_to_one_is_a_ratio() {
        for part in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Ratio::new(part), None, "{part}");
            assert!(
                Ratio::try_from(part)
                    .unwrap_err()
                    .to_string()
                    .contains("0 to 1")
            );
        }
        assert_eq!(serde_json::to_string(&Ratio::percent(5)).unwrap(), "0.05");
        assert_eq!(serde_json::from_str::<Ratio>("1").unwrap(), Ratio::ONE);
        assert!(serde_json::from_str::<Ratio>("1.5").is_err());
    }
}
