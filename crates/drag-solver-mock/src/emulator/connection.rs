//! One connection: requests in, answers out, one after the other.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::dialect::{Route, route};
use super::http1::{Head, RequestReader, Response, Unreadable};
use super::protocol::{Refusal, Reply};
use super::requests::Parts;
use super::service::Service;

/// Serves one client until it leaves.
pub(super) async fn serve(service: Arc<Service>, mut socket: TcpStream) {
    service.count(|books| books.connections += 1);
    // Answers are small and waited for.
    let _ = socket.set_nodelay(true);
    let mut reader = RequestReader::default();
    loop {
        let answered = one_request(&service, &mut reader, &mut socket).await;
        match answered {
            Ok(true) => {}
            Ok(false) | Err(Unreadable::Gone) => return,
            Err(Unreadable::Bad(status, why)) => {
                let answer =
                    Response::new(status, "text/plain", why).with_header("Connection", "close");
                let _ = send(&service, &mut socket, &answer.encode()).await;
                let _ = socket.shutdown().await;
                drain(&mut socket).await;
                return;
            }
        }
    }
}

/// Serves one request; false if it was the connection's last.
async fn one_request(
    service: &Arc<Service>,
    reader: &mut RequestReader,
    socket: &mut TcpStream,
) -> Result<bool, Unreadable> {
    let Some(head) = reader.head(socket).await? else {
        return Ok(false);
    };
    let received = Instant::now();
    service.count(|books| books.requests += 1);
    let body = reader.body(&head, socket).await?;
    let close = head.wants_close();
    let target = head.target.clone();
    let is_post = head.method == "POST";
    let route = route(&target);
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let reply = match route.dialect {
        None => None,
        Some(_) if !is_post => Some(Reply::Refused(Refusal::NotPost)),
        Some(dialect) => Some(service.carry_out(dialect, route.method, &json).await),
    };
    remember(service, route, head, body, json, received);

    let mut answer = match (route.dialect, &reply) {
        (Some(dialect), Some(reply)) => {
            let body = dialect.protocol().body(reply, service.quirks());
            Response::json(reply.status(), &body)
        }
        _ => Response::new(404, "text/plain", "no provider has this path"),
    };
    if close {
        answer = answer.with_header("Connection", "close");
    }
    // Before it is sent: a client that has its answer finds it in the books.
    if let Some(job) = reply.as_ref().and_then(Reply::answered_job) {
        service.fetched(job);
    }
    send(service, socket, &answer.encode()).await?;
    Ok(!close)
}

async fn send(service: &Service, socket: &mut TcpStream, bytes: &[u8]) -> Result<(), Unreadable> {
    service.count(|books| books.bytes_sent += bytes.len() as u64);
    socket.write_all(bytes).await?;
    Ok(())
}

/// Reads what the client still sends, and throws it away, until it closes: closing first would
/// destroy the answer on its way.
async fn drain(socket: &mut TcpStream) {
    let mut scrap = [0; 4 * 1024];
    while matches!(socket.read(&mut scrap).await, Ok(read) if read > 0) {}
}

/// Keeps a request for tests to look at, without its token.
fn remember(
    service: &Service,
    route: Route<'_>,
    head: Head,
    body: Bytes,
    mut json: Value,
    received: Instant,
) {
    let mut picture = None;
    let mut has_right_token = false;
    if let Some(dialect) = route.dialect {
        let protocol = dialect.protocol();
        if let Some(token) = json.pointer_mut(protocol.token_at()) {
            has_right_token = service.is_token(token.as_str());
            *token = "<token>".into();
        }
        picture = protocol.picture(&json);
        if let (Some(encoded), Some(picture)) = (json.pointer_mut(protocol.picture_at()), &picture)
        {
            *encoded = format!("<picture of {} bytes>", picture.len()).into();
        }
    }
    service.remember(Parts {
        dialect: route.dialect,
        step: route.step,
        received,
        head,
        body,
        json,
        picture,
        has_right_token,
    });
}
