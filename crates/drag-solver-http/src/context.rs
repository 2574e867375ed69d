//! What surrounds a provider that is being made.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::ConfigError;
use secrecy::SecretString;

use crate::Secret;
use crate::secret::{Place, Source};

/// A secret is at most this long, in bytes; a token is shorter still.
const MAX_SECRET: u64 = 4096;

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// What surrounds a provider that is being made: the environment, where relative paths begin, the time
/// limit on an attempt.
#[derive(Clone)]
pub struct Context {
    lookup: Arc<Lookup>,
    base_dir: PathBuf,
    attempt_timeout: Option<Duration>,
}

impl Context {
    /// The environment of this process, its working directory, and no time limit.
    #[must_use]
    pub fn process() -> Self {
        Self::with_variables(|name| std::env::var_os(name))
    }

    /// Variables as `lookup` returns them: for settings that come from elsewhere, and for tests.
    pub fn with_variables(
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        Self {
            lookup: Arc::new(lookup),
            base_dir: PathBuf::new(),
            attempt_timeout: None,
        }
    }

    /// Looks for the files of secrets from `base_dir` on, if their paths are relative.
    #[must_use]
    pub fn with_base_dir(mut self, base_dir: impl Into<PathBuf>) -> Self {
        self.base_dir = base_dir.into();
        self
    }

    /// Says that something outside of the provider ends an attempt after `timeout`.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.attempt_timeout = timeout.into();
        self
    }

    /// How long an attempt may take, if something outside of the provider sees to that. A limit of
    /// the provider's own should then be no shorter.
    #[must_use]
    pub fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }

    /// The text of a variable. One that is empty counts as not set.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on the variable, if it is not text.
    pub fn variable(&self, name: &str) -> Result<Option<String>, ConfigError> {
        match (self.lookup)(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(ConfigError::new(name, "is not text in UTF-8")),
            },
        }
    }

    /// Reads the secret of the setting `setting`, wherever it is. Reading a file blocks, briefly.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on the setting: the variable is not set, the file cannot be read.
    pub fn secret(&self, setting: &str, secret: &Secret) -> Result<SecretString, ConfigError> {
        let fail = |problem: String| Err(ConfigError::new(setting, problem));
        match &secret.0 {
            Source::Value(secret) => Ok(secret.clone()),
            Source::Place(Place::Env(name)) => match self.variable(name) {
                Ok(Some(text)) => Ok(text.into()),
                Ok(None) => fail(format!(
                    "the environment variable {name} is not set, or empty"
                )),
                Err(error) => fail(format!("the environment variable {error}")),
            },
            Source::Place(Place::File(path)) => {
                let path = self.base_dir.join(path);
                read(&path)
                    .or_else(|error| fail(format!("cannot read {}: {error}", path.display())))
            }
        }
    }
}

fn read(path: &Path) -> io::Result<SecretString> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_SECRET + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SECRET {
        return Err(io::Error::other(format!(
            "it is longer than {MAX_SECRET} bytes: is it the right file?"
        )));
    }
    Ok(text.into())
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("base_dir", &self.base_dir)
            .field("attempt_timeout", &self.attempt_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn context() -> Context {
        Context::with_variables(|name| (name == "TOKEN").then(|| "hunter2".into()))
    }

    #[test]
    fn a_secret_is_read_from_where_it_is() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        std::fs::write(folder.join("token"), "from a file\n").unwrap();
        let context = context().with_base_dir(folder);
        for (secret, expected) in [
            (Secret::from("given"), "given"),
            (Secret::env("TOKEN"), "hunter2"),
            (Secret::file("token"), "from a file\n"),
            (Secret::file(folder.join("token")), "from a file\n"),
        ] {
            let read = context.secret("token", &secret).unwrap();
            assert_eq!(read.expose_secret(), expected);
        }
        std::fs::write(folder.join("token"), "x".repeat(4097)).unwrap();
        let error = context.secret("token", &Secret::file("token")).unwrap_err();
        assert!(error.problem().contains("longer than 4096"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let missing = |secret: Secret| context().secret("token", &secret).unwrap_err().to_string();
        assert_eq!(
            missing(Secret::env("OTHER")),
            "token: the environment variable OTHER is not set, or empty"
        );
        let error = missing(Secret::file("/no/such/file"));
        assert!(
            error.starts_with("token: cannot read /no/such/file: "),
            "{error}"
        );
    }
}
