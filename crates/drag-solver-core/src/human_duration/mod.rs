//! How every setting writes a duration: as text for people, `"60s"` or `"1m 30s"`.
//!
//! A bare number is refused, because it does not say of what. For use with
//! `#[serde(with = "human_duration")]`, with the feature `serde`.
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

#[cfg(feature = "serde")]
mod serde;

use std::fmt;
use std::time::Duration;

#[cfg(feature = "serde")]
pub use self::serde::{deserialize, option, serialize};

/// A duration as text, exact to the nanosecond.
#[must_use]
pub fn display(duration: Duration) -> impl fmt::Display {
    humantime::format_duration(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
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
