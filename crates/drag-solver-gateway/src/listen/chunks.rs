//! An answer of HTTP/1.1 in chunks (RFC 9112, section 7.1), as bytes. hyper writes such, too, but keeps its buffers meanwhile.

use std::time::SystemTime;

use http::header::{CONNECTION, DATE, TRANSFER_ENCODING};
use http::{HeaderValue, response};

/// What ends it.
pub(super) const LAST: &[u8] = b"0\r\n\r\n";

pub(super) fn head(mut head: response::Parts, closes: bool) -> Vec<u8> {
    let headers = &mut head.headers;
    if let Ok(date) = httpdate::fmt_http_date(SystemTime::now()).parse() {
        headers.entry(DATE).or_insert(date);
    }
    headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    if closes {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

pub(super) fn chunk(part: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat()
}
