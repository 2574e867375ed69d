//! Each limit, on a paused clock: the connections are pipes in memory.

mod answers;
mod bodies;
mod crowds;
mod draining;
mod framing;
mod heads;
mod parked;
mod sockets;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use futures_util::{StreamExt as _, stream};
use http::{Request, StatusCode};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Duration, Instant, sleep, timeout};

use super::activity::Activity;
use super::connection::{Phase, Server};
use super::watched::Watched;
use super::{Accept, ListenPolicy, Listener, accept_all, serve};

const SECOND: Duration = Duration::from_secs(1);

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_711))
}

/// `/fast` answers at once, `/held` after 100 s, `/big` with 1 MB, `/parts` after 3, 6, 9, and 12 s with a part each, `/echo`
/// tells the length of the body, at `/echo/held` after 100 s.
fn router() -> Router {
    Router::new()
        .route("/fast", get(|| async { "fast" }))
        .route(
            "/held",
            get(|| async {
                sleep(100 * SECOND).await;
                "held"
            }),
        )
        .route("/parts", get(parts))
        .route("/big", get(|| async { vec![b'x'; 1_000_000] }))
        .route(
            "/echo",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route(
            "/echo/held",
            post(|body: Bytes| async move {
                sleep(100 * SECOND).await;
                body.len().to_string()
            }),
        )
        .route(
            "/peer",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        )
}

async fn parts() -> ([(&'static str, &'static str); 1], Body) {
    sleep(3 * SECOND).await;
    let rest = stream::unfold(1, |turn| async move {
        sleep(3 * SECOND).await;
        let part = match turn {
            1 => "  ",
            2 => "",
            3 => "{\"a\": 1}",
            _ => return None,
        };
        Some((Ok::<_, io::Error>(part), turn + 1))
    });
    let all = stream::once(async { Ok(" ") }).chain(rest);
    ([("x-y", "z")], Body::from_stream(all))
}

/// Everything behind the accept loop, and a queue in front of it.
struct Running {
    server: Arc<Server>,
    phase: watch::Sender<Phase>,
    incoming: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    accepts: Arc<AtomicUsize>,
    _loop: JoinSet<()>,
}

struct Queue {
    incoming: mpsc::UnboundedReceiver<io::Result<DuplexStream>>,
    accepts: Arc<AtomicUsize>,
}

impl Accept for Queue {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, SocketAddr)> {
        self.accepts.fetch_add(1, Ordering::Relaxed);
        match self.incoming.recv().await {
            Some(accepted) => Ok((accepted?, peer())),
            None => std::future::pending().await,
        }
    }
}

impl Running {
    fn new(policy: ListenPolicy) -> Self {
        Self::with(router(), policy)
    }

    fn with(router: Router, policy: ListenPolicy) -> Self {
        let server = Server::new(router, policy);
        let (phase, watched) = watch::channel(Phase::Serving);
        let (sender, incoming) = mpsc::unbounded_channel();
        let accepts = Arc::new(AtomicUsize::new(0));
        let queue = Queue {
            incoming,
            accepts: Arc::clone(&accepts),
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_all(queue, Arc::clone(&server), watched, |io| {
            std::future::ready(Ok(io))
        }));
        Self {
            server,
            phase,
            incoming: sender,
            accepts,
            _loop: accepting,
        }
    }

    fn connect(&self) -> DuplexStream {
        let (client, server) = duplex(4_096);
        self.incoming.send(Ok(server)).unwrap();
        client
    }

    /// A connection over HTTP/2, and the task that runs its client.
    async fn connect_h2(&self) -> (SendRequest<String>, JoinHandle<hyper::Result<()>>) {
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let io = TokioIo::new(self.connect());
        let (sender, connection) = builder
            .timer(TokioTimer::new())
            .handshake::<_, String>(io)
            .await
            .unwrap();
        (sender, tokio::spawn(connection))
    }

    fn open(&self) -> usize {
        let all = self.server.policy.max_connections.get() as usize;
        all - self.server.slots.available_permits()
    }

    async fn is_closed_after(&self, at_least: Duration, at_most: Duration) {
        let start = Instant::now();
        // It may have to be accepted first.
        sleep(Duration::from_millis(10)).await;
        while self.open() > 0 {
            sleep(Duration::from_millis(10)).await;
            let took = start.elapsed();
            assert!(took < at_most, "still open after {took:?}");
        }
        let took = start.elapsed();
        assert!(took >= at_least, "closed after {took:?} already");
    }
}

fn head(method: &str, path: &str, more: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{more}\r\n").into_bytes()
}

fn h2(path: &str) -> Request<String> {
    let uri = format!("http://x{path}");
    Request::get(uri).body(String::new()).unwrap()
}

/// What arrives until the connection ends or is silent for a second.
async fn receive(client: &mut DuplexStream) -> String {
    let mut received = Vec::new();
    let _ = timeout(SECOND, client.read_to_end(&mut received)).await;
    String::from_utf8(received).unwrap()
}

async fn ask(client: &mut DuplexStream, path: &str) -> String {
    client.write_all(&head("GET", path, "")).await.unwrap();
    receive(client).await
}
