//! Where a callback may go.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::address::is_public;
use crate::policy::GatewayPolicy;

/// The longest address that is kept, in bytes.
const LONGEST: usize = 2048;

/// An address that a client wants to be called at, and that the policy allows. It may hold secrets of the client:
/// `Debug` and `Display` show its host alone.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target(Url);

impl Target {
    /// What the client gave, or why it is not called, in words that do not repeat it.
    pub(super) fn of(text: &str, policy: &GatewayPolicy) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let mut url = Url::parse(text).map_err(|error| format!("it is not a URL: {error}"))?;
        url.set_fragment(None);
        match url.scheme() {
            "https" => {}
            "http" if policy.callback_plain_http => {}
            "http" => {
                let why = "it has to begin with https://, unless the gateway is set to take http://: see callback_plain_http";
                return Err(why.to_owned());
            }
            _ => return Err("it has to begin with https://".to_owned()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must hold no user and no password".to_owned());
        }
        let host = url.host_str().unwrap_or_default();
        if !policy
            .callback_hosts
            .iter()
            .any(|known| known.matches(host))
        {
            return Err(
                "its host is not one of those that the gateway calls back: see callback_hosts"
                    .to_owned(),
            );
        }
        let target = Self(url);
        if !policy.callback_private_addresses && target.address().is_some_and(|it| !is_public(it)) {
            return Err("its host is not on the public internet".to_owned());
        }
        Ok(target)
    }

    /// The host, if it is an address and not a name.
    fn address(&self) -> Option<IpAddr> {
        let host = self.0.host_str()?;
        host.trim_matches(['[', ']']).parse().ok()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(hosts: &[&str]) -> GatewayPolicy {
        let hosts = hosts.iter().map(|host| host.parse().unwrap());
        GatewayPolicy::default().callback_hosts(hosts)
    }

    #[test]
    fn only_hosts_of_the_list_are_called_and_only_with_https() {
        let policy = policy(&["example.com", "*.example.org", "8.8.8.8"]);
        for good in [
            "https://example.com/hook?secret=1#part",
            "https://EXAMPLE.com:8443/",
            "https://a.example.org",
            "https://8.8.8.8/",
        ] {
            assert!(Target::of(good, &policy).is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://example.org/",
            "https://example.com.evil.net/",
            "https://evil.net/example.com",
            "https://example.com@evil.net/",
            "https://user:pass@example.com/",
            "https://evil.net\\@example.com/",
            "javascript:alert(1)",
        ] {
            assert!(Target::of(bad, &policy).is_err(), "{bad}");
        }
        let long = format!("https://example.com/{}", "a".repeat(LONGEST));
        assert!(Target::of(&long, &policy).is_err());
    }

    #[test]
    fn an_address_in_disguise_is_an_address() {
        let policy = policy(&["127.0.0.1", "::1", "::ffff:7f00:1", "0.0.0.0"]);
        for text in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://0/",
        ] {
            let why = Target::of(text, &policy).unwrap_err();
            assert!(why.contains("public internet"), "{text}: {why}");
            let open = policy.clone().callback_private_addresses(true);
            assert!(Target::of(text, &open).is_ok(), "{text}");
        }
    }

    #[test]
    fn only_the_host_is_shown() {
        let target = Target::of(
            "https://example.com/s3cret?token=s3cret",
            &policy(&["example.com"]),
        );
        let target = target.unwrap();
        assert_eq!(format!("{target} {target:?}"), "example.com example.com");
    }
}
