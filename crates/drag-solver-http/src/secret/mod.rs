//! Secrets that a configuration file names and does not hold.

#[cfg(feature = "serde")]
mod serde;

use std::fmt;
use std::path::{Path, PathBuf};

use drag_solver_core::text::looks_like_token;
use secrecy::SecretString;

/// A secret setting: the secret itself, or where it is to be read from.
///
/// A configuration file can only say where: `{ env = "NAME" }` or `{ file = "PATH" }`. A secret that
/// is written into the file is refused, and not shown. `Debug` shows where a secret is, never what
/// it is.
///
/// ```
/// use drag_solver_http::Secret;
///
/// let token: Secret = serde_json::from_str(r#"{"env": "EXAMPLE_TOKEN"}"#)?;
/// assert_eq!(token, Secret::env("EXAMPLE_TOKEN"));
/// let refused = serde_json::from_str::<Secret>(r#""hunter2""#).unwrap_err().to_string();
/// assert!(refused.contains(r#"{ env = "NAME" }"#) && !refused.contains("hunter2"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Secret(pub(crate) Source);

#[derive(Clone)]
pub(crate) enum Source {
    Value(SecretString),
    Place(Place),
}

/// Where a secret is.
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub(crate) enum Place {
    Env(String),
    File(PathBuf),
}

impl Secret {
    /// The secret that this variable of the environment holds.
    pub fn env(variable: impl Into<String>) -> Self {
        Self(Source::Place(Place::Env(variable.into())))
    }

    /// The secret that this file holds.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::Place(Place::File(path.into())))
    }
}

impl<S: Into<SecretString>> From<S> for Secret {
    fn from(secret: S) -> Self {
        Self(Source::Value(secret.into()))
    }
}

/// Two secrets are equal if they are read from the same place. One that is given itself is equal to
/// none: comparing is how a secret is guessed.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Source::Place(one), Source::Place(other)) => one == other,
            _ => false,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Value(_) => f.write_str("[REDACTED]"),
            Source::Place(Place::Env(name)) if is_variable_name(name) => {
                write!(f, "{{ env = {name:?} }}")
            }
            Source::Place(Place::File(path)) if is_path(path) => write!(f, "{{ file = {path:?} }}"),
            // It may be the secret itself.
            Source::Place(Place::Env(_)) => f.write_str("{ env = [REDACTED] }"),
            Source::Place(Place::File(_)) => f.write_str("{ file = [REDACTED] }"),
        }
    }
}

/// Whether this is written as names of variables are, and so is no secret.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.chars().all(is_fit) && !looks_like_token(name)
}

/// Whether this is written as paths are, of plain words, and so is no secret.
pub(crate) fn is_path(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "/\\._-~ ".contains(c);
    let words = text.strip_prefix(|c: char| c.is_ascii_alphabetic());
    let behind_drive = words
        .and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or(&text);
    text.contains(['/', '\\']) && behind_drive.chars().all(is_fit) && !looks_like_token(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Secret, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_file_says_where_a_secret_is() {
        assert_eq!(read(r#"{"env": "TOKEN"}"#).unwrap(), Secret::env("TOKEN"));
        let file = read(r#"{"file": "secrets/token"}"#).unwrap();
        assert_eq!(file, Secret::file("secrets/token"));
        assert_eq!(format!("{file:?}"), r#"{ file = "secrets/token" }"#);
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_shown() {
        let (literal, table) = ("is not written into the file", "is a key misspelt");
        for (json, why) in [
            ("\"hunter2\"", literal),
            ("4242424242", literal),
            ("-4242424242", literal),
            ("4242424242.5", literal),
            ("{}", table),
            (r#"{"hunter2": "4242424242"}"#, table),
            (r#"{"evn": "hunter2"}"#, table),
            (r#"{"env": 4242424242}"#, table),
            (r#"{"env": "A", "file": "B"}"#, table),
            (r#"{"env": "A", "timeout": "60s"}"#, table),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains("{ env = \"NAME\" }"), "{json}: {error}");
            assert!(error.contains(why), "{json}: {error}");
            assert!(
                !error.contains("hunter2") && !error.contains("4242"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_secret_that_was_given_is_never_shown_and_equal_to_none() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "[REDACTED]");
        assert_ne!(secret, secret.clone());
    }
}
