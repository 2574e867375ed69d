//! The proxy that requests go through: checked, so that none is left out in silence.

use std::ffi::OsString;
use std::fmt;

use drag_solver_core::ConfigError;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Proxy, Url};
use secrecy::ExposeSecret as _;

use crate::endpoint::Endpoint;
use crate::{Context, Secret};

/// The first of these that is set names the proxy for https.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// What is written in front of a proxy's name.
pub(crate) const KNOWN_SCHEMES: &str =
    "Use http://, https://, socks4://, socks4a://, socks5:// or socks5h://";

const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// The proxy of an endpoint, for messages: without user name and password.
#[derive(Clone, Debug)]
pub(crate) struct ProxyName(String);

impl ProxyName {
    fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self(match url.port() {
            Some(port) => format!("{}://{host}:{port}", url.scheme()),
            None => format!("{}://{host}", url.scheme()),
        })
    }
}

impl fmt::Display for ProxyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The proxy of the setting `proxy`.
pub(crate) fn from_setting(proxy: &Secret) -> Result<(Proxy, ProxyName), ConfigError> {
    let text = Context::process().secret("proxy", proxy)?;
    parse(text.expose_secret()).map_err(|problem| ConfigError::new("proxy", problem))
}

/// The proxy that the environment names for `endpoint`, if it does.
///
/// A variable that cannot be used is refused: to go around the proxy would show the provider this
/// machine's own address.
pub(crate) fn from_environment(
    endpoint: &Endpoint,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<(Proxy, ProxyName)>, ConfigError> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let Some((name, value)) = VARIABLES.iter().find_map(|&name| Some((name, set(name)?))) else {
        return Ok(None);
    };
    let excepted = set("NO_PROXY").or_else(|| set("no_proxy"));
    let excepted = excepted.unwrap_or_default();
    // Some proxy or other: the question is whether the host is excepted.
    let matcher = Matcher::builder().all("http://localhost");
    let matcher = matcher.no(excepted.to_string_lossy().into_owned()).build();
    let target = endpoint.as_str().parse();
    if target.is_ok_and(|target| matcher.intercept(&target).is_none()) {
        return Ok(None);
    }
    let text = value.to_str().ok_or_else(|| hidden(NOT_ASCII));
    let proxy = text.and_then(parse);
    proxy
        .map(Some)
        .map_err(|problem| ConfigError::of_variable(name, problem))
}

const NOT_A_URL: &str = "is not a URL of a proxy: write it like http://proxy.example.com:3128 or \
     http://user:password@proxy.example.com:3128";

const NOT_ASCII: &str = "has blanks, line ends or characters that are not ASCII in it: write these in a \
     password as %XX";

fn hidden(problem: &str) -> String {
    format!("{problem} (its value is not shown)")
}

