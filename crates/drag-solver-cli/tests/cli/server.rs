//! A provider on a loopback port that answers from a function and remembers what it was asked.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Path and body of one request.
pub(crate) type Asked = (String, Value);

#[derive(Clone)]
pub(crate) struct Server {
    address: std::net::SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    news: Arc<Notify>,
}

impl Server {
    /// Answers each request with what `answer` returns for its path and its number, counted from 1
    /// among those of the path; `None` closes the connection without an answer.
    pub(crate) async fn start(
        answer: impl Fn(&str, usize) -> Option<Value> + Send + Sync + 'static,
    ) -> Self {
        Self::answering(move |path, _, number| answer(path, number)).await
    }

    /// The same, with the body of the request, too.
    pub(crate) async fn answering(
        answer: impl Fn(&str, &Value, usize) -> Option<Value> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            news: Arc::default(),
        };
        let (this, answer) = (server.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (this, answer) = (this.clone(), Arc::clone(&answer));
                tokio::spawn(async move { this.serve(stream, &*answer).await });
            }
        });
        server
    }

    /// Buys at once, and the answer is there at the `polls`th question.
    pub(crate) async fn solving_after(polls: usize) -> Self {
        Self::start(move |path, number| {
            Some(match path {
                "/api/createJob" => json!({"error": false, "job_id": 123_455 + number}),
                "/api/getJobResult" if number < polls => {
                    json!({"error": false, "status": "running", "result": null})
                }
                "/api/getJobResult" => {
                    json!({"error": false, "status": "success", "result": "83|560|320|560"})
                }
                _ => json!({"error": false, "balance": "12.50000"}),
            })
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(asked, _)| asked == path).count()
    }

    /// Waits until `path` was asked `times` times.
    pub(crate) async fn until(&self, path: &str, times: usize) {
        loop {
            let news = self.news.notified();
            if self.count(path) >= times {
                return;
            }
            news.await;
        }
    }

    async fn serve(
        &self,
        mut stream: TcpStream,
        answer: &(dyn Fn(&str, &Value, usize) -> Option<Value> + Send + Sync),
    ) {
        let (path, body) = read_request(&mut stream).await;
        let asked = (path.clone(), body.clone());
        self.asked.lock().unwrap().push(asked);
        let answer = answer(&path, &body, self.count(&path));
        self.news.notify_waiters();
        if let Some(answer) = answer {
            let body = answer.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    let (head, start) = loop {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8(bytes[..end].to_vec()).unwrap(), end + 4);
        }
    };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, length)| length.trim().parse::<usize>().unwrap())
        .unwrap();
    while bytes.len() < start + length {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    (path, serde_json::from_slice(&bytes[start..]).unwrap())
}
