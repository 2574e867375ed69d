//! The server: connections, and what each may cost.
//!
//! Whatever a stranger sends, or does not send, costs bounded memory for a bounded time: connections are counted, a head
//! and a body have so long to arrive, and nobody is waited for who does not go on.

mod body;
mod connection;
mod policy;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::connection::Connection;
pub use self::policy::ListenPolicy;
#[cfg(feature = "tls")]
use crate::tls::Certificates;

/// How long it waits after a connection could not be accepted: there are no file descriptors left, as a rule.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A port to listen on.
#[derive(Debug)]
pub struct Listener {
    port: TcpListener,
    #[cfg(feature = "tls")]
    certificates: Option<Certificates>,
}

impl Listener {
    /// Plain HTTP on this port.
    #[must_use]
    pub fn plain(port: TcpListener) -> Self {
        Self {
            port,
            #[cfg(feature = "tls")]
            certificates: None,
        }
    }

    /// TLS on this port, and nothing else.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(port: TcpListener, certificates: &Certificates) -> Self {
        Self {
            port,
            certificates: Some(certificates.clone()),
        }
    }
}

/// Serves `router` on these ports until `shutdown` ends. Then no more connections are taken, those that do nothing are
/// closed, and requests under way may end for [`drain`](ListenPolicy::drain).
///
/// The address of the other end is in each request's extensions, as `ConnectInfo<SocketAddr>`.
///
/// # Errors
///
/// None so far: what goes wrong with one connection is its own matter.
pub async fn serve(
    listeners: Vec<Listener>,
    router: Router,
    policy: ListenPolicy,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let most = usize::try_from(policy.max_connections).unwrap_or(usize::MAX);
    let slots = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
    let (stop, stopped) = watch::channel(false);
    let (alive, mut ended) = tokio::sync::mpsc::channel::<()>(1);
    let mut loops = JoinSet::new();
    for listener in listeners {
        let accept = Accept {
            listener,
            router: router.clone(),
            policy,
            slots: Arc::clone(&slots),
            stopped: stopped.clone(),
            alive: alive.clone(),
        };
        loops.spawn(accept.run());
    }
    drop(alive);
    shutdown.await;
    stop.send_replace(true);
    while loops.join_next().await.is_some() {}
    // Nobody sends: it is closed when the last connection has ended.
    if timeout(policy.drain, ended.recv()).await.is_err() {
        tracing::warn!("connections are cut off that did not end in time");
    }
    Ok(())
}

/// What takes connections of one port.
struct Accept {
    listener: Listener,
    router: Router,
    policy: ListenPolicy,
    slots: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
    alive: tokio::sync::mpsc::Sender<()>,
}

impl Accept {
    async fn run(self) {
        let mut stopped = self.stopped.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => break,
                Some(_) = connections.join_next() => {}
                (stream, peer, slot) = self.next() => {
                    connections.spawn(self.connection(stream, peer).run(slot));
                }
            }
        }
        let Self { listener, .. } = self;
        drop(listener); // whoever comes now is told so at once
        connections.detach_all();
    }

    /// Waits for a slot first: beyond the most, connections wait where the system keeps them, and get their turn when
    /// others end. Closing them would turn a burst into errors.
    async fn next(&self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.port.accept().await {
                Ok((stream, peer)) => return (stream, peer, slot),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    fn connection(&self, stream: TcpStream, peer: SocketAddr) -> Connection {
        Connection {
            stream,
            peer,
            router: self.router.clone(),
            policy: self.policy,
            stopped: self.stopped.clone(),
            _alive: self.alive.clone(),
            #[cfg(feature = "tls")]
            certificates: self.listener.certificates.clone(),
        }
    }
}
