//! A gateway that was started, and how it is asked.

use std::io;
use std::path::Path;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout};

use crate::support::{Ran, Run, end_of, signal};

/// A gateway that listens.
pub(crate) struct Serving {
    pub(crate) child: Child,
    /// The rest of its standard output.
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) async fn start(run: Run) -> Self {
        let mut child = run.start();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap();
        let Some(line) = line else {
            panic!("{}", end_of(child).await.stderr);
        };
        let (_, address) = line.split_once("://").unwrap();
        let address = address.to_owned();
        Self {
            child,
            lines,
            address,
        }
    }

    /// The next line of what it says of itself.
    pub(crate) async fn line(&mut self) -> String {
        self.lines.next_line().await.unwrap().unwrap()
    }

    /// Status and body.
    pub(crate) async fn ask(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
        key: &str,
    ) -> (u16, String) {
        ask(&self.address, method, target, body, key).await.unwrap()
    }

    pub(crate) async fn solve(&self, picture: &Path, key: &str) -> (u16, Value) {
        let body = json!({"image": base64(&std::fs::read(picture).unwrap())}).to_string();
        let (status, text) = self.ask("POST", "/v1/drags", body.as_bytes(), key).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn stop(self) -> Ran {
        signal(&self.child, "TERM");
        drop(self.lines);
        end_of(self.child).await
    }

    /// As a power cut would: nothing is said, and nothing waited for.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Sends one request, and returns status and body.
pub(crate) async fn ask(
    address: &str,
    method: &str,
    target: &str,
    body: &[u8],
    key: &str,
) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let kind = if body.starts_with(b"{") {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer).unwrap();
    // A process that was killed leaves half an answer, or none.
    let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut_off)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>().ok())?
    });
    if length.is_some_and(|length| length != body.len()) {
        return Err(cut_off());
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_in_chunks = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = if is_in_chunks {
        whole(body).ok_or_else(cut_off)?
    } else {
        body.to_owned()
    };
    Ok((status, body))
}

/// What came in chunks; `None` if the last one is missing. A poll that is held begins with blanks.
fn whole(mut chunks: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, rest) = chunks.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body.trim_start().to_owned());
        }
        body += rest.get(..size)?;
        chunks = rest.get(size..)?.strip_prefix("\r\n")?;
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
