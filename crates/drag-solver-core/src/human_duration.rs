//! How every setting writes a duration: as text for people, `"60s"` or `"1m 30s"`.
//!
//! A bare number is refused, because it does not say of what. For use with
//! `#[serde(with = "human_duration")]`.
//!
//! ```
//! use std::time::Duration;
//! use drag_solver_core::human_duration;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Settings {
//!     #[serde(with = "human_duration")]
//!     patience: Duration,
//! }
//!
//! let settings: Settings = serde_json::from_str(r#"{"patience": "1m30s"}"#)?;
//! assert_eq!(settings.patience, Duration::from_secs(90));
//! assert_eq!(serde_json::to_string(&settings)?, r#"{"patience":"1m 30s"}"#);
//! assert!(serde_json::from_str::<Settings>(r#"{"patience": 90}"#).is_err());
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// A duration as text, exact to the nanosecond.
#[must_use]
pub fn display(duration: Duration) -> impl fmt::Display {
    humantime::format_duration(duration)
}

/// Writes a duration as text, exact to the nanosecond.
#[doc(hidden)]
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&display(*duration))
}

/// Reads a duration from text.
///
/// # Errors
///
/// Anything but a text that `humantime` reads, such as `"500ms"`, `"60s"`, `"1m30s"` or `"2h"`.
#[doc(hidden)]
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration with its unit, like \"500ms\", \"60s\" or \"1m 30s\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            humantime::parse_duration(text.trim()).map_err(|error| {
                E::custom(format_args!(
                    "`{text}` is not a duration ({error}): write it with its unit, like \
                     \"500ms\", \"60s\" or \"1m 30s\""
                ))
            })
        }
    }

    deserializer.deserialize_str(Text)
}

/// The same for a duration that may be absent. Use it with
/// `#[serde(default, with = "human_duration::option")]`.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "super")] Duration);

    /// Writes a duration as text, or nothing.
    #[doc(hidden)]
    pub fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(Text).serialize(serializer)
    }

    /// Reads a duration from text, or nothing.
    #[doc(hidden)]
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Both {
        #[serde(with = "super")]
        one: Duration,
        #[serde(default, with = "super::option")]
        other: Option<Duration>,
    }

    #[test]
    fn text_goes_both_ways() {
        for one in [
            Duration::ZERO,
            Duration::from_millis(1_500),
            Duration::from_secs(120),
            Duration::MAX,
        ] {
            for other in [None, Some(one)] {
                let both = Both { one, other };
                let json = serde_json::to_string(&both).unwrap();
                assert_eq!(serde_json::from_str::<Both>(&json).unwrap(), both, "{json}");
            }
        }
    }

    #[test]
    fn what_has_no_unit_is_refused_with_an_example() {
        for bad in ["60", r#""60""#, r#""soon""#, r#""""#, r#""-1s""#, "null"] {
            let error = serde_json::from_str::<Both>(&format!(r#"{{"one": {bad}}}"#)).unwrap_err();
            assert!(error.to_string().contains("\"60s\""), "{bad}: {error}");
        }
    }
}
