//! The settings that every HTTP provider has.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "serde")]
use drag_solver_core::human_duration;
use drag_solver_core::text::looks_like_token;
use drag_solver_core::{ConfigError, Usd};
use secrecy::{ExposeSecret as _, SecretString};

use crate::endpoint::Endpoint;
use crate::secret::is_variable_name;
use crate::{CallbackReceiver, Context, NoCallbacks, PollInterval, Recorder, Secret, Transport};

/// Longest token accepted, in bytes. Known ones are 32 to 64.
const MAX_TOKEN: usize = 512;

/// Writes the settings and their setters: those of [`HttpOptions`] itself, and `http_option_setters!(http)`,
/// which writes the same into the `impl` of a builder that holds the options in its field `http`.
macro_rules! settings {
    (
        ($d:tt)
        $(#[$of_struct:meta])*
        pub struct HttpOptions {
            $(
                $(#[doc = $doc:expr])+
                $(#[cfg_attr $cfg_attr:tt])?
                pub $field:ident: Option<$type:ident>,
            )+
        }
        and no setter for { $($others:tt)* }
    ) => {
        $(#[$of_struct])*
        pub struct HttpOptions {
            $(
                $(#[doc = $doc])+
                $(#[cfg_attr $cfg_attr])?
                pub $field: Option<$type>,
            )+
            $($others)*
        }

        impl HttpOptions {
            $(
                $(#[doc = $doc])+
                #[must_use]
                pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                    self.$field = Some($field.into());
                    self
                }
            )+
        }

        #[doc(hidden)]
        #[macro_export]
        macro_rules! http_option_setters {
            ($d http:ident) => {
                $(
                    $(#[doc = $doc])+
                    #[must_use]
                    pub fn $field(mut self, $field: impl Into<$d crate::__setting_types::$type>) -> Self {
                        self.$d http.$field = Some($field.into());
                        self
                    }
                )+

                /// Replaces all settings that HTTP providers have in common.
                #[must_use]
                pub fn options(mut self, options: $d crate::HttpOptions) -> Self {
                    self.$d http = options;
                    self
                }

                /// Has the provider call `receiver` when an answer is there, if its protocol has callbacks.
                #[must_use]
                pub fn callbacks_to(mut self, receiver: &$d crate::CallbackReceiver) -> Self {
                    self.$d http = self.$d http.callbacks_to(receiver);
                    self
                }
            };
        }
    };
}

settings! {
($)
/// The settings that every HTTP provider has: builders hold them, configuration files (feature `serde`) and
/// the environment fill them. What is `None` is as the provider, or this library, would have it.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_http::{HttpOptions, PollInterval};
///
/// let seconds = Duration::from_secs;
/// let options = HttpOptions::default()
///     .request_timeout(seconds(20))
///     .poll(PollInterval::new(seconds(5), seconds(3)));
/// let read: HttpOptions =
///     serde_json::from_str(r#"{"request_timeout": "20s", "poll": {"first": "5s", "every": "3s"}}"#)?;
/// assert_eq!(format!("{options:?}"), format!("{read:?}"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[non_exhaustive]
pub struct HttpOptions {
    /// Key of the account: itself, or a `Secret` that says where it is.
    #[cfg_attr(feature = "serde", serde(alias = "key"))]
    pub token: Option<Secret>,
    /// Where the API is; the provider's own unless set. https, or http to this machine.
    pub base_url: Option<String>,
    /// Name of the solver; the provider's unless set. With another one, as in `"omocaptcha-backup"`, two
    /// accounts fit into one chain. Paid jobs are known by this name.
    pub name: Option<String>,
    /// URL of an HTTP or SOCKS proxy, as in `http://user:password@proxy.example.com:3128`; the environment's
    /// unless set. A loopback address is reached directly all the same.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "proxy"))]
    pub proxy: Option<Secret>,
    /// When to ask for the result; at the provider's documented interval unless set. What is set is kept to
    /// the letter: no first poll is put off. Asking faster than documented may get an account or an address
    /// blocked.
    pub poll: Option<PollInterval>,
    /// How long one call of `solve` may take, from the create request to the answer; 120 s unless set. A
    /// resumed job gets as long again.
    #[cfg_attr(feature = "serde", serde(with = "human_duration::option"))]
    pub job_timeout: Option<Duration>,
    /// How long one request may take; 30 s unless set. One that uploads may take a second longer for each
    /// 32 KiB of its body.
    #[cfg_attr(feature = "serde", serde(with = "human_duration::option"))]
    pub request_timeout: Option<Duration>,
    /// How long connecting may take, TLS included; 10 s unless set.
    #[cfg_attr(feature = "serde", serde(with = "human_duration::option"))]
    pub connect_timeout: Option<Duration>,
    /// What requests say who sends them; `drag-solver` and its version unless set.
    pub user_agent: Option<String>,
    /// The most that one answer costs, in US dollars: the cost of an answer, and of an attempt that may have
    /// been billed, where the provider names none.
    pub price: Option<Usd>,
    /// Records what goes over the wire, without secrets: see `Recorder`, which there is with the feature
    /// `record`. No file sets it: the program does, or the `Context`.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub recorder: Option<Recorder>,
    /// Whether the provider is asked to call back when an answer is there, where this program has a public
    /// address and the provider's protocol has callbacks; yes unless set. A provider may want the address
    /// registered first, and refuse jobs until it is.
    pub callbacks: Option<bool>,
}
and no setter for {
    /// What takes those calls; no file can say it.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub callback_receiver: Option<CallbackReceiver>,
    /// What the [`Context`] sends through instead of over HTTP.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) transport: Option<Arc<dyn Transport>>,
}
}

impl HttpOptions {
    /// Has the provider call `receiver` when an answer is there, if its protocol has callbacks.
    #[must_use]
    pub fn callbacks_to(mut self, receiver: &CallbackReceiver) -> Self {
        self.callback_receiver = Some(receiver.clone());
        self
    }

    /// What a provider is to call whose protocol has such calls.
    pub(crate) fn callback_target(&self) -> Result<CallbackReceiver, NoCallbacks> {
        if self.callbacks == Some(false) {
            return Err(NoCallbacks::SwitchedOff);
        }
        self.callback_receiver
            .clone()
            .ok_or(NoCallbacks::NoReceiver)
    }

    /// Takes token and base URL from these variables of the environment where they are not set, and
    /// reads secrets from where they are. For a [`Provider`](crate::Provider) that is being made.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting, or the variable it came from.
    pub fn resolve(
        mut self,
        token_variable: &str,
        base_url_variable: &str,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        if self.token.is_none()
            && let Some(token) = context.variable(token_variable)?
        {
            let token = check_token(&token).map_err(|error| error.in_variable(token_variable))?;
            self.token = Some(token.into());
        }
        if self.token.is_none() {
            return Err(context.not_set("token", token_variable));
        }
        if self.base_url.is_none()
            && let Some(url) = context.variable(base_url_variable)?
        {
            Endpoint::parse(&url).map_err(|error| error.in_variable(base_url_variable))?;
            self.base_url = Some(url);
        }
        self.token = Some(self.take_token(context)?.into());
        if let Some(proxy) = &self.proxy {
            self.proxy = Some(context.secret("proxy", proxy)?.into());
        }
        // What ends the attempt from outside takes the place of the provider's own limit.
        self.job_timeout = self.job_timeout.or(context.attempt_timeout());
        self.recorder = self.recorder.or_else(|| context.recorder().cloned());
        let receiver = || context.callback_receiver().cloned();
        self.callback_receiver = self.callback_receiver.or_else(receiver);
        self.transport = self.transport.or_else(|| context.transport());
        Ok(self)
    }

    /// Takes the token out, read from where it is.
    pub(crate) fn take_token(&mut self, context: &Context) -> Result<SecretString, ConfigError> {
        let Some(token) = self.token.take() else {
            let problem = "is not set: set it to the key of your account";
            return Err(ConfigError::new("token", problem));
        };
        check_token(context.secret("token", &token)?.expose_secret())
    }
}

/// Reads where a proxy's URL is. That it is a secret, too, is a surprise to many.
#[cfg(feature = "serde")]
fn proxy<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    use serde::Deserialize as _;
    use serde::de::Error as _;

    use crate::proxy::KNOWN_SCHEMES;

    Option::deserialize(deserializer).map_err(|_| {
        D::Error::custom(format!(
            "a proxy's URL is not written into the file, because there may be a password in it: write \
             either {{ env = \"NAME\" }} or {{ file = \"PATH\" }} to say where it is. {KNOWN_SCHEMES}"
        ))
    })
}

/// Takes a token as a user wrote it: surrounding white space (a file's last line break) is removed,
/// and what cannot be a token is refused without being shown.
fn check_token(token: &str) -> Result<SecretString, ConfigError> {
    let token = token.trim();
    let is_within = |open, close| token.starts_with(open) && token.ends_with(close);
    let is_pair = token
        .split_once('=')
        .is_some_and(|(name, _)| name.contains('_') && is_variable_name(name));
    let problem = if token.is_empty() {
        "is empty: set it to the token of your account"
    } else if ['"', '\'', '`']
        .iter()
        .any(|&quote| is_within(quote, quote))
    {
        "has quotes around it, which are not part of it: write it without (`docker --env-file` keeps \
         them)"
    } else if is_pair {
        "begins with NAME=, as lines of an environment file do: write what is behind it"
    } else if token.starts_with('$') || token.starts_with('%') {
        "begins like the name of a variable, which nothing has replaced by what it holds"
    } else if is_within('<', '>') {
        "is a placeholder in < and >: write the token of your account"
    } else if token.len() > MAX_TOKEN {
        "is longer than 512 bytes: is it the right file or variable?"
    } else if !token.bytes().all(|b| b.is_ascii_graphic()) {
        "has white space or characters that are not ASCII inside: copy it again"
    } else {
        return Ok(token.to_owned().into());
    };
    Err(ConfigError::new("token", problem))
}

/// Takes a base URL that requests may be sent to.
#[doc(hidden)]
pub fn check_base_url(base_url: &str) -> Result<(), ConfigError> {
    Endpoint::parse(base_url).map(drop)
}

/// Takes a solver's name: 1 to 64 characters out of `a-z`, `0-9`, `-`, `_` and `.`.
#[doc(hidden)]
pub fn check_name(name: &str) -> Result<(), ConfigError> {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if looks_like_token(name) {
        let problem = "looks like a token, and a name is shown everywhere (it is not shown here)";
        return Err(ConfigError::new("name", problem));
    }
    if (1..=64).contains(&name.len()) && name.chars().all(is_fit) {
        return Ok(());
    }
    Err(ConfigError::new(
        "name",
        format!("`{name}` is no name: use 1 to 64 of a-z, 0-9, `-`, `_` and `.`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "EXAMPLE_TOKEN";
    const BASE_URL: &str = "EXAMPLE_BASE_URL";

    fn context(token: &'static str, base_url: &'static str) -> Context {
        Context::with_variables(move |name| match name {
            TOKEN => Some(token.into()),
            BASE_URL => Some(base_url.into()),
            _ => None,
        })
    }

    fn resolve(options: HttpOptions, context: &Context) -> Result<HttpOptions, ConfigError> {
        options.resolve(TOKEN, BASE_URL, context)
    }

    #[test]
    fn a_token_loses_its_line_break_and_nothing_else() {
        for (written, taken) in [
            (" Ab/+=9\r\n", "Ab/+=9"),
            ("TOKEN=", "TOKEN="),
            ("a<b>", "a<b>"),
        ] {
            assert_eq!(check_token(written).unwrap().expose_secret(), taken);
        }
    }

    #[test]
    fn a_bad_token_is_refused_by_setting_and_never_shown() {
        for bad in [
            "",
            "  \n",
            "hunter2 hunter2",
            "hunter2\u{7}",
            "húnter2",
            "\"hunter2\"",
            "'hunter2'",
            "OMOCAPTCHA_API_TOKEN=hunter2",
            "$HUNTER2_nter2",
            "%HUNTER2_nter2%",
            "<hunter2>",
            &"hunter2".repeat(99),
        ] {
            let error = check_token(bad).unwrap_err();
            assert_eq!(error.path(), "token");
            assert!(!format!("{error} {error:?}").contains("nter2"), "{error}");
        }
    }

    #[test]
    fn a_bad_value_cannot_forge_or_flood_a_log() {
        let error = check_name(&format!(
            "a\n2026 INFO solved\u{1b}[2J {}",
            "x".repeat(9_999)
        ));
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("name: `a 2026 INFO"), "{text}");
        assert!(!text.contains(char::is_control), "{text}");
        assert!(text.chars().count() < 600, "{}", text.len());
    }

    #[test]
    fn names_are_short_and_lower_case() {
        for good in ["omocaptcha", "omocaptcha-backup", "2captcha", "a.b_c"] {
            assert_eq!(check_name(good), Ok(()));
        }
        for bad in ["", "Omo", "a b", "é", &"a".repeat(65)] {
            assert_eq!(check_name(bad).unwrap_err().path(), "name", "{bad}");
        }
        let token = "0123456789abcdef0123456789abcdef";
        let error = check_name(token).unwrap_err().to_string();
        assert!(
            error.contains("looks like a token") && !error.contains("0123"),
            "{error}"
        );
    }

    #[test]
    fn what_is_not_set_comes_from_the_environment_and_what_is_set_stays() {
        let context = context("hunter2\n", "http://127.0.0.1:1");
        let mut filled = resolve(HttpOptions::default(), &context).unwrap();
        assert_eq!(filled.base_url.as_deref(), Some("http://127.0.0.1:1"));
        let token = filled.take_token(&context).unwrap();
        assert_eq!(token.expose_secret(), "hunter2");
        assert_eq!(filled.job_timeout, None);

        let given = HttpOptions::default()
            .token("given")
            .base_url("https://example.com")
            .proxy(Secret::env(BASE_URL));
        let attempt_timeout = context.clone().with_attempt_timeout(Duration::from_secs(9));
        let mut kept = resolve(given, &attempt_timeout).unwrap();
        assert_eq!(kept.base_url.as_deref(), Some("https://example.com"));
        let token = kept.take_token(&context).unwrap();
        assert_eq!(token.expose_secret(), "given");
        let proxy = context.secret("proxy", &kept.proxy.unwrap()).unwrap();
        assert_eq!(proxy.expose_secret(), "http://127.0.0.1:1");
        assert_eq!(kept.job_timeout, Some(Duration::from_secs(9)));
    }

    #[test]
    fn an_error_names_the_variable_if_the_value_came_from_there_and_the_setting_otherwise() {
        let path = |options, context: &Context| resolve(options, context).unwrap_err().path();
        let fine = HttpOptions::default;
        assert_eq!(path(fine(), &context("hunter2 x", "")), TOKEN);
        assert_eq!(path(fine(), &context("hunter2", "nowhere")), BASE_URL);
        assert_eq!(path(fine(), &context("", "")), "token");
        let bad = fine().token("hunter2 x");
        assert_eq!(path(bad, &context("hunter2", "")), "token");
        let elsewhere = fine().token(Secret::env("NOWHERE"));
        assert_eq!(path(elsewhere, &context("hunter2", "")), "token");
    }

    #[test]
    fn debug_hides_what_is_secret() {
        let options = HttpOptions::default().token("hunter2");
        let options = options.proxy("http://me:hunter2@proxy.example.com");
        assert!(!format!("{options:?} {options:#?}").contains("hunter2"));
    }
}
