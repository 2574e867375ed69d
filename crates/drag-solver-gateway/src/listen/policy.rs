//! What a connection may cost.

use std::time::Duration;

use drag_solver_core::setters;

/// What connections may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenPolicy {
    /// Connections that are served at once; others wait for their turn. Default: 20,000.
    pub max_connections: u32,
    /// How long a TLS handshake may take. Default: 10 s.
    pub handshake: Duration,
    /// How long the head of a request may take, and how long a connection is kept on which nothing is asked. Default:
    /// 30 s.
    pub head: Duration,
    /// How long the body of a request may take in all. Default: 60 s.
    pub body: Duration,
    /// How long nothing of a body that is not complete may come. Default: 15 s.
    pub body_pause: Duration,
    /// Requests that may be under way on one connection of HTTP/2. Default: 128.
    pub max_streams: u32,
    /// How long requests may go on when the server is told to stop. Default: 10 s.
    pub drain: Duration,
}

impl Default for ListenPolicy {
    fn default() -> Self {
        Self {
            max_connections: 20_000,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(60),
            body_pause: Duration::from_secs(15),
            max_streams: 128,
            drain: Duration::from_secs(10),
        }
    }
}

impl ListenPolicy {
    setters! {
        max_connections: u32,
        handshake: Duration,
        head: Duration,
        body: Duration,
        body_pause: Duration,
        max_streams: u32,
        drain: Duration,
    }
}
