//! The transport over HTTP.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use drag_solver_core::ConfigError;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::clients::Clients;
use super::proxy::{self, ProxyName};
use super::tracked::{Sent, TrackedBody};
use super::{Delivery, Transport, TransportError};
use crate::endpoint::Endpoint;
use crate::{ApiRequest, ApiResponse, HttpOptions, retry_after};

const USER_AGENT: &str = concat!("drag-solver/", env!("CARGO_PKG_VERSION"));

/// How long connecting may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many headers an answer may have.
const MAX_HEADERS: usize = 512;

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

/// Sends requests over HTTP/1.1 with `reqwest`: https, or http to a loopback address.
///
/// - Certificates are checked as the operating system would; the TLS code is rustls with ring.
/// - No redirect is followed and nothing is sent twice.
/// - At most [`ApiResponse::MAX_BYTES`] of an answer are read, no matter what `Content-Length` says.
///   Compressed answers are neither asked for nor unpacked.
/// - `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment are respected, unless a proxy is
///   set here; a loopback address is always reached directly. A proxy that cannot be used is refused.
/// - A purchase is sent over a new connection, or over one that was in use within the last second: an
///   older one may be closing, and then it is not known whether the purchase arrived.
/// - Each tokio runtime has connections of its own: a solver may be used from several, one after the
///   other or at once.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct ReqwestTransport {
    endpoint: Arc<Endpoint>,
    client: Source,
}

#[derive(Clone)]
enum Source {
    Own(Arc<Clients>, Option<ProxyName>),
    Callers(Client),
}

impl ReqwestTransport {
    /// A transport to the provider at the [base URL](HttpOptions::base_url) of `options`, which must be
    /// set. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn new(options: &HttpOptions) -> Result<Self, ConfigError> {
        let endpoint = endpoint(options)?;
        let (clients, proxy) = clients(&endpoint, options)?;
        Ok(Self {
            endpoint: Arc::new(endpoint),
            client: Source::Own(Arc::new(clients), proxy),
        })
    }

    /// The same through a client of the caller's own, to share its connections, proxies and
    /// certificates.
    ///
    /// Its connect timeout, user agent, proxies, decompression, redirect policy and how long it keeps
    /// unused connections are then up to the caller, and it belongs to one tokio runtime. Build it with `redirect::Policy::none()`: a redirect that the client follows
    /// is reported as an error, and the token does not travel along (the body cannot be sent twice),
    /// but a request without body has then been made to wherever it pointed.
    ///
    /// This crate builds `reqwest` without a TLS provider of its own choice, and `reqwest` panics when a
    /// client is built and there is none: switch on its feature `rustls` in your own manifest, or
    /// install a provider first (`rustls::crypto::ring::default_provider().install_default()`).
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting: one that only the client itself could keep, too.
    pub fn with_client(options: &HttpOptions, client: Client) -> Result<Self, ConfigError> {
        if options.proxy.is_some() {
            return Err(ConfigError::new(
                "proxy",
                "cannot be set together with a client: give the client its proxy",
            ));
        }
        Ok(Self {
            endpoint: Arc::new(endpoint(options)?),
            client: Source::Callers(client),
        })
    }

    /// The proxy that is in between, if it is known.
    fn proxy(&self) -> Option<&ProxyName> {
        match &self.client {
            Source::Own(_, proxy) => proxy.as_ref(),
            Source::Callers(_) => None,
        }
    }

    async fn exchange(
        &self,
        request: ApiRequest,
        body: TrackedBody,
    ) -> Result<ApiResponse, TransportError> {
        let url = self.endpoint.join(request.path(), request.query_pairs());
        let client = match &self.client {
            Source::Own(clients, _) => clients.get(request.is_purchase())?,
            Source::Callers(client) => client.clone(),
        };
        let method = Method::from_bytes(request.method().as_bytes()).unwrap_or(Method::POST);
        let mut sent = client
            .request(method, url.clone())
            .header(ACCEPT, "application/json, */*;q=0.5")
            .headers(request.headers().clone());
        if let Some(content_type) = request.content_type() {
            let body = reqwest::Body::wrap(body);
            sent = sent.header(CONTENT_TYPE, content_type).body(body);
        }
        let response = sent.send().await.map_err(broken)?;
        if *response.url() != url {
            return Err(TransportError::bad_response(
                "the HTTP client followed a redirect, though no provider sends any; the client was \
                 passed in: build it with `redirect::Policy::none()`",
            ));
        }
        read(response).await
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A client's own Debug shows its default headers, which may be secret.
        write!(f, "ReqwestTransport({})", self.endpoint.as_str())
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<ApiResponse, TransportError> {
        let (body, sending) = TrackedBody::new(request.body().clone());
        let outcome = tokio::time::timeout(limit, self.exchange(request, body)).await;
        let late = |_| Err(TransportError::lost(format!("no answer within {limit:?}")));
        outcome.unwrap_or_else(late).map_err(|mut error| {
            let (host, proxy) = (self.endpoint.authority(), self.proxy());
            match (error.delivery, sending.stop()) {
                (Delivery::BadResponse, _) => {}
                (Delivery::Lost, Sent::All) => error.reason = format!("{host}: {error}"),
                (_, Sent::Part { bytes, total }) => {
                    error.delivery = Delivery::NotSent;
                    let reason = format!("{host}: {error}; {bytes} of {total} bytes were sent");
                    error.reason = reason;
                }
                (delivery, _) => {
                    if delivery == Delivery::Lost {
                        error.delivery = Delivery::NotSent;
                    }
                    error.reason = match proxy {
                        Some(proxy) => format!("cannot reach {host} through {proxy}: {error}"),
                        None => format!("cannot reach {host}: {error}"),
                    };
                }
            }
            error
        })
    }
}

