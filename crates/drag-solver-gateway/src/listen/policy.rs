//! What a client may take up: connections, time and memory.

use std::num::NonZeroU32;
use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, human_duration, setters};
use serde::{Deserialize, Serialize};

/// The smallest [`ListenPolicy::max_header_bytes`], in bytes: the parser's own buffer.
const MIN_HEADER_BYTES: u32 = 8 * 1024;

/// What the clients of [`serve`](super::serve) may take up: connections, time and memory.
///
/// The size of a body is for the router to limit
/// ([`DefaultBodyLimit`](axum::extract::DefaultBodyLimit)), as is the time that a handler takes.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_gateway::listen::ListenPolicy;
///
/// let policy = ListenPolicy::default()
///     .max_connections(500)
///     .body_timeout(Duration::from_secs(120));
/// assert_eq!(policy.max_connections.get(), 500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ListenPolicy {
    /// How many connections are served at the same time, over all listeners. Default: 16,384.
    ///
    /// At the limit the connection that has been idle the longest is closed. If none is idle, new
    /// connections wait: one per listener is accepted, the others are in the queue of the operating
    /// system, where they cost this process nothing. A client that waits sees a slow answer, one
    /// that is turned away sees a failure, and every place is free again after a bounded time.
    pub max_connections: NonZeroU32,
    /// How long the head of a request may take, from its first byte, or from the connection's start
    /// for the first one. Then the connection is closed. Default: 10 s.
    #[serde(with = "human_duration")]
    pub header_timeout: Duration,
    /// How long a whole body may take, from when the handler starts to read it. Then the answer is
    /// 408 and the connection is closed. Default: 60 s, which is 10 MiB at 1.4 Mbit/s.
    #[serde(with = "human_duration")]
    pub body_timeout: Duration,
    /// How long the next bytes of a body may take. Then the answer is 408 and the connection is
    /// closed. Default: 15 s.
    #[serde(with = "human_duration")]
    pub body_idle_timeout: Duration,
    /// How long a client may take to receive an answer that is ready, whole. Then the connection is
    /// closed. It ends streamed answers, too. Default: 60 s.
    #[serde(with = "human_duration")]
    pub answer_timeout: Duration,
    /// How long a connection without a request stays open. Default: 60 s.
    #[serde(with = "human_duration")]
    pub keep_alive: Duration,
    /// How long a TLS handshake may take. Then the connection is closed. Default: 10 s.
    #[serde(with = "human_duration")]
    pub tls_handshake_timeout: Duration,
    /// How long requests under way may take to finish after the shutdown. Then their connections are
    /// closed. Default: 25 s, less than the 30 s after which most supervisors kill.
    #[serde(with = "human_duration")]
    pub drain: Duration,
    /// The size of the head of a request: its target and headers, in bytes. Over HTTP/1.1 it is also
    /// the size of the buffers, of which there are two per connection. Default: 16 KiB; less than
    /// 8 KiB counts as 8 KiB.
    pub max_header_bytes: NonZeroU32,
    /// How many requests one HTTP/2 connection may have under way. Default: 100, which is the least
    /// that RFC 9113 recommends.
    pub max_streams: NonZeroU32,
}

impl ListenPolicy {
    setters! {
        max_connections: count,
        header_timeout: Duration,
        body_timeout: Duration,
        body_idle_timeout: Duration,
        answer_timeout: Duration,
        keep_alive: Duration,
        tls_handshake_timeout: Duration,
        drain: Duration,
        max_header_bytes: count,
        max_streams: count,
    }

    /// The size that counts, in bytes.
    pub(super) fn header_bytes(&self) -> u32 {
        self.max_header_bytes.get().max(MIN_HEADER_BYTES)
    }
}

impl CheckSettings for ListenPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        // `drain` is not among them: zero closes everything at once, which is a wish one may have.
        let lengths = [
            ("header_timeout", self.header_timeout),
            ("body_timeout", self.body_timeout),
            ("body_idle_timeout", self.body_idle_timeout),
            ("answer_timeout", self.answer_timeout),
            ("keep_alive", self.keep_alive),
            ("tls_handshake_timeout", self.tls_handshake_timeout),
        ];
        for (key, length) in lengths {
            if length.is_zero() {
                return Err(ConfigError::new(key, "must be longer than zero"));
            }
        }
        let bytes = self.max_header_bytes.get();
        if bytes < MIN_HEADER_BYTES {
            let problem = format!("must be at least {MIN_HEADER_BYTES} bytes, not {bytes}");
            return Err(ConfigError::new("max_header_bytes", problem));
        }
        Ok(())
    }
}

impl Default for ListenPolicy {
    fn default() -> Self {
        Self {
            max_connections: count(16_384),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            body_idle_timeout: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(60),
            tls_handshake_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(25),
            max_header_bytes: count(16 * 1024),
            max_streams: count(100),
        }
    }
}

const fn count(wanted: u32) -> NonZeroU32 {
    match NonZeroU32::new(wanted) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_their_own_check() {
        assert_eq!(ListenPolicy::default().check(), Ok(()));
    }

    #[test]
    fn what_would_close_every_connection_is_refused_with_its_name() {
        let never = ListenPolicy::default().header_timeout(Duration::ZERO);
        assert_eq!(never.check().unwrap_err().path(), "header_timeout");
        let small = ListenPolicy::default().max_header_bytes(100);
        assert_eq!(small.check().unwrap_err().path(), "max_header_bytes");
        assert_eq!(small.header_bytes(), 8 * 1024);
        assert_eq!(
            ListenPolicy::default().drain(Duration::ZERO).check(),
            Ok(())
        );
    }
}
