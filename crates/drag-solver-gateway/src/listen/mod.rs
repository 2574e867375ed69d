//! The HTTP server: from a socket to a router, with a limit on everything that a client can take up.
//!
//! HTTP/1.1 and HTTP/2 on each listener: over TLS by ALPN, in plain by the client's first bytes
//! ("prior knowledge"). What is served is the [`Router`]'s alone.

mod activity;
mod body;
mod chunks;
mod connection;
mod parking;
mod policy;
#[cfg(test)]
mod tests;
mod watched;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};

use self::connection::{Phase, Server};
pub use self::policy::ListenPolicy;

/// A socket that takes connections for [`serve`].
pub struct Listener {
    socket: TcpListener,
    #[cfg(feature = "tls")]
    tls: Option<tokio_rustls::TlsAcceptor>,
}

impl Listener {
    /// Without encryption: for loopback, or behind a proxy that ends TLS.
    #[must_use]
    pub fn plain(socket: TcpListener) -> Self {
        Self {
            socket,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// With TLS 1.2 or 1.3, and these certificates, which may be
    /// [reloaded](crate::tls::Certificates::reload) while it listens.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(socket: TcpListener, certificates: &crate::tls::Certificates) -> Self {
        Self {
            socket,
            tls: Some(certificates.acceptor()),
        }
    }

    /// Where it listens, which tells the port that the system chose for port 0.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Listener");
        shown.field("socket", &self.socket);
        #[cfg(feature = "tls")]
        shown.field("tls", &self.tls.is_some());
        shown.finish()
    }
}

/// Serves the router on all listeners until `shutdown` is ready and the requests under way are done.
///
/// Each request has its client's address as [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo).
/// A handler whose client goes away is dropped at its next await.
///
/// After the shutdown no connection is accepted, idle ones are closed at once, and requests under way
/// may take [`ListenPolicy::drain`] more. Dropping the future closes everything at once.
///
/// # Errors
///
/// If there is no listener. Everything that can fail later concerns one connection, or passes (no
/// file descriptor is free, for instance) and is tried again.
pub async fn serve(
    listeners: Vec<Listener>,
    router: Router,
    policy: ListenPolicy,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    if listeners.is_empty() {
        let problem = "there is nothing to listen on";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let server = Server::new(router, policy);
    let (phase, watched) = watch::channel(Phase::Serving);
    // They end when this future is dropped.
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let (server, watched) = (Arc::clone(&server), watched.clone());
        #[cfg(feature = "tls")]
        if let Some(tls) = listener.tls {
            accepting.spawn(accept_all(listener.socket, server, watched, move |io| {
                let shaken = tls.accept(io);
                // In a box the large state of TLS is in memory once, not once per step of the task.
                async move { shaken.await.map(Box::new) }
            }));
            continue;
        }
        accepting.spawn(accept_all(listener.socket, server, watched, |io| {
            std::future::ready(Ok(io))
        }));
    }
    drop(watched);

    shutdown.await;
    accepting.shutdown().await;
    phase.send_replace(Phase::Draining);
    let all = server.policy.max_connections.get();
    if timeout(policy.drain, server.slots.acquire_many(all))
        .await
        .is_err()
    {
        phase.send_replace(Phase::Closed);
        // Each ends at its next step, which is now.
        let _ = server.slots.acquire_many(all).await;
    }
    Ok(())
}

/// Where connections come from.
trait Accept: Send + 'static {
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (io, peer) = TcpListener::accept(self).await?;
        // Answers are written whole, and no part of one may wait for an acknowledgement.
        if let Err(error) = io.set_nodelay(true) {
            tracing::debug!(%peer, %error, "a socket has no TCP_NODELAY");
        }
        Ok((io, peer))
    }
}

/// Takes connections without end. `shake_hands` happens in the connection's own task.
async fn accept_all<A, H, F, T>(
    mut listener: A,
    server: Arc<Server>,
    phase: watch::Receiver<Phase>,
    shake_hands: H,
) where
    A: Accept,
    H: Fn(A::Io) -> F,
    F: Future<Output = io::Result<T>> + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    const FIRST_PAUSE: Duration = Duration::from_millis(50);
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);
    let mut pause = FIRST_PAUSE;
    loop {
        let (io, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                // No file descriptor or no memory is free, most likely: others free some.
                tracing::warn!(%error, "no connection can be accepted for the moment");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = FIRST_PAUSE;
        let mut slot = Arc::clone(&server.slots).try_acquire_owned().ok();
        if slot.is_none() {
            server.crowded.notify_one();
            slot = Arc::clone(&server.slots).acquire_owned().await.ok();
        }
        let Some(slot) = slot else { return };
        let (server, mut phase) = (Arc::clone(&server), phase.clone());
        let shaken = shake_hands(io);
        tokio::spawn(async move {
            let _slot = slot;
            let limit = server.policy.tls_handshake_timeout;
            let io = tokio::select! {
                shaken = timeout(limit, shaken) => match shaken {
                    Ok(Ok(io)) => io,
                    Ok(Err(error)) => {
                        tracing::debug!(%peer, %error, "a TLS handshake failed");
                        return;
                    }
                    Err(_) => {
                        tracing::debug!(%peer, "a TLS handshake took too long");
                        return;
                    }
                },
                _ = phase.changed() => return,
            };
            server.serve(io, peer, phase).await;
        });
    }
}

/// Whether only the connection that would have been accepted has failed.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
