//! What the settings of several policies have in common.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::time::Duration;

use drag_solver_core::{ConfigError, Ratio};

/// A count for a policy's defaults. 0 counts as 1.
pub(crate) const fn count(wanted: u32) -> NonZeroU32 {
    match NonZeroU32::new(wanted) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

/// Refuses a setting unless this holds of it.
pub(crate) fn require(holds: bool, key: &str, problem: impl Display) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::new(key, problem.to_string()))
}

/// Refuses a duration of zero.
pub(crate) fn longer_than_zero(key: &str, length: Duration) -> Result<(), ConfigError> {
    require(!length.is_zero(), key, "must be longer than zero")
}

/// Refuses a ratio of zero.
pub(crate) fn above_zero(key: &str, ratio: Ratio) -> Result<(), ConfigError> {
    let problem = "must be above 0 and up to 1, not 0";
    require(ratio != Ratio::ZERO, key, problem)
}

/// Refuses what is no number of pixels.
pub(crate) fn pixels(key: &str, pixels: f64) -> Result<(), ConfigError> {
    let problem = format_args!("must be a number of pixels from 0 up, not {pixels}");
    require(pixels.is_finite() && pixels >= 0.0, key, problem)
}

/// Refuses `min_samples` of more calls than are remembered.
pub(crate) fn among(remembered: usize, min_samples: NonZeroU32) -> Result<(), ConfigError> {
    let problem = format_args!(
        "must be from 1 to {remembered}, the number of calls that are remembered, not {min_samples}"
    );
    let fits = min_samples.get() as usize <= remembered;
    require(fits, "min_samples", problem)
}

/// A policy, from one list of its settings: the struct, its defaults, and a setter for each.
///
/// After the colon comes how a setter takes its value, as in [`setters!`](drag_solver_core::setters): a
/// type, or `count`, or `some` and a type, which is not set by default. Below its documentation a
/// setting may have one `#[serde(..)]`, which goes behind the feature `serde`.
macro_rules! policy {
    (
        $(#[$meta:meta])*
        pub struct $policy:ident {
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($serde:tt)+)])?
                pub $field:ident: $kind:ident $($of:ty)? $(= $default:expr)?
            ),+
            $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
        #[non_exhaustive]
        pub struct $policy {
            $(
                $(#[doc = $doc])*
                $(#[cfg_attr(feature = "serde", serde($($serde)+))])?
                pub $field: $crate::settings::policy!(@type $kind $($of)?)
            ),+
        }

        impl $policy {
            drag_solver_core::setters! { $($field: $kind $($of)?),+ }
        }

        impl Default for $policy {
            fn default() -> Self {
                Self { $($field: $crate::settings::policy!(@default $kind $($default)?)),+ }
            }
        }
    };
    (@type count) => { std::num::NonZeroU32 };
    (@type some $type:ty) => { Option<$type> };
    (@type $type:ident) => { $type };
    (@default count $count:expr) => { $crate::settings::count($count) };
    (@default some) => { None };
    (@default $type:ident $default:expr) => { $default };
}

/// What is shared is a policy's other form: where the policy is taken, so is a reference to what was
/// made of one.
macro_rules! shared_form {
    ($shared:ident of $policy:ident) => {
        impl From<$policy> for $shared {
            fn from(policy: $policy) -> Self {
                Self::new(policy)
            }
        }

        impl From<&$shared> for $shared {
            fn from(shared: &$shared) -> Self {
                shared.clone()
            }
        }
    };
}

pub(crate) use {policy, shared_form};
