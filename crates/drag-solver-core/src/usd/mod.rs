//! Money. A crate for decimals would be larger than what is needed here: sums, shares and a text.

#[cfg(feature = "serde")]
mod serde;

use std::fmt::{self, Write as _};
use std::iter::Sum;
use std::num::NonZeroU32;
use std::ops::{Add, Div, Mul, Sub};
use std::str::FromStr;

/// An amount of US dollars: a decimal with twelve places, never a binary float.
///
/// Providers charge in millionths, so that leaves room to spare; what is written with more places is
/// rounded. Sums and multiples are exact, and saturate instead of overflowing; a share is rounded
/// towards zero. It serialises as a string (`"0.0009"`), because a JSON number is a binary float to
/// most readers; it deserialises from a string or a number.
///
/// ```
/// use drag_solver_core::Usd;
///
/// let price: Usd = "0.0009".parse()?;
/// assert_eq!((price * 10).to_string(), "0.009");
/// # Ok::<(), drag_solver_core::InvalidUsd>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i128);

/// Decimal places that are kept.
const PLACES: usize = 12;

/// One dollar.
const ONE: i128 = 10_i128.pow(12);

/// A billionth of a dollar.
const NANO: i128 = ONE / 1_000_000_000;

fn saturated(nanos: i128) -> i64 {
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount there is.
    pub const MAX: Self = Self(i128::MAX);

    /// An amount in millionths of a dollar: `Usd::from_micros(900)` is $0.0009.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(i128::from(micros) * (ONE / 1_000_000))
    }

    /// An amount in billionths of a dollar, as stores keep it.
    #[doc(hidden)]
    #[must_use]
    pub fn from_nanos(nanos: i64) -> Self {
        Self(i128::from(nanos) * NANO)
    }

    /// The amount in billionths of a dollar, rounded up, and the nearest there is if that is too much for the
    /// number: what is spent is never understated.
    #[doc(hidden)]
    #[must_use]
    pub fn to_nanos_ceil(self) -> i64 {
        saturated(self.0.div_euclid(NANO) + i128::from(self.0.rem_euclid(NANO) > 0))
    }

    /// The same rounded down: a limit is never overstated.
    #[doc(hidden)]
    #[must_use]
    pub fn to_nanos_floor(self) -> i64 {
        saturated(self.0.div_euclid(NANO))
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
        Self(self.0.saturating_mul(times.into()))
    }
}

impl Div<NonZeroU32> for Usd {
    type Output = Self;

    fn div(self, parts: NonZeroU32) -> Self {
        Self(self.0 / i128::from(parts.get()))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, one) = (self.0.unsigned_abs(), ONE.unsigned_abs());
        let places = f.precision().unwrap_or(PLACES).min(PLACES);
        let unit = one / 10_u128.pow(u32::try_from(places).unwrap_or(0));
        let amount = (amount + unit / 2) / unit;
        let per_one = one / unit;
        let mut text = (amount / per_one).to_string();
        if places > 0 {
            write!(text, ".{:0places$}", amount % per_one)?;
        }
        let text = match f.precision() {
            Some(_) => &*text,
            None => text.trim_end_matches('0').trim_end_matches('.'),
        };
        f.pad_integral(!self.is_negative(), "", text)
    }
}

impl fmt::Debug for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usd({self})")
    }
}

impl FromStr for Usd {
    type Err = InvalidUsd;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim()).map(Self).ok_or(InvalidUsd)
    }
}

/// Reads `-12.5` and `1e-7`, in units of the last place.
fn parse(text: &str) -> Option<i128> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    // How many places the digit at hand is to the left of the last one that is kept.
    let mut place = i64::try_from(whole.len() + PLACES).ok()? + i64::from(exponent);
    let mut units: i128 = 0;
    for digit in whole.bytes().chain(part.bytes()) {
        let digit = char::from(digit).to_digit(10)?;
        place -= 1;
        if place >= 0 {
            units = units.checked_mul(10)?.checked_add(digit.into())?;
        } else if place == -1 && digit >= 5 {
            units = units.checked_add(1)?;
        }
    }
    if place > 0 {
        let zeros = 10_i128.checked_pow(place.try_into().ok()?)?;
        units = units.checked_mul(zeros)?;
    }
    Some(if number.starts_with('-') {
        -units
    } else {
        units
    })
}

/// Text that is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUsd;

impl fmt::Display for InvalidUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an amount in US dollars: write a decimal number, as in 0.0009")
    }
}

impl std::error::Error for InvalidUsd {}

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
    fn every_spelling_of_a_number_is_read() {
        for (text, meant) in [
            ("0", "0"),
            ("-0", "0"),
            ("+1.50", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-12.000001", "-12.000001"),
            ("0.000000000001", "0.000000000001"),
            ("0.0000000000005", "0.000000000001"), // half of the last place
            ("0.00000000000049", "0"),
            ("0.30000000000000004", "0.3"),
            ("12.5e3", "12500"),
            ("12.5E-3", "0.0125"),
            ("1e-2147483648", "0"),
            (
                "-170141183460469231731687303",
                "-170141183460469231731687303",
            ),
        ] {
            assert_eq!(text.parse::<Usd>().unwrap().to_string(), meant, "{text}");
        }
        for bad in [
            "",
            ".",
            "-",
            "+-1",
            "1.2.3",
            "1,5",
            "0x10",
            "1e",
            "e5",
            "1e1.5",
            "1_000",
            "½",
            "inf",
            "1e27",
            "1e2147483647",
            "9e999999999999",
            "170141183460469231731687304",
        ] {
            assert_eq!(bad.parse::<Usd>(), Err(InvalidUsd), "{bad}");
        }
        assert_eq!(format!("{:.5}", usd("9.9991")), "9.99910");
        assert_eq!(format!("{:.3}", usd("-0.0009")), "-0.001");
        assert_eq!(format!("{:.0}", usd("119.5")), "120");
        assert_eq!(
            format!("[{:>8}] {:?}", usd("-1.5"), usd("1.5")),
            "[    -1.5] Usd(1.5)"
        );
    }

    #[test]
    fn billionths_never_understate_what_is_spent_nor_overstate_a_limit() {
        for (amount, floor, ceil) in [
            ("0.0009", 900_000, 900_000),
            ("0.0000000011", 1, 2),
            ("-0.0000000011", -2, -1),
            ("0", 0, 0),
            ("99999999999", i64::MAX, i64::MAX),
            ("-99999999999", i64::MIN, i64::MIN),
        ] {
            let amount = usd(amount);
            assert_eq!(
                (amount.to_nanos_floor(), amount.to_nanos_ceil()),
                (floor, ceil)
            );
        }
        assert_eq!(Usd::from_nanos(900_000), usd("0.0009"));
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
