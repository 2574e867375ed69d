//! The port, and who is connected to it: one task owns both.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::connection;
use crate::host::{Host, Site, lock};
use crate::ledger::after;

/// Connections at once, at most; more are closed unread.
pub(crate) const MAX_CONNECTIONS: usize = if cfg!(test) { 32 } else { 4_096 };

/// Connections that wait to be accepted, at most.
const BACKLOG: u32 = 4_096;

/// How long to wait when the system refuses, as when the process has too many files open.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// A loopback port. Dropping it stops everything soon after.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    commands: mpsc::UnboundedSender<Command>,
    task: JoinHandle<()>,
}

/// Whether to listen, and who waits until that is carried out.
type Command = (bool, oneshot::Sender<io::Result<()>>);

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn start<S: Site>(host: Arc<Host<S>>) -> io::Result<Self> {
        let socket = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = socket.local_addr()?;
        let (commands, received) = mpsc::unbounded_channel();
        let port = Port {
            address,
            door: Door::open(socket, &host)?,
            connections: JoinSet::new(),
            host,
        };
        Ok(Self {
            address,
            commands,
            task: tokio::spawn(port.run(received)),
        })
    }

    /// Listens again, or stops listening and cuts every connection.
    pub(crate) async fn listen(&self, is_to: bool) -> io::Result<()> {
        let (done, result) = oneshot::channel();
        let _ = self.commands.send((is_to, done));
        let gone = |_| Err(io::Error::other("the emulator is gone with its runtime"));
        result.await.unwrap_or_else(gone)
    }

    /// Stops everything. When it returns, no task and no socket is left.
    pub(crate) async fn shutdown(self) {
        drop(self.commands);
        let _ = self.task.await;
    }
}

/// What the server's task owns.
struct Port<S> {
    address: SocketAddr,
    door: Door,
    connections: JoinSet<()>,
    host: Arc<Host<S>>,
}

impl<S: Site> Port<S> {
    /// Serves until the sender of commands is dropped.
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None => break,
                    Some((false, done)) => {
                        let _ = done.send(self.close(None).await);
                    }
                    Some((true, done)) => {
                        let is_suspended = matches!(self.door, Door::Closed { until: None, .. });
                        let _ = done.send(if is_suspended { self.open() } else { Ok(()) });
                    }
                },
                () = self.door.refusal_over() => {
                    if self.open().is_err() {
                        let _ = self.close(Some(TRY_AGAIN)).await;
                    }
                }
                lasting = self.host.refused(), if matches!(self.door, Door::Open(_)) => {
                    let _ = self.close(Some(lasting)).await;
                }
                socket = self.door.accept() => {
                    while self.connections.try_join_next().is_some() {}
                    if self.connections.len() < MAX_CONNECTIONS {
                        let host = Arc::clone(&self.host);
                        self.connections.spawn(connection::serve(host, socket));
                    }
                }
            }
        }
        drop(self.door);
        self.connections.shutdown().await;
        self.host.site.stop().await;
    }

    /// Stops listening, for so long or until it is told to resume, and cuts every connection.
    async fn close(&mut self, lasting: Option<Duration>) -> io::Result<()> {
        // Bound before the listener goes, so that the port is never free.
        self.door = Door::closed(bound(self.address)?, lasting);
        self.connections.shutdown().await;
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        self.door = Door::open(bound(self.address)?, &self.host)?;
        Ok(())
    }
}

/// Whether clients can connect.
enum Door {
    Open(TcpListener),
    /// Connecting is refused, until then if it is a fault that refuses.
    Closed {
        until: Option<Instant>,
        /// Keeps the port.
        _socket: TcpSocket,
    },
}

impl Door {
    /// Listens, unless a fault refuses connections from the beginning.
    fn open<S>(socket: TcpSocket, host: &Host<S>) -> io::Result<Self> {
        let refusal = lock(&host.faults).take_refusal();
        match refusal {
            Some(lasting) => Ok(Self::closed(socket, Some(lasting))),
            None => socket.listen(BACKLOG).map(Self::Open),
        }
    }

    fn closed(socket: TcpSocket, lasting: Option<Duration>) -> Self {
        Self::Closed {
            until: lasting.map(after),
            _socket: socket,
        }
    }

    /// The next client, if any can connect.
    async fn accept(&self) -> TcpStream {
        let Self::Open(listener) = self else {
            return pending().await;
        };
        loop {
            match listener.accept().await {
                Ok((socket, _)) => return socket,
                Err(_) => sleep(TRY_AGAIN).await,
            }
        }
    }

    /// Waits until a fault no longer refuses connections, if one does.
    async fn refusal_over(&self) {
        match *self {
            Self::Closed {
                until: Some(it), ..
            } => sleep_until(it).await,
            _ => pending().await,
        }
    }
}

/// A socket that is bound and does not listen: connecting to it is refused.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Two of our own sockets share the port for a moment when the listener goes or comes back.
    #[cfg(all(
        unix,
        not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
    ))]
    socket.set_reuseport(true)?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
