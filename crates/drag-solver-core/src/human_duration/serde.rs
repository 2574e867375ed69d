//! A duration as data.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

use super::display;

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
