//! What surrounds a provider that is being made.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drag_solver_core::ConfigError;
use secrecy::{ExposeSecret as _, SecretString};

use crate::secret::{Place, Source, is_path, is_variable_name};
use crate::{CallbackReceiver, Recorder, Secret, Transport};

/// A secret is at most this long, in bytes; a token is shorter still.
const MAX_SECRET: u64 = 4096;

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// What surrounds a provider that is being made: the environment, where relative paths begin, the time
/// limit on an attempt, who records what goes over the wire.
#[derive(Clone)]
pub struct Context {
    lookup: Arc<Lookup>,
    base_dir: PathBuf,
    attempt_timeout: Option<Duration>,
    recorder: Option<Recorder>,
    callback_receiver: Option<CallbackReceiver>,
    transport: Option<Arc<dyn Transport>>,
    /// Whether all settings come from variables: the error of a missing one then names the variable.
    variables_alone: bool,
    /// The secrets that were read through it, if somebody wants to know.
    secrets: Option<Arc<Mutex<Vec<SecretString>>>>,
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
            recorder: None,
            callback_receiver: None,
            transport: None,
            variables_alone: false,
            secrets: None,
        }
    }

    /// Looks for the files of secrets from `base_dir` on, if their paths are relative.
    #[must_use]
    pub fn with_base_dir(mut self, base_dir: impl Into<PathBuf>) -> Self {
        self.base_dir = base_dir.into();
        self
    }

    /// Where the file at `path` is: a relative one begins in the base directory.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base_dir.join(path)
    }

    /// Says that something outside of the provider ends an attempt after `timeout`.
    #[doc(hidden)]
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.attempt_timeout = timeout.into();
        self
    }

    /// How long an attempt may take, if something outside of the provider sees to that. A limit of
    /// the provider's own should then be no shorter.
    pub(crate) fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }

    /// Has every HTTP provider that is made here record what goes over the wire. There is a recorder with the
    /// feature `record`.
    #[must_use]
    pub fn with_recorder(mut self, recorder: impl Into<Option<Recorder>>) -> Self {
        self.recorder = recorder.into();
        self
    }

    /// Who records what goes over the wire.
    #[must_use]
    pub fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// Says what takes the calls of providers that an answer is there.
    #[doc(hidden)]
    #[must_use]
    pub fn with_callback_receiver(mut self, receiver: impl Into<Option<CallbackReceiver>>) -> Self {
        self.callback_receiver = receiver.into();
        self
    }

    /// What takes the calls of providers that an answer is there, if this program has a public address.
    #[must_use]
    pub fn callback_receiver(&self) -> Option<&CallbackReceiver> {
        self.callback_receiver.as_ref()
    }

    /// Has every HTTP provider that is made here send through `transport` instead of over HTTP, unless its builder says
    /// otherwise: a recording that is played back to a whole chain, for example.
    #[must_use]
    pub fn with_transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    pub(crate) fn transport(&self) -> Option<Arc<dyn Transport>> {
        self.transport.clone()
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
                Err(_) => Err(ConfigError::of_variable(name, "is not text in UTF-8")),
            },
        }
    }

    /// Reads the secret of the setting `setting`, wherever it is, without the line ends behind it.
    /// Reading a file blocks, briefly.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on the setting: the variable is not set, the file cannot be read.
    pub fn secret(&self, setting: &str, secret: &Secret) -> Result<SecretString, ConfigError> {
        let fail = |problem: String| Err(ConfigError::new(setting, problem));
        let text = match &secret.0 {
            Source::Value(secret) => return Ok(self.remember(secret.clone())),
            Source::Place(Place::Env(name)) => match self.variable(name) {
                Ok(Some(text)) => text,
                _ if !is_variable_name(name) => {
                    return fail(format!(
                        "the environment variable that `env` names is not set. Its name is not shown, \
                         because it is not in capitals and may be the secret itself: write \
                         {{ env = \"{EXAMPLE}\" }}"
                    ));
                }
                Ok(None) => {
                    return fail(format!(
                        "the environment variable {name} is not set, or empty"
                    ));
                }
                Err(error) => return fail(format!("the {error}")),
            },
            Source::Place(Place::File(path)) => {
                let full = self.base_dir.join(path);
                match read(&full) {
                    Ok(text) => text,
                    Err(error) if is_path(path) => {
                        return fail(format!("cannot read {}: {error}", full.display()));
                    }
                    Err(error) => {
                        return fail(format!(
                            "cannot read the file: {error}. Its path is not shown, because it may be the \
                             secret itself: write it with `./` in front"
                        ));
                    }
                }
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(self.remember(text.trim_end_matches(['\r', '\n']).into()))
    }

    /// The secret of the setting `setting` if it is set, or else that which the environment's `variable`
    /// holds: for a second secret, beside the token.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on the setting: there is neither, or it cannot be read.
    pub fn secret_or(
        &self,
        setting: &str,
        secret: Option<Secret>,
        variable: &str,
    ) -> Result<SecretString, ConfigError> {
        let found = match secret {
            Some(secret) => Some(self.secret(setting, &secret)?),
            None => self.variable(variable)?.map(SecretString::from),
        };
        match found.map(|secret| SecretString::from(secret.expose_secret().trim())) {
            Some(secret) if !secret.expose_secret().is_empty() => Ok(self.remember(secret)),
            Some(_) => Err(ConfigError::new(setting, "is empty")),
            None => Err(self.not_set(setting, variable)),
        }
    }

    /// The error of a secret that has to be set and is not: neither as `setting` nor as `variable`.
    pub(crate) fn not_set(&self, setting: &str, variable: &str) -> ConfigError {
        if self.variables_alone {
            let problem = format!("is not set: set it to the {setting} of your account");
            return ConfigError::of_variable(variable, problem);
        }
        let problem = format!(
            "is not set: write {{ env = \"NAME\" }} or {{ file = \"PATH\" }} to say where it is, or set the \
             environment variable {variable}"
        );
        ConfigError::new(setting, problem)
    }

    /// The same surroundings for a provider that has no settings beside them.
    pub(crate) fn with_variables_alone(&self) -> Self {
        Self {
            variables_alone: true,
            ..self.clone()
        }
    }

    /// The same surroundings, which remember this secret and those that are read from now on.
    pub(crate) fn remembering(&self, secret: SecretString) -> Self {
        Self {
            secrets: Some(Arc::new(Mutex::new(vec![secret]))),
            ..self.clone()
        }
    }

    /// The secrets that are remembered.
    pub(crate) fn remembered(&self) -> Vec<SecretString> {
        let secrets = self.secrets.as_deref().map(Mutex::lock);
        secrets.map_or_else(Vec::new, |it| {
            it.unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    fn remember(&self, secret: SecretString) -> SecretString {
        if let Some(secrets) = &self.secrets {
            let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.push(secret.clone());
        }
        secret
    }
}

const EXAMPLE: &str = "EXAMPLE_API_TOKEN";

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_SECRET + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SECRET {
        return Err(io::Error::other(format!(
            "it is longer than {MAX_SECRET} bytes: is it the right file?"
        )));
    }
    Ok(text)
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("base_dir", &self.base_dir)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("callback_receiver", &self.callback_receiver)
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
        std::fs::write(folder.join("bom"), "\u{feff}from an editor\r\n").unwrap();
        let context = context().with_base_dir(folder);
        for (secret, expected) in [
            (Secret::from("given"), "given"),
            (Secret::env("TOKEN"), "hunter2"),
            (Secret::file("token"), "from a file"),
            (Secret::file("bom"), "from an editor"),
            (Secret::file(folder.join("token")), "from a file"),
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
        // The secret itself, in the place of where it is.
        for secret in [
            "hunter2",
            "sk_live_hunter2",
            "0123456789ABCDEF0123456789ABCDEF",
            "a b",
        ] {
            for place in [Secret::env(secret), Secret::file(secret)] {
                let error = missing(place);
                assert!(!error.contains(secret), "{error}");
                assert!(error.contains("may be the secret itself"), "{error}");
            }
        }
        let error = missing(Secret::file("/no/such/file"));
        assert!(
            error.starts_with("token: cannot read /no/such/file: "),
            "{error}"
        );
    }
}
