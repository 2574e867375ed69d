//! The provider's base URL, checked.

use std::net::IpAddr;

use drag_solver_core::ConfigError;
use reqwest::Url;

/// A base URL that requests may be sent to: https, or http on this very machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    url: Url,
    is_loopback: bool,
}

impl Endpoint {
    /// Checks a base URL. The error names the setting `base_url` and never shows a password.
    pub(crate) fn parse(base_url: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: String| Err(ConfigError::new("base_url", problem));
        let Ok(mut url) = Url::parse(base_url.trim()) else {
            return refuse("not a URL: write it like https://api.example.com/v1".into());
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "has a user name or password in it: the token is a setting of its own".into(),
            );
        }
        let Some(host) = url.host_str() else {
            return refuse("names no host: write it like https://api.example.com/v1".into());
        };
        // No more than the host is shown: a token may be in the rest.
        if url.query().is_some() || url.fragment().is_some() {
            return refuse(format!(
                "has a `?` or `#` part behind {host}, and paths are added to its end: leave it away (the \
                 token is a setting of its own)"
            ));
        }
        let is_loopback = is_loopback(host);
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => {
                return refuse(format!(
                    "http to {host} would send the token unencrypted: use https (http is for \
                     127.0.0.0/8, ::1 and localhost only)"
                ));
            }
            other => return refuse(format!("`{other}` is not a scheme for this: use https")),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { url, is_loopback })
    }

    /// The URL of `path` below the base, with this query.
    pub(crate) fn join<'a>(
        &self,
        path: &str,
        query: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Url {
        let mut url = self.url.clone();
        let base = self.url.path().trim_end_matches('/');
        url.set_path(&format!("{base}/{path}"));
        let mut query = query.peekable();
        if query.peek().is_some() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Host and port, for people.
    pub(crate) fn authority(&self) -> &str {
        self.url.authority()
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    #[test]
    fn paths_are_added_to_the_end() {
        for base in [
            "https://omocaptcha.com/api",
            "https://omocaptcha.com/api/",
            " https://omocaptcha.com/api\n",
        ] {
            let url = Endpoint::parse(base)
                .unwrap()
                .join("createJob", iter::empty());
            assert_eq!(url.as_str(), "https://omocaptcha.com/api/createJob");
        }
        let bare = Endpoint::parse("https://api.2captcha.com").unwrap();
        assert_eq!(
            bare.join("createTask", iter::empty()).as_str(),
            "https://api.2captcha.com/createTask"
        );
        let query = [("key", "a&b"), ("id", "7?")];
        assert_eq!(
            bare.join("jobs/a%2F..%2Fb", query.into_iter()).as_str(),
            "https://api.2captcha.com/jobs/a%2F..%2Fb?key=a%26b&id=7%3F"
        );
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for good in [
            "http://127.0.0.1:8080/api",
            "http://127.9.9.9",
            "http://[::1]:8080",
            "http://localhost:1",
            "http://LOCALHOST",
            "http://0x7f.1",
        ] {
            assert!(Endpoint::parse(good).unwrap().is_loopback(), "{good}");
        }
        for bad in [
            "http://omocaptcha.com/api",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0",
            "http://10.0.0.1",
        ] {
            let error = Endpoint::parse(bad).unwrap_err();
            assert!(error.problem().contains("use https"), "{bad}: {error}");
        }
    }

    #[test]
    fn each_unusable_url_is_refused_with_a_reason() {
        for (bad, reason) in [
            ("", "not a URL"),
            ("omocaptcha.com/api", "not a URL"),
            ("/api", "not a URL"),
            ("ftp://omocaptcha.com", "not a scheme"),
            ("file:///etc/passwd", "names no host"),
            ("https://omocaptcha.com/api?token=x", "`?` or `#`"),
            ("https://omocaptcha.com/api#x", "`?` or `#`"),
            ("https://omocaptcha.com:99999", "not a URL"),
        ] {
            let error = Endpoint::parse(bad).unwrap_err();
            assert_eq!(error.path(), "base_url");
            assert!(error.problem().contains(reason), "{bad}: {error}");
        }
    }

    #[test]
    fn a_secret_in_it_is_refused_and_not_shown() {
        for secret in [
            "https://me:hunter2@omocaptcha.com",
            "https://omocaptcha.com/?key=hunter2",
            "https://omocaptcha.com/#hunter2",
            "http://omocaptcha.com/hunter2",
            "file:///hunter2",
        ] {
            let error = Endpoint::parse(secret).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error}");
        }
    }
}
