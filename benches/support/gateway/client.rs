//! What starts the servers and asks them.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tower::BoxError;

use super::create;

/// A server in a process of its own. It ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) async fn start(arguments: &[&str]) -> Result<Self, BoxError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let address = BufReader::new(out)
            .lines()
            .next_line()
            .await?
            .ok_or("it did not start")?;
        Ok(Self { child, address })
    }

    fn proc(&self, file: &str) -> Result<String, BoxError> {
        let id = self.child.id().ok_or("it has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    /// Processor time that it has used, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64, BoxError> {
        let stat = self.proc("stat")?;
        let fields = stat.rsplit_once(") ").ok_or("no stat")?.1.split(' ');
        let ticks: Vec<f64> = fields
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse().ok())
            .collect();
        Ok(ticks.iter().sum::<f64>() / 100.0) // of a second, on every Linux
    }

    /// Memory that is in use, in bytes.
    pub(crate) fn memory(&self) -> Result<usize, BoxError> {
        let status = self.proc("status")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
    }
}

/// A connection that is kept.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: &str) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    pub(crate) async fn send(&mut self, path: &str, body: &[u8]) -> Result<(), BoxError> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream
            .write_all(&[head.as_bytes(), body].concat())
            .await?;
        Ok(())
    }

    pub(crate) async fn receive(&mut self) -> Result<Value, BoxError> {
        self.buffer.clear();
        loop {
            let mut part = [0; 4096];
            let read = self.stream.read(&mut part).await?;
            if read == 0 {
                return Err("the connection was closed".into());
            }
            self.buffer.extend(&part[..read]);
            let text = String::from_utf8_lossy(&self.buffer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            if length.is_some_and(|length| body.len() >= length) {
                return Ok(serde_json::from_str(body)?);
            }
        }
    }

    pub(crate) async fn post(&mut self, path: &str, body: &[u8]) -> Result<Value, BoxError> {
        self.send(path, body).await?;
        self.receive().await
    }

    /// Whether the other side has not closed it. What has come of an answer is thrown away.
    pub(crate) fn is_open(&self) -> bool {
        let mut part = [0; 4096];
        loop {
            match self.stream.try_read(&mut part) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    }

    pub(crate) async fn create(&mut self, number: usize) -> Result<u64, BoxError> {
        let created = self.post("/createTask", &create(number)).await?;
        created["taskId"]
            .as_u64()
            .ok_or_else(|| created.to_string().into())
    }

    pub(crate) fn poll(id: u64) -> Vec<u8> {
        json!({"clientKey": "K", "taskId": id})
            .to_string()
            .into_bytes()
    }
}
