//! The transport over HTTP.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{self, Poll};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use drag_solver_core::ConfigError;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response};

use super::clients::{Clients, clients};
use super::failure::broken;
use crate::endpoint::Endpoint;
use crate::proxy::ProxyName;
use crate::transport::Delivery;
use crate::{ApiRequest, ApiResponse, HttpOptions, Transport, TransportError, retry_after};

/// How much is handed to the HTTP client at a time, in bytes: little enough that what it holds back
/// is a small part of a picture.
const PIECE: usize = 16 * 1024;

/// Set in the counter of bytes when no more may be handed over.
const STOPPED: usize = 1 << (usize::BITS - 1);

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

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn endpoint(options: &HttpOptions) -> Result<Endpoint, ConfigError> {
    match &options.base_url {
        Some(base_url) => Endpoint::parse(base_url),
        None => Err(ConfigError::new("base_url", "must be set")),
    }
}

/// How much of a request may have reached the server.
///
/// The HTTP client reads a request's body only once it has a connection, TLS included, to write it
/// to. So while not all of it was read, the server cannot have got the request, no matter what went
/// wrong and when.
#[derive(Clone, Debug)]
struct Sending {
    handed: Arc<AtomicUsize>,
    total: usize,
}

/// What had become of a request when it was stopped.
enum Sent {
    /// None of it can have reached the server.
    Nothing,
    /// At most this many of its bytes: it is cut off.
    Part { bytes: usize, total: usize },
    /// All of it, perhaps.
    All,
}

impl Sending {
    /// Hands over no more, and says how much it was. A connection that lives on in the background
    /// cannot send the rest after that.
    fn stop(&self) -> Sent {
        let total = self.total;
        match self.handed.fetch_or(STOPPED, Ordering::AcqRel) & !STOPPED {
            // Of a request without a body nothing is handed over, and it may be on its way.
            bytes if bytes == total => Sent::All,
            0 => Sent::Nothing,
            bytes => Sent::Part { bytes, total },
        }
    }

    fn hand_over(&self, count: usize) -> bool {
        let more = |handed| (handed & STOPPED == 0).then_some(handed + count);
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        self.handed.fetch_update(set, fetch, more).is_ok()
    }
}

/// The body. It cannot be cloned, so the client cannot send it twice: not on a retry of its own, not
/// to where a redirect points.
#[derive(Debug)]
struct TrackedBody {
    rest: Bytes,
    sending: Sending,
}

impl TrackedBody {
    fn new(bytes: Bytes) -> (Self, Sending) {
        let sending = Sending {
            handed: Arc::default(),
            total: bytes.len(),
        };
        let body = Self {
            rest: bytes,
            sending: sending.clone(),
        };
        (body, sending)
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let length = self.rest.len().min(PIECE);
        if length == 0 {
            return Poll::Ready(None);
        }
        if !self.sending.hand_over(length) {
            let stopped = io::Error::other("the request was given up");
            return Poll::Ready(Some(Err(stopped)));
        }
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
