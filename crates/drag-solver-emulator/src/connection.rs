//! One connection: requests in, answers out, one after the other.
//!
//! A connection has no timeouts of its own, for a paused clock would leap to them; the client ends it, or
//! the server does.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::Operation;
use crate::faults::{Delivery, Fault, ResetPoint, RightAnswer};
use crate::http1::{Connection, Response, Unreadable};
use crate::protocol::{Quirk, Reply, Route};
use crate::requests::ReceivedRequest;
use crate::service::Service;

/// Serves one client until it leaves.
pub(crate) async fn serve(service: Arc<Service>, socket: TcpStream) {
    service.ledger().stats.connections += 1;
    // Answers are small and waited for.
    let _ = socket.set_nodelay(true);
    let mut client = Client {
        service,
        connection: Connection::new(socket),
    };
    let fault = client.service.faults().next(Operation::Connect);
    if let Some(fault) = fault {
        let _ = client.deliver(&[], fault.row().delivery).await;
        return;
    }
    loop {
        match client.answer_next().await {
            Ok(true) => {}
            Ok(false) | Err(Unreadable::Gone) => return,
            Err(Unreadable::Bad(status, why)) => {
                let answer = Response::new(status, "text/plain", why);
                let _ = client.respond(answer, false).await;
                let _ = client.connection.socket.shutdown().await;
                return client.drain().await;
            }
        }
    }
}

struct Client {
    service: Arc<Service>,
    connection: Connection<TcpStream>,
}

impl Client {
    /// Serves one request; false if it was the connection's last.
    async fn answer_next(&mut self) -> Result<bool, Unreadable> {
        let head = self.connection.head().await?;
        let received = Instant::now();
        let target = head.target.clone();
        let keep = !head.has("connection", "close");
        {
            let stats = &mut self.service.ledger().stats;
            stats.requests += 1;
            stats.redirects_followed += u64::from(target.ends_with("?redirected"));
        }
        let route = Route::of(&target);
        let fault = route.and_then(|route| self.service.faults().next(route.operation));
        if let Some(fault @ Fault::Reset(ResetPoint::BeforeRequest)) = fault {
            return Ok(self.deliver(&[], fault.row().delivery).await?);
        }
        let body = self.connection.body(&head).await?;
        let json = serde_json::from_slice(&body).unwrap_or_default();
        let token = route.map_or("", |route| route.token(&json)).to_owned();
        let is_token = |token: &str| self.service.is_token(token);
        let call = route.map(|route| route.read(&head.method, &json, is_token));
        let is_right = is_token(&token);
        let request = ReceivedRequest::new(route, received, head, body, json, is_right);
        let limit = self.service.settings.remembered_requests;
        self.service.log().push(request, limit);
        let Some((Route { protocol, .. }, call)) = route.zip(call) else {
            let answer = Response::new(404, "text/plain", "no provider has this path");
            return self.respond(answer, keep).await;
        };

        let mut quirks = self.service.settings.quirks.clone();
        if fault == Some(Fault::HugeIds) {
            quirks.push(Quirk::HugeIds);
        }
        let reply = match call {
            _ if fault.as_ref().is_some_and(|it| !it.executes_request()) => Ok(Reply::Running),
            Ok(call) => self.service.handle(protocol, call, &quirks).await,
            Err(refusal) => Err(refusal),
        };
        let answer = protocol.write(&reply, &quirks);
        // Before it is sent: a client that has its answer finds it in the statistics.
        if fault.as_ref().is_none_or(Fault::is_tolerable)
            && let Some((job, _)) = reply.as_ref().ok().and_then(Reply::answer)
        {
            self.service.ledger().fetched(job);
        }
        let Some(fault) = fault else {
            let status = reply.err().map_or(200, |refusal| refusal.status());
            let answer = Response::json(status, answer.to_string());
            return self.respond(answer, keep).await;
        };
        let row = fault.row();
        let bytes = (row.send)(&RightAnswer {
            protocol,
            json: &answer,
            token: &token,
            target: &target,
            port: self.connection.socket.local_addr()?.port(),
        });
        Ok(self.deliver(&bytes, row.delivery).await? && keep)
    }

    async fn respond(&mut self, mut answer: Response, keep: bool) -> Result<bool, Unreadable> {
        if !keep {
            answer = answer.with_header("Connection", "close");
        }
        self.send(&answer.encode()).await?;
        Ok(keep)
    }

    /// Sends `bytes` as a fault has it; false if the connection is of no more use.
    async fn deliver(&mut self, bytes: &[u8], delivery: Delivery) -> io::Result<bool> {
        if let Delivery::Drip(pause) = delivery {
            for byte in bytes {
                // A client that leaves is noticed between two bytes, not when the pause is over.
                if timeout(pause, self.drain()).await.is_ok() {
                    return Ok(false);
                }
                self.send(&[*byte]).await?;
            }
            return Ok(true);
        }
        self.send(bytes).await?;
        match delivery {
            Delivery::Whole | Delivery::Drip(_) => return Ok(true),
            Delivery::ThenClose => {}
            Delivery::ThenSilence => self.drain().await,
            Delivery::ThenReset => self.connection.socket.set_zero_linger()?,
            Delivery::ThenRefuse(lasting) => {
                self.connection.socket.set_zero_linger()?;
                self.service
                    .change_faults(|faults| faults.refusing = Some(lasting));
            }
            Delivery::ThenRepeat(piece, times, pause) => {
                for _ in 0..times {
                    self.send(&piece).await?;
                    if !pause.is_zero() {
                        sleep(pause).await;
                    }
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.service.ledger().stats.bytes_sent += bytes.len() as u64;
        self.connection.socket.write_all(bytes).await
    }

    /// Reads what the client still sends, and throws it away, until it closes: closing first would
    /// destroy the answer on its way.
    async fn drain(&mut self) {
        let _ = tokio::io::copy(&mut self.connection.socket, &mut tokio::io::sink()).await;
    }
}
