//! Hosts that may be called back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host that callbacks may go to: `example.com`, that alone, or `*.example.com`, every host below it and not itself.
///
/// ```
/// use drag_solver_gateway::CallbackHost;
///
/// let hosts: CallbackHost = "*.example.com".parse()?;
/// assert!(hosts.matches("hooks.example.com") && hosts.matches("A.B.EXAMPLE.com."));
/// assert!(!hosts.matches("example.com") && !hosts.matches("evil-example.com"));
/// # Ok::<(), drag_solver_gateway::NotAHost>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallbackHost {
    /// In small letters, without a dot at its end.
    name: String,
    is_below: bool,
}

/// A text is not the name of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAHost(String);

impl fmt::Display for NotAHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = "is not a host: write a name alone, as in `example.com`, or `*.example.com` for all below it";
        write!(f, "{:?} {what}", self.0)
    }
}

impl std::error::Error for NotAHost {}

impl CallbackHost {
    /// Whether callbacks may go to this host.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = plain(host);
        if self.is_below {
            let above = host.strip_suffix(&self.name);
            above.is_some_and(|above| above.len() > 1 && above.ends_with('.'))
        } else {
            host == self.name
        }
    }
}

impl FromStr for CallbackHost {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let below = text.strip_prefix("*.");
        let name = plain(below.unwrap_or(text));
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_name = name
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(fits));
        let is_address = name.parse::<std::net::Ipv6Addr>().is_ok();
        // `*.com` would be most of the world.
        let is_wide = below.is_some() && !name.contains('.');
        if (!is_name && !is_address) || is_wide || name.len() > 253 {
            return Err(NotAHost(text.to_owned()));
        }
        Ok(Self {
            name,
            is_below: below.is_some(),
        })
    }
}

impl TryFrom<String> for CallbackHost {
    type Error = NotAHost;

    fn try_from(text: String) -> Result<Self, NotAHost> {
        text.parse()
    }
}

impl From<CallbackHost> for String {
    fn from(host: CallbackHost) -> Self {
        let star = if host.is_below { "*." } else { "" };
        format!("{star}{}", host.name)
    }
}

/// In small letters, without the brackets of an address and the dot that may end a name.
fn plain(host: &str) -> String {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = inside.unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_host_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "*.com",
            "https://example.com",
            "example.com/path",
            "example.com:443",
            "a..b",
            "*.*.example.com",
            "user@example.com",
        ] {
            assert_eq!(
                text.parse::<CallbackHost>(),
                Err(NotAHost(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_host_is_that_alone_and_a_star_is_what_is_below() {
        let host = |text: &str| text.parse::<CallbackHost>().unwrap();
        assert!(host("Example.com").matches("example.COM."));
        assert!(!host("example.com").matches("a.example.com"));
        assert!(!host("*.example.com").matches(".example.com"));
        assert!(!host("*.example.com").matches("example.com.evil.net"));
        assert!(host("::1").matches("[::1]"));
        assert_eq!(String::from(host("*.A.b")), "*.a.b");
    }
}
