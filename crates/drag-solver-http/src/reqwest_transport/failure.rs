//! What went wrong with a request, in words of ours.

use std::error::Error;
use std::fmt;
use std::io;

use crate::TransportError;
use crate::transport::Delivery;

/// The proxy refused its user name and password: the source of the solver's error, which is
/// `Unauthorized` although the token may be right.
#[derive(Debug)]
pub struct ProxyRefused(reqwest::Error);

impl fmt::Display for ProxyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proxy refused the request")
    }
}

impl Error for ProxyRefused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The error of a request whose sending may have begun.
pub(super) fn broken(error: reqwest::Error) -> TransportError {
    let (reason, is_refused) = (describe(&error), has_refused(&error));
    let delivery = if error.is_connect() {
        Delivery::NotSent
    } else {
        Delivery::Lost
    };
    let error = error.without_url();
    if is_refused {
        return TransportError::new(Delivery::Refused, reason).with_source(ProxyRefused(error));
    }
    TransportError::new(delivery, reason).with_source(error)
}

/// What went wrong, in words of ours: the cause is in the error's sources.
fn describe(error: &reqwest::Error) -> &'static str {
    if has_refused(error) {
        return "the proxy refuses its user name and password";
    }
    if is_away(error) {
        return "the proxy itself cannot be reached";
    }
    if has_no_tunnel(error) {
        return "the proxy does not connect to it";
    }
    if error.is_dns() {
        return "the name does not resolve";
    }
    match (io_kind(error), error.is_timeout(), error.is_connect()) {
        (Some(io::ErrorKind::ConnectionRefused), ..) => "connection refused",
        (Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), ..) => {
            "connection reset"
        }
        (Some(io::ErrorKind::InvalidData), _, true) => "the TLS handshake failed",
        (_, true, true) => "connecting took too long",
        (_, true, false) => "the answer took too long",
        (_, false, true) => "cannot connect",
        (_, false, false) => "the connection broke before the whole answer came",
    }
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    std::iter::successors(error.source(), |&error| error.source())
        .find_map(|error| error.downcast_ref::<io::Error>())
        .map(io::Error::kind)
}

/// Whether the proxy itself did not let the request pass: nothing was sent to the provider.
fn has_refused(error: &reqwest::Error) -> bool {
    says(error, "proxy authorization required") || says(error, "credentials not accepted")
}

/// Whether the proxy itself could not be reached.
fn is_away(error: &reqwest::Error) -> bool {
    says(error, "failed to create underlying connection")
}

/// Whether the proxy was reached, and did not reach the provider.
fn has_no_tunnel(error: &reqwest::Error) -> bool {
    says(error, "tunnel error")
}

/// The errors of the HTTP client's tunnels are told by their texts: their type is private.
fn says(error: &reqwest::Error, words: &str) -> bool {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources
        .map(ToString::to_string)
        .any(|text| text.contains(words))
}
