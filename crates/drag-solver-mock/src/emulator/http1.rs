//! As much of HTTP/1.1 as a JSON service needs: reading one request at a time, writing answers.

use std::fmt::Write as _;
use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Largest request line and headers together, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// Largest body, in bytes (64 MiB): the largest screenshot in base64, with room to spare.
pub(super) const MAX_BODY: u64 = 64 * 1024 * 1024;

const MAX_HEADERS: usize = 64;

/// A request line and its headers.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn says(&self, name: &str, token: &str) -> bool {
        let is_named = |(known, value): &(String, String)| {
            let mut tokens = value.split(',');
            known.eq_ignore_ascii_case(name) && tokens.any(|t| t.trim().eq_ignore_ascii_case(token))
        };
        self.headers.iter().any(is_named)
    }

    pub(super) fn wants_close(&self) -> bool {
        self.says("connection", "close")
    }
}

/// Why a request cannot be read. The connection is of no more use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The client went away, perhaps in the middle of a request.
    Gone,
    /// Not HTTP, or not what this server takes: the status to say so with, and why.
    Bad(u16, &'static str),
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Reads requests off one connection.
#[derive(Debug, Default)]
pub(super) struct RequestReader {
    buffer: BytesMut,
}

impl RequestReader {
    /// Reads the next request's head; `None` if the client closed the connection instead.
    pub(super) async fn head(
        &mut self,
        socket: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<Head>, Unreadable> {
        loop {
            if let Some((head, length)) = parse_head(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(Some(head));
            }
            if self.buffer.len() >= MAX_HEAD {
                return Err(Unreadable::Bad(431, "the headers are larger than 32 KiB"));
            }
            match self.fill(socket).await {
                Ok(()) => {}
                Err(Unreadable::Gone) if self.buffer.is_empty() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the body that belongs to `head`. Lets a client that waits for it know that it may send.
    pub(super) async fn body(
        &mut self,
        head: &Head,
        socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<Bytes, Unreadable> {
        let chunked = head.says("transfer-encoding", "chunked");
        let length = match head.header("content-length") {
            _ if chunked => None,
            None => Some(0),
            Some(text) => Some(
                text.parse()
                    .map_err(|_| Unreadable::Bad(400, "Content-Length is not a number"))?,
            ),
        };
        if length.is_some_and(|length: u64| length > MAX_BODY) {
            return Err(TOO_LARGE);
        }
        if head.says("expect", "100-continue") {
            socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        match length {
            Some(length) => self.exactly(length, socket).await,
            None => self.chunks(socket).await,
        }
    }

    async fn exactly(
        &mut self,
        length: u64,
        socket: &mut (impl AsyncRead + Unpin),
    ) -> Result<Bytes, Unreadable> {
        let length = usize::try_from(length).map_err(|_| TOO_LARGE)?;
        self.buffer
            .reserve(length.saturating_sub(self.buffer.len()));
        while self.buffer.len() < length {
            self.fill(socket).await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn chunks(&mut self, socket: &mut (impl AsyncRead + Unpin)) -> Result<Bytes, Unreadable> {
        let mut body = BytesMut::new();
        loop {
            let size = self.chunk_size(socket).await?;
            if size > MAX_BODY.saturating_sub(body.len() as u64) {
                return Err(TOO_LARGE);
            }
            body.extend_from_slice(&self.exactly(size, socket).await?);
            // Trailers are not taken: nobody here sends them.
            if &self.exactly(2, socket).await?[..] != b"\r\n" {
                return Err(Unreadable::Bad(400, "a chunk does not end where it said"));
            }
            if size == 0 {
                return Ok(body.freeze());
            }
        }
    }

    async fn chunk_size(
        &mut self,
        socket: &mut (impl AsyncRead + Unpin),
    ) -> Result<u64, Unreadable> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((length, size))) => {
                    self.buffer.advance(length);
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD => {
                    self.fill(socket).await?;
                }
                _ => return Err(Unreadable::Bad(400, "the chunked body is malformed")),
            }
        }
    }

    /// Reads what is there.
    async fn fill(&mut self, socket: &mut (impl AsyncRead + Unpin)) -> Result<(), Unreadable> {
        self.buffer.reserve(4 * 1024);
        match socket.read_buf(&mut self.buffer).await? {
            0 => Err(Unreadable::Gone),
            _ => Ok(()),
        }
    }
}

const TOO_LARGE: Unreadable = Unreadable::Bad(413, "the body is larger than 64 MiB");

fn parse_head(buffer: &[u8]) -> Result<Option<(Head, usize)>, Unreadable> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(buffer) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => {
            let headers = request.headers.iter().map(|header| {
                let value = String::from_utf8_lossy(header.value).into_owned();
                (header.name.to_owned(), value)
            });
            let head = Head {
                method: request.method.unwrap_or_default().to_owned(),
                target: request.path.unwrap_or_default().to_owned(),
                headers: headers.collect(),
            };
            Ok(Some((head, length)))
        }
        Err(_) => Err(Unreadable::Bad(400, "not an HTTP request")),
    }
}

/// An answer with a body of known length.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

impl Response {
    pub(super) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type,
            body: body.into(),
        }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The status line and the headers, with the empty line that ends them.
    pub(super) fn head(&self) -> String {
        let length = self.body.len();
        let mut head = status_line(self.status);
        if !self.content_type.is_empty() {
            let _ = write!(head, "Content-Type: {}\r\n", self.content_type);
        }
        // A 204 has no body and may not speak of one.
        if self.status != 204 {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        head
    }

    /// All of it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head().into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

pub(super) fn status_line(status: u16) -> String {
    format!("HTTP/1.1 {status} {}\r\n", reason(status))
}

fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        204 => "No Content",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        521 => "Web Server Is Down",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `bytes`, then closes, and reads one request.
    async fn read(bytes: &[u8]) -> Result<Option<(Head, Bytes)>, Unreadable> {
        read_by(4_096, bytes).await
    }

    /// As [`read`], and no more than `piece` bytes are on their way at once.
    async fn read_by(piece: usize, bytes: &[u8]) -> Result<Option<(Head, Bytes)>, Unreadable> {
        let (mut client, mut server) = tokio::io::duplex(piece);
        let send = async {
            // The reader may refuse the request before all of it is sent.
            let _ = client.write_all(bytes).await;
            drop(client);
        };
        let receive = async {
            let mut reader = RequestReader::default();
            let Some(head) = reader.head(&mut server).await? else {
                return Ok(None);
            };
            let body = reader.body(&head, &mut server).await?;
            drop(server);
            Ok(Some((head, body)))
        };
        tokio::join!(send, receive).1
    }

    #[tokio::test]
    async fn a_request_may_come_a_byte_at_a_time() {
        let request = b"POST /api/createJob HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 4\r\n\r\n{\"\"}";
        let (head, body) = read_by(1, request).await.unwrap().unwrap();
        assert_eq!(head.method, "POST");
        assert_eq!(head.target, "/api/createJob");
        assert_eq!(head.header("Host"), Some("x"));
        assert_eq!(&body[..], b"{\"\"}");
        assert!(!head.wants_close());
    }

    #[tokio::test]
    async fn a_chunked_body_is_put_together() {
        let request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";
        let (_, body) = read_by(1, request).await.unwrap().unwrap();
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
        assert!(matches!(read(b"").await, Ok(None)));
        let in_head = read(b"POST / HT").await;
        assert_eq!(in_head.unwrap_err(), Unreadable::Gone);
        let in_body = read(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc").await;
        assert_eq!(in_body.unwrap_err(), Unreadable::Gone);
    }

    #[test]
    fn an_answer_is_written_to_the_byte() {
        let response = Response::new(429, "text/plain", "slow").with_header("Retry-After", "2");
        assert_eq!(
            String::from_utf8(response.encode()).unwrap(),
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: 4\r\nRetry-After: 2\r\n\r\nslow"
        );
        let nothing = Response::new(204, "", "");
        assert_eq!(nothing.encode(), b"HTTP/1.1 204 No Content\r\n\r\n");
    }
}
