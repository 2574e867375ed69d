//! Settings from a file or from variables.

use std::error::Error;

use drag_solver::config::{ChainConfig, Registry};
use drag_solver::http::{Context, HttpOptions, Provider};
use drag_solver::providers::{AntiCaptcha, Omocaptcha, TwoCaptcha};
use drag_solver::{
    BudgetPolicy, ConfigError, DeadlinePolicy, DragSolver, RetryBudgetPolicy, RetryPolicy,
    TimeoutPolicy, ValidatePolicy,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::promises::{TOKEN, hides_the_token, is_printable};

/// Settings are taken, or refused in one line that names the setting; a token is never shown; a
/// policy that was taken is written and read again without a change.
pub fn config(data: &[u8]) {
    for place in [Place::File, Place::Variable] {
        if let Some(settings) = with_secrets(data, place) {
            provider::<Omocaptcha>(&settings);
            provider::<TwoCaptcha>(&settings);
            provider::<AntiCaptcha>(&settings);
        }
    }
    chain(data);
    policy::<RetryPolicy>(data);
    policy::<RetryBudgetPolicy>(data);
    policy::<TimeoutPolicy>(data);
    policy::<DeadlinePolicy>(data);
    policy::<ValidatePolicy>(data);
    policy::<BudgetPolicy>(data);
}

/// Where a secret is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// In the settings themselves, which is refused.
    File,
    Variable,
}

/// The same settings with a token of ours and a password of ours, if they have such members, and
/// nowhere else.
fn with_secrets(data: &[u8], place: Place) -> Option<Value> {
    let mut settings: Value = read(data)?;
    let members = settings.as_object_mut()?;
    let has_proxy = members.remove("proxy").is_some();
    let has_token = members.remove("token").is_some();
    if shows_the_token(&format!("{members:?}")) {
        return None;
    }
    let mut add = |name: &str, variable: &str, secret: String| {
        let secret = match place {
            Place::File => secret.into(),
            Place::Variable => json!({"env": variable}),
        };
        members.insert(name.to_owned(), secret);
    };
    if has_token {
        add("token", "THE_TOKEN", TOKEN.to_owned());
    }
    if has_proxy {
        add("proxy", "THE_PROXY", proxy());
    }
    Some(settings)
}

fn proxy() -> String {
    format!("http://user:{}@proxy:3128", TOKEN.replace('/', "%2F"))
}

/// In capitals too: the host of a URL is read in small letters.
pub(super) fn shows_the_token(text: &str) -> bool {
    text.to_ascii_lowercase()
        .contains(&TOKEN.to_ascii_lowercase())
}

/// A chain from a file. Files are not read for secrets, as any file might be named.
fn chain(data: &[u8]) {
    // Nor is a token looked for that the file itself shows.
    let is_usable = |value: Value| {
        let text = value.to_string();
        !text.contains("file") && !shows_the_token(&text)
    };
    if !read(data).is_some_and(is_usable) {
        return;
    }
    let registry = Registry::standard().with_variables(|name| {
        let is_secret = name.ends_with("_TOKEN") || name.ends_with("_KEY");
        is_secret.then(|| TOKEN.into())
    });
    let chain = match serde_json::from_slice::<ChainConfig>(data) {
        Ok(config) => match config.build(&registry) {
            Ok(chain) => chain,
            Err(error) => {
                is_printable(&error.to_string());
                return hides_the_token(&error.to_string());
            }
        },
        Err(error) => return is_printable(&error.to_string()),
    };
    assert!(!chain.providers().is_empty());
    hides_the_token(&format!(
        "{chain} {chain:#} {chain:?} {:?}",
        chain.profile()
    ));
}

/// What a registry makes of a table, and what a program makes of its environment.
fn provider<P: Provider<Config: DeserializeOwned>>(settings: &Value) {
    let variable = variables(settings.clone());
    let context = Context::with_variables(move |name| match name {
        "THE_TOKEN" => Some(TOKEN.into()),
        "THE_PROXY" => Some(proxy().into()),
        name => variable(name).map(Into::into),
    });
    match HttpOptions::deserialize(settings) {
        Ok(http) => {
            hides_the_token(&format!("{http:?}"));
            if let Ok(own) = P::Config::deserialize(settings) {
                built(P::from_config(http, own, &context));
            }
        }
        Err(error) => hides_the_token(&error.to_string()),
    }
    built(P::from_variables(&context));
}

/// A policy may be impossible to use and still be written down.
fn policy<P: DeserializeOwned + Serialize>(data: &[u8]) {
    if let Some(policy) = read::<P>(data) {
        let json = serde_json::to_string(&policy).expect("a policy serialises");
        let again: P = serde_json::from_str(&json).expect("a policy is read back");
        let again = serde_json::to_value(&again).expect("a policy serialises");
        let policy = serde_json::to_value(&policy).expect("a policy serialises");
        assert!(is_alike(&again, &policy), "{again} was {json}");
    }
}

/// JSON readers round the last bit of a number.
fn is_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let alike = |(key, value)| other.get(key).is_some_and(|own| is_alike(value, own));
            one.len() == other.len() && one.iter().all(alike)
        }
        _ => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= one.abs() * 1e-15,
            _ => one == other,
        },
    }
}

fn built<S: DragSolver>(outcome: Result<S, ConfigError>) {
    match outcome {
        Ok(solver) => {
            let name = solver.name();
            assert!((1..=64).contains(&name.len()), "{name}");
            is_printable(name);
            hides_the_token(&format!("{solver:?} {solver:#?}"));
            let _ = solver.profile();
        }
        Err(error) => refusal_is_sound(&error),
    }
}

pub(super) fn refusal_is_sound(error: &ConfigError) {
    assert!(
        !error.path().is_empty() && !error.problem().is_empty(),
        "{error:?}"
    );
    for text in std::iter::successors(Some(error as &dyn Error), |&error| error.source()) {
        is_printable(&text.to_string());
    }
    hides_the_token(&format!("{error:?}"));
}

fn read<T: DeserializeOwned>(data: &[u8]) -> Option<T> {
    serde_json::from_slice(data).ok()
}

/// An environment: the members whose values are strings, under their upper-case names behind any
/// prefix.
fn variables(settings: Value) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let (_, setting) = name.split_once('_')?;
        let member = match setting {
            "API_TOKEN" | "API_KEY" => "token".to_owned(),
            other => other.to_lowercase(),
        };
        settings.get(member)?.as_str().map(str::to_owned)
    }
}