/// Reads a proxy's URL, or a host and a port alone. No error shows it: it may hold a password.
fn parse(text: &str) -> Result<(Proxy, ProxyName), String> {
    let refuse = |problem: &str| Err(hidden(problem));
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse(NOT_ASCII);
    }
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        return refuse("has quotes around it: write the URL alone");
    }
    if text.starts_with('<') || text.ends_with('>') || text.contains(['$', '{', '}']) {
        return refuse(
            "has a placeholder in it that nothing has replaced: write what it stands for, and `$`, `{` and \
             `}` of a password as %24, %7B and %7D",
        );
    }
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&full).map_err(|_| hidden(NOT_A_URL))?;
    if !SCHEMES.contains(&url.scheme()) {
        return refuse(&format!(
            "names a kind of proxy that is not known. {KNOWN_SCHEMES}"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a `?` or a `#` in it: write these in a password as %3F and %23");
    }
    if url.host_str().is_none_or(str::is_empty) || !matches!(url.path(), "" | "/") {
        return refuse(NOT_A_URL);
    }
    // The HTTP client reads it again, in its own way, and leaves out what it cannot read.
    let matcher = Matcher::builder().all(url.as_str().to_owned()).build();
    let anywhere = Uri::from_static("https://example.com");
    if matcher.intercept(&anywhere).is_none() {
        return refuse(NOT_A_URL);
    }
    let name = ProxyName::of(&url);
    // The error would show the URL, and with it a password.
    let proxy = Proxy::all(url).map_err(|_| hidden(NOT_A_URL))?;
    Ok((proxy, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(
        variables: &'a [(&'a str, &'a str)],
    ) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        }
    }

    fn proxy(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let endpoint = Endpoint::parse("https://api.example.com/v1").unwrap();
        let proxy = from_environment(&endpoint, environment(variables));
        let name = proxy.map(|found| found.map(|(_, name)| name.to_string()));
        name.map_err(|error| error.to_string())
    }

    const UNUSABLE: [&str; 20] = [
        "ftp://sesame@proxy:3128",
        "sock5://sesame@proxy:3128",
        "socks://sesame@proxy:3128",
        "ws://sesame@proxy:3128",
        "\"http://sesame@proxy:3128\"",
        "'http://sesame@proxy:3128'",
        "http://sesame@proxy:3128\r",
        " http://sesame@proxy:3128",
        "http://user:ses ame@proxy:3128",
        "http://user:s\u{e9}same@proxy:3128",
        "proxy:3128:user:sesame",
        "http://proxy:3128:user:sesame",
        "http://sesame@proxy:99999",
        "http://",
        "http://${PROXY}:3128/sesame",
        "http://{proxy}:3128/sesame",
        "$SESAME_same",
        "socks5h://127.0.0.%31:1",
        "http://127.0.0.1:12#same@proxy.example.com:3128",
        "http://127.0.0.1:12?same@proxy.example.com:3128",
    ];

    #[test]
    fn a_variable_that_cannot_be_used_is_refused_by_name_and_never_shown() {
        for value in UNUSABLE {
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let error = proxy(&[(variable, value)]).unwrap_err();
                assert!(error.contains(variable), "{value}: {error}");
                assert!(!error.contains("same"), "{value}: {error}");
            }
        }
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_refused_and_never_shown() {
        for value in UNUSABLE.into_iter().chain([""]) {
            let error = from_setting(&value.to_owned().into()).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with("proxy: "), "{value}: {error}");
            assert!(!error.contains("same"), "{value}: {error}");
        }
    }

    #[test]
    fn usable_ones_are_named_without_their_password() {
        for (value, name) in [
            (
                "http://user:sesame@proxy.example.com:3128",
                "http://proxy.example.com:3128",
            ),
            ("proxy.example.com:3128", "http://proxy.example.com:3128"),
            ("user:p%40ss@[::1]:3128/", "http://[::1]:3128"),
            ("socks5h://127.0.0.1:9050", "socks5h://127.0.0.1:9050"),
            ("https://proxy.example.com", "https://proxy.example.com"),
            ("http://user:p'ass@proxy", "http://proxy"),
        ] {
            let named = Ok(Some(name.to_owned()));
            assert_eq!(proxy(&[("HTTPS_PROXY", value)]), named, "{value}");
            assert_eq!(proxy(&[("HTTPS_PROXY", ""), ("all_proxy", value)]), named);
        }
    }

    #[test]
    fn a_host_that_is_excepted_has_none() {
        for (excepted, is_used) in [
            ("example.com", false),
            (".example.com", false),
            ("*", false),
            ("other", true),
        ] {
            let variables = [("HTTPS_PROXY", "http://proxy:3128"), ("no_proxy", excepted)];
            let name = proxy(&variables).unwrap();
            assert_eq!(name.is_some(), is_used, "{excepted}");
        }
        assert_eq!(
            proxy(&[("HTTP_PROXY", "http://proxy:3128")]),
            Ok(None),
            "for http alone"
        );
        assert_eq!(proxy(&[]), Ok(None));
        // As a desktop sets it that has no proxy for anything.
        let none = [("ALL_PROXY", "socks://127.0.0.1:1080/"), ("NO_PROXY", "*")];
        assert_eq!(proxy(&none), Ok(None));
    }
}
