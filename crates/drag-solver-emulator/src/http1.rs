//! As much of HTTP/1.1 as a service needs: reading one request at a time.
//!
//! Written by hand on purpose: a server library does everything right, and this one must be able to do wrong.

use std::future::pending;
use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::Request;

/// Largest request line and headers together, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// Largest body, in bytes (64 MiB): the largest screenshot in base64, with room to spare.
const MAX_BODY: usize = 64 * 1024 * 1024;

const MAX_HEADERS: usize = 64;

/// Why a request cannot be read. The connection is of no more use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The client went away, between two requests or in the middle of one.
    Gone,
    /// Not HTTP, or not what this server takes: the status to say so with, and why.
    Bad(u16, &'static str),
}

const TOO_LARGE: Unreadable = Unreadable::Bad(413, "the body is larger than 64 MiB");

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A connection that requests are read from.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    pub(crate) socket: S,
    buffer: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self {
            socket,
            buffer: BytesMut::new(),
        }
    }

    /// Reads the next request's head: a request that has no body yet.
    pub(crate) async fn head(&mut self) -> Result<Request, Unreadable> {
        self.read(parse_head).await
    }

    /// Reads the body that belongs to `head`. Lets a client that waits for it know that it may send.
    pub(crate) async fn body(&mut self, head: &Request) -> Result<Bytes, Unreadable> {
        let is_chunked = has(head, "transfer-encoding", "chunked");
        let length: usize = match head.header("content-length") {
            Some(length) if !is_chunked => length
                .parse()
                .map_err(|_| Unreadable::Bad(400, "Content-Length is not a number"))?,
            _ => 0,
        };
        if length > MAX_BODY {
            return Err(TOO_LARGE);
        }
        if has(head, "expect", "100-continue") {
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.socket.write_all(go_on).await?;
        }
        if is_chunked {
            self.chunks().await
        } else {
            self.exactly(length).await
        }
    }

    /// Waits until the client leaves. What else it sends meanwhile is kept, up to a limit.
    pub(crate) async fn left(&mut self) {
        while self.buffer.len() < MAX_HEAD {
            self.buffer.reserve(4 * 1024);
            if matches!(self.socket.read_buf(&mut self.buffer).await, Ok(0) | Err(_)) {
                return;
            }
        }
        pending::<()>().await;
    }

    async fn chunks(&mut self) -> Result<Bytes, Unreadable> {
        let mut body = BytesMut::new();
        loop {
            let size = self.read(parse_chunk_size).await?;
            if size > MAX_BODY - body.len() {
                return Err(TOO_LARGE);
            }
            body.extend_from_slice(&self.exactly(size).await?);
            // Trailers are not taken: no client here sends them.
            if &self.exactly(2).await?[..] != b"\r\n" {
                return Err(Unreadable::Bad(400, "a chunk does not end where it said"));
            }
            if size == 0 {
                return Ok(body.freeze());
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Bytes, Unreadable> {
        let split = |buffer: &mut BytesMut| {
            let is_whole = buffer.len() >= length;
            Ok(is_whole.then(|| buffer.split_to(length).freeze()))
        };
        self.read(split).await
    }

    /// Reads until `parse` finds what it looks for at the beginning of the buffer, and takes it out.
    async fn read<T>(
        &mut self,
        parse: impl Fn(&mut BytesMut) -> Result<Option<T>, Unreadable>,
    ) -> Result<T, Unreadable> {
        loop {
            if let Some(found) = parse(&mut self.buffer)? {
                return Ok(found);
            }
            self.buffer.reserve(4 * 1024);
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(Unreadable::Gone);
            }
        }
    }
}

/// Whether `token` is in the list that is the value of the header `name`.
pub(crate) fn has(request: &Request, name: &str, token: &str) -> bool {
    let mut tokens = request.header(name).unwrap_or_default().split(',');
    tokens.any(|known| known.trim().eq_ignore_ascii_case(token))
}

fn parse_head(buffer: &mut BytesMut) -> Result<Option<Request>, Unreadable> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => return Ok(None),
        Ok(_) => return Err(Unreadable::Bad(431, "the headers are larger than 32 KiB")),
        Err(_) => return Err(Unreadable::Bad(400, "not an HTTP request")),
    };
    let headers = request.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_owned(), value)
    });
    let (method, target) = (request.method, request.path);
    let head = Request::new(
        method.unwrap_or_default(),
        target.unwrap_or_default(),
        headers.collect(),
        Bytes::new(),
    );
    buffer.advance(length);
    Ok(Some(head))
}

fn parse_chunk_size(buffer: &mut BytesMut) -> Result<Option<usize>, Unreadable> {
    match httparse::parse_chunk_size(buffer) {
        Ok(httparse::Status::Complete((length, size))) => {
            buffer.advance(length);
            usize::try_from(size).map(Some).map_err(|_| TOO_LARGE)
        }
        Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => Ok(None),
        _ => Err(Unreadable::Bad(400, "the chunked body is malformed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `bytes`, then closes, and reads one request.
    async fn read(bytes: &[u8]) -> Result<(Request, Bytes), Unreadable> {
        read_by(4_096, bytes).await
    }

    /// As [`read`], and no more than `piece` bytes are on their way at once.
    async fn read_by(piece: usize, bytes: &[u8]) -> Result<(Request, Bytes), Unreadable> {
        let (mut client, server) = tokio::io::duplex(piece);
        let send = async {
            // The reader may refuse the request before all of it is sent.
            let _ = client.write_all(bytes).await;
            drop(client);
        };
        let receive = async {
            let mut connection = Connection::new(server);
            let head = connection.head().await?;
            let body = connection.body(&head).await?;
            Ok((head, body))
        };
        tokio::join!(send, receive).1
    }

    #[tokio::test]
    async fn a_request_may_come_a_byte_at_a_time() {
        let request = b"POST /api/createJob HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 4\r\n\r\n{\"\"}";
        let (head, body) = read_by(1, request).await.unwrap();
        assert_eq!(head.method(), "POST");
        assert_eq!(head.target(), "/api/createJob");
        assert_eq!(head.header("Host"), Some("x"));
        assert_eq!(&body[..], b"{\"\"}");
        assert!(!has(&head, "connection", "close"));
    }

    #[tokio::test]
    async fn a_chunked_body_is_put_together() {
        let request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";
        let (_, body) = read_by(1, request).await.unwrap();
        assert_eq!(&body[..], b"abc0123456789");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_refused_with_a_status() {
        let long_header = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(MAX_HEAD));
        let cases: [(&[u8], u16); 6] = [
            (b"\x16\x03\x01\x02\x00\x01", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 67108865\r\n\r\n", 413),
            (
                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4000001\r\n",
                413,
            ),
            (
                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
                400,
            ),
            (long_header.as_bytes(), 431),
        ];
        for (request, expected) in cases {
            match read(request).await {
                Err(Unreadable::Bad(status, _)) => assert_eq!(status, expected, "{request:?}"),
                other => panic!("{request:?} gave {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_client_that_leaves_is_noticed() {
        let in_body = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc";
        for sent in [&b""[..], b"POST / HT", in_body] {
            assert_eq!(read(sent).await.unwrap_err(), Unreadable::Gone);
        }
    }
}
