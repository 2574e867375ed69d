//! The transport over HTTP.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Proxy, Response, redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::endpoint::Endpoint;
use super::tracked::TrackedBody;
use super::{Transport, TransportError};
use crate::{ApiRequest, ApiResponse, ConfigError, retry_after};

/// How long connecting may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an unused connection is kept: less than servers keep theirs (5 s and more), so that no
/// create request is written to a connection that is being closed, which would leave it unknown
/// whether a job was bought.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Sends requests over HTTP/1.1 with `reqwest`: https, or http to a loopback address.
///
/// - Certificates are checked as the operating system would; the TLS code is rustls with ring.
/// - No redirect is followed and nothing is sent twice.
/// - At most [`ApiResponse::MAX_BYTES`] of an answer are read, whatever `Content-Length` says.
///   Compressed answers are neither asked for nor unpacked.
/// - `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment are respected, unless a proxy is
///   set here; a loopback address is always reached directly.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct ReqwestTransport {
    endpoint: Arc<Endpoint>,
    client: Client,
}

impl ReqwestTransport {
    /// A transport to the provider at `base_url`, as in `https://api.example.com/v1`.
    pub fn builder(base_url: impl Into<String>) -> ReqwestTransportBuilder {
        ReqwestTransportBuilder {
            base_url: base_url.into(),
            connect_timeout: CONNECT_TIMEOUT,
            proxy: None,
            client: None,
        }
    }

    async fn exchange(
        &self,
        request: ApiRequest,
        body: TrackedBody,
    ) -> Result<ApiResponse, Broken> {
        let url = self.endpoint.join(request.path());
        let response = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(reqwest::Body::wrap(body))
            .send()
            .await
            .map_err(Broken::Io)?;
        if *response.url() != url {
            return Err(Broken::Answer(
                "the HTTP client followed a redirect, though no provider sends any; the client was \
                 passed in: build it with `redirect::Policy::none()`"
                    .into(),
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
        let host = self.endpoint.authority();
        let outcome = tokio::time::timeout(limit, self.exchange(request, body)).await;
        let (reason, source) = match outcome {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(Broken::Answer(reason))) => return Err(TransportError::BadAnswer { reason }),
            Ok(Err(Broken::Io(error))) => (describe(&error), Some(error.without_url().into())),
            Err(_) => (format!("no answer within {limit:?}"), None),
        };
        Err(if sending.has_begun() {
            let reason = format!("{host}: {reason}");
            TransportError::Lost { reason, source }
        } else {
            let reason = format!("cannot reach {host}: {reason}");
            TransportError::NotSent { reason, source }
        })
    }
}

enum Broken {
    Io(reqwest::Error),
    Answer(String),
}

async fn read(mut response: Response) -> Result<ApiResponse, Broken> {
    let status = response.status().as_u16();
    let header = |name| text(response.headers(), &name);
    let wait = header(RETRY_AFTER).and_then(|value| retry_after::parse(&value, SystemTime::now()));
    let location = header(LOCATION);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Broken::Io)? {
        if body.len() + chunk.len() > ApiResponse::MAX_BYTES {
            return Err(Broken::Answer(format!(
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
fn describe(error: &reqwest::Error) -> String {
    if error.is_dns() {
        return "the name does not resolve".into();
    }
    let what = match (io_kind(error), error.is_timeout(), error.is_connect()) {
        (Some(io::ErrorKind::ConnectionRefused), ..) => "connection refused",
        (Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), ..) => {
            "connection reset"
        }
        (Some(io::ErrorKind::InvalidData), _, true) => "the TLS handshake failed",
        (_, true, true) => "connecting took too long",
        (_, true, false) => "the answer took too long",
        (_, false, true) => "cannot connect",
        (_, false, false) => "the connection broke before the whole answer came",
    };
    what.into()
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    std::iter::successors(error.source(), |&error| error.source())
        .find_map(|error| error.downcast_ref::<io::Error>())
        .map(io::Error::kind)
}

/// Makes a [`ReqwestTransport`].
pub struct ReqwestTransportBuilder {
    base_url: String,
    connect_timeout: Duration,
    proxy: Option<String>,
    client: Option<Client>,
}

impl ReqwestTransportBuilder {
    /// How long connecting may take, TLS included; 10 s unless set.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Goes through the HTTP proxy at this URL, as in `http://user:password@proxy.example.com:3128`,
    /// instead of the one the environment names. A loopback address is reached directly all the same.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Uses a client of the caller's own, to share its connections, proxies and certificates.
    ///
    /// Its connect timeout, its proxies, its decompression and its redirect policy are then the
    /// caller's affair. Build it with `redirect::Policy::none()`: a redirect that the client follows
    /// is reported as an error, and the token does not travel along (the body cannot be sent twice),
    /// but a request without body has then been made to wherever it pointed.
    ///
    /// This crate builds `reqwest` without a TLS provider of its own choice, and `reqwest` panics when a
    /// client is built and there is none: switch on its feature `rustls` in your own manifest, or
    /// install a provider first (`rustls::crypto::ring::default_provider().install_default()`).
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Checks the settings and makes the transport. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn build(self) -> Result<ReqwestTransport, ConfigError> {
        let endpoint = Endpoint::parse(&self.base_url)?;
        if self.client.is_some() && self.proxy.is_some() {
            return Err(ConfigError::new(
                "proxy",
                "cannot be set together with a client: give the client its proxy",
            ));
        }
        let client = match self.client {
            Some(client) => client,
            None => client(&endpoint, self.connect_timeout, self.proxy.as_deref())?,
        };
        Ok(ReqwestTransport {
            endpoint: Arc::new(endpoint),
            client,
        })
    }
}

impl fmt::Debug for ReqwestTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs may hold passwords here: they have not been checked yet.
        f.debug_struct("ReqwestTransportBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("proxy", &self.proxy.is_some())
            .field("client", &self.client.is_some())
            .finish_non_exhaustive()
    }
}

fn client(
    endpoint: &Endpoint,
    connect_timeout: Duration,
    proxy: Option<&str>,
) -> Result<Client, ConfigError> {
    if connect_timeout.is_zero() {
        return Err(ConfigError::new(
            "connect_timeout",
            "must be more than zero",
        ));
    }
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls(endpoint)?)
        .user_agent(concat!("drag-solver/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .https_only(endpoint.is_https())
        // Off in our build; another crate's features could switch them on.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd();
    if endpoint.is_loopback() {
        builder = builder.no_proxy();
    } else if let Some(proxy) = proxy {
        // The error would show the URL, and with it a password.
        let proxy = Proxy::all(proxy).map_err(|_| {
            ConfigError::new(
                "proxy",
                "not a URL: write it like http://proxy.example.com:3128",
            )
        })?;
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| {
        ConfigError::new("client", format!("the HTTP client cannot be made: {error}"))
    })
}

/// TLS with the operating system's certificates. A plain http endpoint trusts nobody, so that it
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
