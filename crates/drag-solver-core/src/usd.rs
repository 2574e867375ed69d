//! Money.

use std::fmt;
use std::iter::Sum;
use std::num::NonZeroU32;
use std::ops::{Add, Div, Mul, Sub};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of US dollars, exact to the last digit: a decimal, never a binary float.
///
/// Arithmetic saturates instead of overflowing. It serialises as a string (`"0.0009"`), because a
/// JSON number is a binary float to most readers; it deserialises from a string or a number.
///
/// ```
/// use drag_solver_core::Usd;
///
/// let price: Usd = "0.0009".parse()?;
/// assert_eq!((price * 10).to_string(), "0.009");
/// # Ok::<(), drag_solver_core::InvalidUsd>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(Decimal);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The largest amount there is.
    pub const MAX: Self = Self(Decimal::MAX);

    /// An amount in millionths of a dollar: `Usd::from_micros(900)` is $0.0009.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(Decimal::new(micros, 6).normalize())
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self < Self::ZERO
    }

    /// The nearest binary float, for plots and metrics. Never calculate money with it.
    #[must_use]
    pub fn to_f64_lossy(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u32> for Usd {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self(self.0.saturating_mul(Decimal::from(times)))
    }
}

impl Div<NonZeroU32> for Usd {
    type Output = Self;

    fn div(self, parts: NonZeroU32) -> Self {
        // Never `None`: the divisor is not zero, and dividing by a whole number cannot overflow.
        Self(
            self.0
                .checked_div(Decimal::from(parts.get()))
                .unwrap_or(self.0),
        )
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl FromStr for Usd {
    type Err = InvalidUsd;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map(Self)
            .map_err(|_| InvalidUsd)
    }
}

/// Text that is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount in US dollars: write a decimal number, as in 0.0009")]
pub struct InvalidUsd;

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;

        impl Visitor<'_> for Amount {
            type Value = Usd;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount in US dollars, as a number or a string like \"0.0009\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Usd, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Usd, E> {
                // The shortest text that names this float is what the sender wrote.
                number.to_string().parse().map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Usd, E> {
                Ok(Usd(number.into()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Usd, E> {
                Ok(Usd(number.into()))
            }
        }

        deserializer.deserialize_any(Amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn tenths_add_up_exactly() {
        let sum: Usd = std::iter::repeat_n(usd("0.1"), 3).sum();
        assert_eq!(sum, usd("0.3"));
        assert_eq!(usd("0.3") - usd("0.1") - usd("0.2"), Usd::ZERO);
        assert_eq!(Usd::from_micros(900), usd("0.0009"));
        let three = NonZeroU32::new(3).unwrap();
        assert_eq!(usd("0.0027") / three, usd("0.0009"));
        assert_eq!(usd("0.00000").to_string(), "0");
        assert_eq!(usd("345.6780").to_string(), "345.678");
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Usd::MAX + usd("1"), Usd::MAX);
        assert_eq!(Usd::MAX * u32::MAX, Usd::MAX);
        assert!((usd("1") - Usd::MAX).is_negative());
    }

    #[test]
    fn numbers_and_strings_both_read() {
        for json in [r#""345.678""#, "345.678", r#"" 345.678 ""#] {
            let amount: Usd = serde_json::from_str(json).unwrap();
            assert_eq!(amount, usd("345.678"), "{json}");
        }
        assert_eq!(serde_json::from_str::<Usd>("7").unwrap(), usd("7"));
        assert_eq!(
            serde_json::from_str::<Usd>("1e-7").unwrap(),
            usd("0.0000001")
        );
        assert_eq!(serde_json::from_str::<Usd>("-7").unwrap(), usd("-7"));
        assert_eq!(
            serde_json::to_string(&usd("0.0009")).unwrap(),
            r#""0.0009""#
        );
        for bad in [r#""free""#, r#""""#, "null", "1e300", r#""NaN""#] {
            assert!(serde_json::from_str::<Usd>(bad).is_err(), "{bad}");
        }
    }
}
