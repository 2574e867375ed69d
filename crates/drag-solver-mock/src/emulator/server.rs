//! The port, and who is connected to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::connection;
use super::service::{Service, lock};

const BACKLOG: u32 = 4_096;

/// How long to wait when a connection cannot be accepted, as when the process has too many open.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// One loopback port.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) service: Arc<Service>,
    pub(super) address: SocketAddr,
    port: Mutex<Port>,
    connections: Mutex<JoinSet<()>>,
}

#[derive(Debug)]
enum Port {
    /// The task that accepts connections; it owns the listener.
    Open(JoinHandle<()>),
    /// Nobody listens, but nobody else gets the port either: it is bound.
    Reserved(TcpSocket),
    Gone,
}

impl Server {
    /// Reserves a free port on 127.0.0.1. Nobody listens on it yet.
    pub(super) fn reserve(service: Service) -> io::Result<Arc<Self>> {
        let socket = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Arc::new(Self {
            service: Arc::new(service),
            address: socket.local_addr()?,
            port: Mutex::new(Port::Reserved(socket)),
            connections: Mutex::new(JoinSet::new()),
        }))
    }

    /// Listens, unless it does already.
    pub(super) fn open(self: &Arc<Self>) -> io::Result<()> {
        let mut port = lock(&self.port);
        match std::mem::replace(&mut *port, Port::Gone) {
            Port::Reserved(socket) => {
                let gate = match self.service.take_refusal() {
                    Some(lasting) => Gate::Closed(socket, lasting),
                    None => Gate::Open(socket.listen(BACKLOG)?),
                };
                *port = Port::Open(tokio::spawn(accept(Arc::clone(self), gate)));
                Ok(())
            }
            Port::Open(task) => {
                *port = Port::Open(task);
                Ok(())
            }
            Port::Gone => Err(io::Error::other("the emulator was shut down")),
        }
    }

    /// Stops listening and cuts every connection, wherever it is. The port stays reserved.
    pub(super) async fn close(&self) -> io::Result<()> {
        let accepting = {
            let mut port = lock(&self.port);
            let Port::Open(_) = &*port else {
                return Ok(());
            };
            // Bound before the listener goes, so that the port is never free.
            let reserved = Port::Reserved(bound(self.address)?);
            match std::mem::replace(&mut *port, reserved) {
                Port::Open(task) => task,
                Port::Reserved(_) | Port::Gone => return Ok(()),
            }
        };
        accepting.abort();
        let _ = accepting.await;
        self.cut_connections().shutdown().await;
        Ok(())
    }

    /// Stops everything, and gives the port and the tasks to be waited for back.
    pub(super) fn stop(&self) -> (Option<JoinHandle<()>>, [JoinSet<()>; 2]) {
        let accepting = match std::mem::replace(&mut *lock(&self.port), Port::Gone) {
            Port::Open(task) => {
                task.abort();
                Some(task)
            }
            Port::Reserved(_) | Port::Gone => None,
        };
        (
            accepting,
            [self.cut_connections(), self.service.abandon_jobs()],
        )
    }

    fn serve(&self, socket: TcpStream) {
        let mut connections = lock(&self.connections);
        while connections.try_join_next().is_some() {}
        connections.spawn(connection::serve(Arc::clone(&self.service), socket));
    }

    fn cut_connections(&self) -> JoinSet<()> {
        let mut connections = std::mem::take(&mut *lock(&self.connections));
        connections.abort_all();
        connections
    }
}

/// Whether somebody listens on the port.
enum Gate {
    Open(TcpListener),
    /// Nobody, for this long.
    Closed(TcpSocket, Duration),
}

async fn accept(server: Arc<Server>, mut gate: Gate) {
    loop {
        gate = match gate {
            Gate::Open(listener) => {
                tokio::select! {
                    biased;
                    lasting = server.service.refused() => match bound(server.address) {
                        // Bound before the listener goes, so that the port is never free.
                        Ok(socket) => {
                            drop(listener);
                            server.cut_connections().shutdown().await;
                            Gate::Closed(socket, lasting)
                        }
                        Err(_) => Gate::Open(listener),
                    },
                    accepted = listener.accept() => {
                        match accepted {
                            Ok((socket, _)) => server.serve(socket),
                            Err(_) => sleep(ACCEPT_AGAIN).await,
                        }
                        Gate::Open(listener)
                    }
                }
            }
            Gate::Closed(socket, lasting) => {
                sleep(lasting).await;
                match socket.listen(BACKLOG) {
                    Ok(listener) => Gate::Open(listener),
                    Err(_) => return,
                }
            }
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
