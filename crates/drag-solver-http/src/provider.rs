//! What a registry must know of a provider, so that a configuration file can name it.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{DragSolver, SolveError, async_trait};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::secret::Place;
use crate::{Balance, ConfigError, Secret};

/// A secret is at most this long, in bytes; a token is shorter still.
const MAX_SECRET: u64 = 4096;

/// A provider with an account, as a registry knows it: what it is called, which variables of the
/// environment it reads, and how a solver is made of a table in a configuration file.
#[async_trait]
pub trait Provider: DragSolver + Sized + 'static {
    /// Its name: short, stable, lower case.
    const NAME: &'static str;
    /// Other names that people know it by.
    const ALIASES: &'static [&'static str] = &[];
    /// Who that is, for a help page: where the service is, say.
    const ABOUT: &'static str;
    /// The variables it reads. The first holds the credentials.
    const VARIABLES: &'static [Variable];
    /// Its settings, as a configuration file has them: a struct, of which every member may be
    /// absent. It has a member `name`, for two accounts in one chain.
    type Config: DeserializeOwned + Default;

    /// Makes a solver. What `config` leaves open is taken from the environment's variables, then
    /// from the provider's defaults. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting, or the variable it came from.
    fn open(config: Self::Config, context: &Context) -> Result<Self, ConfigError>;

    /// Asks what is left in the account. Costs nothing.
    async fn balance(&self) -> Result<Balance, SolveError>;
}

/// A variable of the environment that a provider reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in one line.
    pub meaning: &'static str,
    /// What is taken unless it is set.
    pub default: Option<&'static str>,
}

impl Variable {
    /// The variable `name`.
    #[must_use]
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            meaning,
            default: None,
        }
    }

    /// Says what is taken unless it is set.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// What surrounds a provider that is being made: environment, folder, the limit on an attempt.
#[derive(Clone)]
pub struct Context {
    lookup: Arc<Lookup>,
    folder: PathBuf,
    attempt_limit: Option<Duration>,
}

impl Context {
    /// The environment of this process, its working directory, and no limit.
    #[must_use]
    pub fn of_process() -> Self {
        Self::with_variables(|name| std::env::var_os(name))
    }

    /// Variables as `lookup` returns them: for settings that come from elsewhere, and for tests.
    pub fn with_variables(
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        Self {
            lookup: Arc::new(lookup),
            folder: PathBuf::new(),
            attempt_limit: None,
        }
    }

    /// Looks for the files of secrets from `folder` on, if their paths are relative.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Says that something outside of the provider ends an attempt after `limit`.
    #[must_use]
    pub fn limited_to(mut self, limit: Option<Duration>) -> Self {
        self.attempt_limit = limit;
        self
    }

    /// How long an attempt may take, if something outside of the provider sees to that. A limit of
    /// the provider's own should then be no shorter.
    #[must_use]
    pub fn attempt_limit(&self) -> Option<Duration> {
        self.attempt_limit
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

    /// The error of credentials that are nowhere: neither in the configuration nor in `variable`.
    #[must_use]
    pub fn no_token(&self, variable: &str) -> ConfigError {
        let problem = format!(
            "is not set: write {{ env = \"NAME\" }} or {{ file = \"PATH\" }} to say where it is, or \
             set the environment variable {variable}"
        );
        ConfigError::new("token", problem)
    }

    /// Reads the secret of the setting `setting`, wherever it is. Reading a file blocks, briefly.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on the setting: the variable is not set, the file cannot be read.
    pub fn secret(&self, setting: &str, secret: &Secret) -> Result<SecretString, ConfigError> {
        let fail = |problem: String| Err(ConfigError::new(setting, problem));
        match secret.place() {
            Place::Here(secret) => Ok(secret.clone()),
            Place::Variable(name) => match self.variable(name) {
                Ok(Some(text)) => Ok(text.into()),
                Ok(None) => fail(format!(
                    "the environment variable {name} is not set, or empty"
                )),
                Err(error) => fail(format!("the environment variable {error}")),
            },
            Place::File(path) => {
                let path = self.folder.join(path);
                match read(&path) {
                    Ok(secret) => Ok(secret),
                    Err(error) => fail(format!("cannot read {}: {error}", path.display())),
                }
            }
        }
    }
}

fn read(path: &std::path::Path) -> std::io::Result<SecretString> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_SECRET + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SECRET {
        return Err(std::io::Error::other(format!(
            "it is longer than {MAX_SECRET} bytes: is it the right file?"
        )));
    }
    Ok(text.into())
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("folder", &self.folder)
            .field("attempt_limit", &self.attempt_limit)
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
        let context = context().in_folder(folder);
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
