//! Who sends a request: with which key, and from where.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::{Extensions, HeaderMap, header, request::Parts};
use secrecy::SecretString;

/// Who sends a request.
pub(crate) struct Caller {
    /// The key; empty if none was sent.
    pub(crate) key: SecretString,
    /// Who is at the other end of the connection, if the listener says so.
    pub(crate) from: Option<IpAddr>,
}

/// Of requests that have their key in a header, as `Authorization: Bearer KEY`.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            key: bearer(&parts.headers),
            from: peer(&parts.extensions),
        })
    }
}

/// Who is at the other end of the connection, if the listener says so.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(address)| address.ip())
}

fn bearer(headers: &HeaderMap) -> SecretString {
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|given| given.to_str().ok());
    let key = given.and_then(|given| given.split_once(' '));
    let key = key.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    key.map(|(_, key)| key.trim()).unwrap_or_default().into()
}
