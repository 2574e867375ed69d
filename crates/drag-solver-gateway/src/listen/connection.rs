//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::sleep;
#[cfg(feature = "tls")]
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::ListenPolicy;
use super::body::TimedBody;
#[cfg(feature = "tls")]
use crate::tls::Certificates;

/// The most that is kept of a head, or waits to be sent, in bytes. It is what a connection costs that does nothing.
const BUFFER: usize = 16 * 1024;

/// Headers of a request, at most.
const MAX_HEADERS: usize = 64;

/// Streams of HTTP/2 that a client may open and give up before it is cut off.
const GIVEN_UP_STREAMS: usize = 32;

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) router: Router,
    pub(super) policy: ListenPolicy,
    pub(super) stopped: watch::Receiver<bool>,
    /// Dropped when the connection has ended.
    pub(super) _alive: mpsc::Sender<()>,
    #[cfg(feature = "tls")]
    pub(super) certificates: Option<Certificates>,
}

impl Connection {
    pub(super) async fn run(self, _slot: OwnedSemaphorePermit) {
        let _ = self.stream.set_nodelay(true);
        #[cfg(feature = "tls")]
        if let Some(certificates) = self.certificates.clone() {
            let parts = self.parts();
            let shaken = timeout(self.policy.handshake, certificates.accept(self.stream)).await;
            return match shaken {
                Ok(Ok(stream)) => parts.serve(stream).await,
                Ok(Err(error)) => tracing::debug!(peer = %parts.peer, %error, "no TLS handshake"),
                Err(_) => tracing::debug!(peer = %parts.peer, "a TLS handshake took too long"),
            };
        }
        self.parts().serve(self.stream).await;
    }

    fn parts(&self) -> Parts {
        Parts {
            peer: self.peer,
            router: self.router.clone(),
            policy: self.policy,
            stopped: self.stopped.clone(),
        }
    }
}

/// What is needed besides the stream.
struct Parts {
    peer: SocketAddr,
    router: Router,
    policy: ListenPolicy,
    stopped: watch::Receiver<bool>,
}

impl Parts {
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self {
            peer,
            router,
            policy,
            mut stopped,
        } = self;
        let has_asked = Arc::new(AtomicBool::new(false));
        let service = {
            let has_asked = Arc::clone(&has_asked);
            service_fn(move |request: Request<Incoming>| {
                has_asked.store(true, Ordering::Relaxed);
                answer(router.clone(), request, peer, policy)
            })
        };
        let builder = builder(&policy);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // Which version of HTTP it is, is read without a time limit: whoever says nothing is not waited for.
        let silence = async {
            sleep(policy.head).await;
            if has_asked.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = connection.as_mut() => return,
            () = silence => return,
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

fn builder(policy: &ListenPolicy) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(policy.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(BUFFER);
    let window = u32::try_from(BUFFER * 4).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(policy.head)
        .keep_alive_timeout(policy.head)
        .initial_stream_window_size(window)
        .initial_connection_window_size(window * 4)
        .max_concurrent_streams(policy.max_streams)
        .max_pending_accept_reset_streams(GIVEN_UP_STREAMS)
        .max_local_error_reset_streams(GIVEN_UP_STREAMS)
        .max_header_list_size(u32::try_from(BUFFER).unwrap_or(u32::MAX))
        .max_send_buf_size(BUFFER);
    builder
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    policy: ListenPolicy,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(|body| Body::new(TimedBody::new(body, &policy)));
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request).await
}
