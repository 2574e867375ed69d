//! One connection: requests in, answers out, one after the other.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Step;
use super::dialect::{Route, route};
use super::faults::{Fault, Moment, Next, Wire, deliver};
use super::http1::{Head, RequestReader, Response, Unreadable};
use super::protocol::{Refusal, Reply};
use super::quirks::Quirk;
use super::requests::Parts;
use super::service::Service;

/// Serves one client until it leaves.
pub(super) async fn serve(service: Arc<Service>, mut socket: TcpStream) {
    service.count(|books| books.connections += 1);
    // Answers are small and waited for.
    let _ = socket.set_nodelay(true);
    match service.next_fault(Step::Connect) {
        None => {}
        Some(Fault::Hang) => return drain(&mut socket).await,
        Some(Fault::Refuse(lasting)) => {
            let _ = socket.set_zero_linger();
            return service.refuse_connections(lasting);
        }
        Some(_) => {
            // The one other thing that can happen so early: a reset.
            let _ = socket.set_zero_linger();
            return;
        }
    }
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
    let close = head.wants_close();
    let target = head.target.clone();
    service.count(|books| {
        books.requests += 1;
        books.redirects_followed += u64::from(target.ends_with("?redirected"));
    });
    let route = route(&target);
    let fault = route.dialect.and_then(|_| service.next_fault(route.step));
    if fault == Some(Fault::Reset(Moment::BeforeRequest)) {
        socket.set_zero_linger()?;
        return Err(Unreadable::Gone);
    }
    let body = reader.body(&head, socket).await?;
    let is_post = head.method == "POST";
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_carried_out = fault.as_ref().is_none_or(Fault::is_carried_out);
    let quirks = match fault {
        Some(Fault::HugeIds) => service.quirks().with(Quirk::HugeIds),
        _ => service.quirks().clone(),
    };
    let reply = match route.dialect {
        None => None,
        Some(_) if !is_post => Some(Reply::Refused(Refusal::NotPost)),
        Some(_) if !is_carried_out => Some(Reply::Running),
        Some(dialect) => {
            let method = route.method;
            Some(service.carry_out(dialect, method, &json, &quirks).await)
        }
    };
    let token = route
        .dialect
        .and_then(|dialect| json.pointer(dialect.protocol().token_at())?.as_str())
        .unwrap_or_default()
        .to_owned();
    remember(service, route, head, body, json, received);

    let (Some(dialect), Some(reply)) = (route.dialect, reply) else {
        let mut answer = Response::new(404, "text/plain", "no provider has this path");
        if close {
            answer = answer.with_header("Connection", "close");
        }
        send(service, socket, &answer.encode()).await?;
        return Ok(!close);
    };
    let answer = dialect.protocol().body(&reply, &quirks);
    // Before it is sent: a client that has its answer finds it in the books.
    if fault.as_ref().is_none_or(Fault::is_bearable)
        && let Some(job) = reply.answered_job()
    {
        service.fetched(job);
    }
    if let Some(fault) = fault {
        let wire = Wire {
            service,
            socket,
            dialect,
            target: &target,
            token: &token,
        };
        let next = deliver(&fault, &answer, wire).await?;
        return Ok(next == Next::Keep && !close);
    }
    let mut answer = Response::json(reply.status(), &answer);
    if close {
        answer = answer.with_header("Connection", "close");
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