/// The error of a request whose sending may have begun.
fn broken(error: reqwest::Error) -> TransportError {
    let (reason, is_refused) = (describe(&error), proxy::has_refused(&error));
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

async fn read(mut response: Response) -> Result<ApiResponse, TransportError> {
    let status = response.status().as_u16();
    let header = |name| text(response.headers(), &name);
    let wait = header(RETRY_AFTER).and_then(|value| retry_after::parse(&value, SystemTime::now()));
    let location = header(LOCATION);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > ApiResponse::MAX_BYTES {
            return Err(TransportError::bad_response(format!(
                "the answer (HTTP {status}) is larger than {} bytes",
                ApiResponse::MAX_BYTES
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(ApiResponse::new(status, body)
        .with_retry_after(wait)
        .with_location(location))
}

fn text(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// What went wrong, in words of ours: the cause is in the error's sources.
fn describe(error: &reqwest::Error) -> &'static str {
    if proxy::has_refused(error) {
        return "the proxy refuses its user name and password";
    }
    if proxy::is_away(error) {
        return "the proxy itself cannot be reached";
    }
    if proxy::has_no_tunnel(error) {
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

fn endpoint(options: &HttpOptions) -> Result<Endpoint, ConfigError> {
    match &options.base_url {
        Some(base_url) => Endpoint::parse(base_url),
        None => Err(ConfigError::new("base_url", "must be set")),
    }
}

/// The clients for requests to this endpoint, and the proxy that they go through.
fn clients(
    endpoint: &Endpoint,
    options: &HttpOptions,
) -> Result<(Clients, Option<ProxyName>), ConfigError> {
    let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
    if connect_timeout.is_zero() {
        let problem = "must be more than zero";
        return Err(ConfigError::new("connect_timeout", problem));
    }
    let user_agent = options.user_agent.as_deref().unwrap_or(USER_AGENT);
    let Ok(user_agent) = HeaderValue::from_str(user_agent) else {
        let problem = "has characters that a header cannot have";
        return Err(ConfigError::new("user_agent", problem));
    };
    let set = options
        .proxy
        .as_ref()
        .map(proxy::from_setting)
        .transpose()?;
    let proxy = match set {
        _ if endpoint.is_loopback() => None,
        Some(proxy) => Some(proxy),
        None => proxy::from_environment(endpoint, |name| std::env::var_os(name))?,
    };
    let (proxy, proxy_name) = proxy.unzip();
    let (tls, is_https) = (tls(endpoint)?, endpoint.is_https());
    let builder = move || {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .user_agent(user_agent.clone())
            .connect_timeout(connect_timeout)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .https_only(is_https)
            .no_proxy()
            // What other clients read, too.
            .http1_max_headers(MAX_HEADERS)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            // Off in our build; another crate's features could switch them on.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd();
        match &proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    };
    let clients = Clients::new(builder).map_err(|error| {
        ConfigError::new("client", format!("the HTTP client cannot be made: {error}"))
    })?;
    Ok((clients, proxy_name))
}

/// TLS with the operating system's certificates. A plain http endpoint trusts no certificate, so that it
/// works on a machine without any.
fn tls(endpoint: &Endpoint) -> Result<rustls::ClientConfig, ConfigError> {
    let refuse = |error: rustls::Error| {
        ConfigError::new(
            "tls",
            format!("cannot load the system's certificates: {error}"),
        )
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refuse)?;
    let builder = if endpoint.is_https() {
        builder.with_platform_verifier().map_err(refuse)?
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty())
    };
    Ok(builder.with_no_client_auth())
}
