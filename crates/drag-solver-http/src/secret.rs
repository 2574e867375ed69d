//! Secrets that a configuration file names and does not hold.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

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
pub struct Secret(Source);

#[derive(Clone)]
enum Source {
    Value(SecretString),
    Env(String),
    File(PathBuf),
}

/// Where a secret is.
pub(crate) enum Place<'a> {
    Here(&'a SecretString),
    Variable(&'a str),
    File(&'a Path),
}

impl Secret {
    /// The secret that this variable of the environment holds.
    pub fn env(variable: impl Into<String>) -> Self {
        Self(Source::Env(variable.into()))
    }

    /// The secret that this file holds.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    pub(crate) fn place(&self) -> Place<'_> {
        match &self.0 {
            Source::Value(secret) => Place::Here(secret),
            Source::Env(variable) => Place::Variable(variable),
            Source::File(path) => Place::File(path),
        }
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
            (Source::Env(one), Source::Env(other)) => one == other,
            (Source::File(one), Source::File(other)) => one == other,
            _ => false,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Value(_) => f.write_str("[REDACTED]"),
            Source::Env(variable) => write!(f, "{{ env = {variable:?} }}"),
            Source::File(path) => write!(f, "{{ file = {path:?} }}"),
        }
    }
}

const HOW: &str = "a secret is not written into the file: write { env = \"NAME\" } or \
                   { file = \"PATH\" } to say where it is";

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reference;

        impl<'de> Visitor<'de> for Reference {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ env = \"NAME\" } or { file = \"PATH\" }")
            }

            // None of these may repeat what it was given.
            fn visit_str<E: Error>(self, _: &str) -> Result<Secret, E> {
                Err(E::custom(HOW))
            }

            fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Secret, E> {
                Err(E::custom(HOW))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
                Err(E::custom(HOW))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::custom(HOW))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::custom(HOW))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
                let found = map.next_key::<String>()?;
                let secret = match found.as_deref() {
                    Some("env") => Secret::env(map.next_value::<String>()?),
                    Some("file") => Secret::file(map.next_value::<PathBuf>()?),
                    _ => return Err(A::Error::custom(HOW)),
                };
                match map.next_key::<String>()? {
                    None => Ok(secret),
                    Some(_) => Err(A::Error::custom(
                        "names two places: write either { env = \"NAME\" } or { file = \"PATH\" }",
                    )),
                }
            }
        }

        deserializer.deserialize_any(Reference)
    }
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
        let nested = r#"{"hunter2": "4242424242"}"#;
        let both = r#"{"env": "A", "file": "B"}"#;
        let literal = ["\"hunter2\"", "4242424242", "-4242424242", "4242424242.5"];
        for json in literal.into_iter().chain(["{}", nested, both]) {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains("{ env = \"NAME\" }"), "{json}: {error}");
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
