//! Settings that cannot be used.

#[cfg(feature = "serde")]
pub(crate) mod serde;

use std::fmt;

use crate::text::without_tokens;

/// A setting that cannot be used: where it is, what is wrong with it, and what to write instead.
/// Nothing was sent.
///
/// The code that finds the mistake knows the setting, and its caller knows what the setting is in:
/// the path grows on the way out, with [`in_key`](Self::in_key).
///
/// It never shows the value of a secret. What it shows of other values and of keys, which come from
/// files, is cut, has no control characters, and nothing that looks like a token: one may have been
/// put into the wrong place.
///
/// ```
/// use drag_solver_core::ConfigError;
///
/// let error = ConfigError::new("max_attempts", "must be at least 1").in_key("retry");
/// assert_eq!(error.path(), "retry.max_attempts");
/// assert_eq!(error.to_string(), "retry.max_attempts: must be at least 1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// From the innermost key outwards.
    keys: Vec<String>,
    unknown_key: Option<String>,
    /// Whether it is no setting of a file, but a variable of the environment.
    is_variable: bool,
    problem: String,
}

impl ConfigError {
    /// The setting called `key` has this `problem`.
    pub fn new(key: impl AsRef<str>, problem: impl AsRef<str>) -> Self {
        Self::of_whole(problem).in_key(key)
    }

    /// The environment variable called `name` has this `problem`.
    #[doc(hidden)]
    pub fn of_variable(name: impl AsRef<str>, problem: impl AsRef<str>) -> Self {
        Self::of_whole(problem).in_variable(name)
    }

    /// The settings as a whole have this `problem`.
    #[doc(hidden)]
    pub fn of_whole(problem: impl AsRef<str>) -> Self {
        Self {
            keys: Vec::new(),
            unknown_key: None,
            is_variable: false,
            problem: without_tokens(problem.as_ref()),
        }
    }

    /// There is no setting called `key`; `advice` says which there are.
    #[doc(hidden)]
    pub fn unknown_key(key: impl AsRef<str>, advice: impl AsRef<str>) -> Self {
        Self {
            unknown_key: Some(without_tokens(key.as_ref())),
            ..Self::of_whole(advice)
        }
    }

    /// The same problem, inside of `key`. A variable of the environment is in none.
    #[must_use]
    pub fn in_key(mut self, key: impl AsRef<str>) -> Self {
        if self.is_variable {
            return self;
        }
        self.keys.push(without_tokens(key.as_ref()));
        self
    }

    /// The same problem, of a setting that was read from the environment variable `name`.
    #[doc(hidden)]
    #[must_use]
    pub fn in_variable(mut self, name: impl AsRef<str>) -> Self {
        self = self.renamed(name);
        self.is_variable = true;
        self
    }

    /// The same problem, of a setting that has another name for its user.
    #[doc(hidden)]
    #[must_use]
    pub fn renamed(mut self, key: impl AsRef<str>) -> Self {
        self.keys = vec![without_tokens(key.as_ref())];
        self
    }

    /// Where it is, as in `"providers.first.retry"`; empty for the whole.
    #[must_use]
    pub fn path(&self) -> String {
        let keys: Vec<&str> = self.keys.iter().rev().map(String::as_str).collect();
        keys.join(".")
    }

    /// What is wrong with it, and what to do.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, problem) = (self.path(), &self.problem);
        match &self.unknown_key {
            Some(key) if path.is_empty() => write!(f, "unknown key `{key}`: {problem}"),
            Some(key) => write!(f, "unknown key `{key}` in {path}: {problem}"),
            None if self.is_variable => write!(f, "environment variable {path}: {problem}"),
            None if path.is_empty() => f.write_str(problem),
            None => write!(f, "{path}: {problem}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What a file may not say although the types allow it: a limit of zero, two settings that contradict
/// each other. Code that says so gets what the setting's documentation promises.
#[doc(hidden)]
pub trait CheckSettings {
    /// Refuses settings that their author cannot mean.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ::serde::de;

    use super::*;

    #[test]
    fn a_token_in_the_wrong_place_is_not_shown() {
        let token = "0123456789abcdef0123456789abcdef";
        let errors = [
            ConfigError::new(token, "is not set"),
            ConfigError::of_whole(format!("there is no `{token}`")),
            ConfigError::unknown_key(token, "there is only `a`").in_key(token),
            de::Error::invalid_type(de::Unexpected::Str(token), &"a number"),
        ];
        let short: ConfigError =
            de::Error::invalid_type(de::Unexpected::Str("hunter2"), &"a table");
        assert_eq!(short.to_string(), "is a text, and must be a table");
        for error in errors {
            assert!(!format!("{error} {error:?}").contains("0123"), "{error}");
        }
    }

    #[test]
    fn the_path_grows_on_the_way_out_and_nothing_forges_a_line() {
        let error = ConfigError::new("limit", "must be\nmore")
            .in_key("b\x1b[2J")
            .in_key("a");
        assert_eq!(error.to_string(), "a.b [2J.limit: must be more");
        let unknown = ConfigError::unknown_key("max_atempts", "did you mean `max_attempts`?");
        assert_eq!(
            unknown.clone().in_key("retry").to_string(),
            "unknown key `max_atempts` in retry: did you mean `max_attempts`?"
        );
        assert!(
            unknown
                .to_string()
                .starts_with("unknown key `max_atempts`: ")
        );
        assert_eq!(error.renamed("other").path(), "other");
    }

    #[test]
    fn a_variable_of_the_environment_is_in_no_key() {
        let in_file = ConfigError::new("token", "is empty").in_key("first");
        let error = in_file.in_variable("TOKEN").in_key("providers");
        assert_eq!(error.path(), "TOKEN");
        assert_eq!(error.to_string(), "environment variable TOKEN: is empty");
    }
}
