//! What is wrong with a configuration, and where.

use std::fmt;

use serde::de;

use crate::combinators::InvalidPolicy;
use crate::core::text::printable;

/// A configuration that cannot be used: where in it, and what to write instead. It never shows the
/// value of a secret, and what it shows of other values is cut and has no control characters.
///
/// ```
/// use drag_solver::config::ChainConfig;
///
/// let json = r#"{"providers": [{"name": "first", "kind": "omocaptcha", "retry": {"max_atempts": 3}}]}"#;
/// let error = serde_json::from_str::<ChainConfig>(json).unwrap_err();
/// assert!(error.to_string().starts_with(
///     "unknown key `max_atempts` in providers.first.retry: did you mean `max_attempts`?"
/// ));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidConfig {
    /// From the innermost key outwards.
    inside: Vec<String>,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    UnknownKey { key: String, known: Vec<String> },
    Other(String),
}

impl InvalidConfig {
    /// A problem with what is to be named by [`inside`](Self::inside).
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self {
            inside: Vec::new(),
            problem: Problem::Other(printable(&problem.into())),
        }
    }

    pub(super) fn unknown_key(
        key: &str,
        known: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let mut known: Vec<String> = known.into_iter().map(Into::into).collect();
        known.sort_unstable();
        known.dedup();
        Self {
            inside: Vec::new(),
            problem: Problem::UnknownKey {
                key: printable(key),
                known,
            },
        }
    }

    /// The same problem, inside of `key`.
    pub(super) fn inside(mut self, key: impl Into<String>) -> Self {
        self.inside.push(printable(&key.into()));
        self
    }

    /// A setting that its combinator refused, in the table `key`.
    pub(super) fn policy(key: &str, error: &InvalidPolicy) -> Self {
        Self::new(error.problem())
            .inside(error.setting())
            .inside(key)
    }

    /// Where it is, as in `"providers.first.retry"`; empty for the whole.
    #[must_use]
    pub fn path(&self) -> String {
        let keys: Vec<&str> = self.inside.iter().rev().map(String::as_str).collect();
        keys.join(".")
    }
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        match &self.problem {
            Problem::Other(problem) if path.is_empty() => f.write_str(problem),
            Problem::Other(problem) => write!(f, "{path}: {problem}"),
            Problem::UnknownKey { key, known } => {
                write!(f, "unknown key `{key}`")?;
                if !path.is_empty() {
                    write!(f, " in {path}")?;
                }
                advise(f, key, known)
            }
        }
    }
}

impl std::error::Error for InvalidConfig {}

/// Names what was probably meant, or else all there is.
fn advise(f: &mut fmt::Formatter<'_>, key: &str, known: &[String]) -> fmt::Result {
    if let Some(near) = nearest(key, known) {
        return write!(f, ": did you mean `{near}`?");
    }
    let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    match known.as_slice() {
        [] => f.write_str(": there is nothing to be set"),
        [only] => write!(f, ": there is only {only}"),
        _ => write!(f, ": there are {}", known.join(", ")),
    }
}

/// The one of `known` that `key` was probably meant to be: at most a third is mistyped.
pub(super) fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace('-', "_");
    let key = fold(key);
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&key, &fold(known)), known))
        .filter(|(distance, known)| *distance <= key.len().max(known.len()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.as_str())
}

impl de::Error for InvalidConfig {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("is {found}, and must be {expected}"))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("is {found}, and must be {expected}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("must be set").inside(field)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::unknown_key(field, known.iter().copied())
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let known: Vec<String> = known.iter().map(|&known| known.to_owned()).collect();
        Self::not_one_of(variant, &known)
    }
}

impl InvalidConfig {
    /// A value that is none of those there are.
    pub(super) fn not_one_of(value: &str, known: &[String]) -> Self {
        struct Advice<'a>(&'a str, &'a [String]);
        impl fmt::Display for Advice<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "there is no `{}`", printable(self.0))?;
                advise(f, self.0, self.1)
            }
        }
        Self::new(Advice(value, known).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(key: &str) -> String {
        InvalidConfig::unknown_key(key, ["max_attempts", "base_backoff", "name"]).to_string()
    }

    #[test]
    fn a_slip_of_the_hand_is_set_right() {
        for slip in [
            "max_atempts",
            "maxattempts",
            "max-attempts",
            "Max_Attempts",
            "max_attempt",
        ] {
            let error = unknown(slip);
            assert!(error.ends_with("did you mean `max_attempts`?"), "{error}");
        }
        assert!(unknown("nmae").ends_with("did you mean `name`?"));
    }

    #[test]
    fn a_wild_guess_is_told_what_there_is() {
        assert_eq!(
            unknown("colour"),
            "unknown key `colour`: there are `base_backoff`, `max_attempts`, `name`"
        );
    }

    #[test]
    fn the_path_reads_from_the_outside_in() {
        let error = InvalidConfig::new("must be more than zero")
            .inside("limit")
            .inside("retry")
            .inside("first");
        assert_eq!(
            error.to_string(),
            "first.retry.limit: must be more than zero"
        );
        let error = InvalidConfig::unknown_key("a\u{1b}b", ["c"]).inside("first");
        assert_eq!(
            error.to_string(),
            "unknown key `a b` in first: there is only `c`"
        );
    }
}
