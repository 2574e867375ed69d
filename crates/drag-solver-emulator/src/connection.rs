//! One connection: requests in, answers out, one after the other.
//!
//! A connection has no timeouts of its own, for a paused clock would leap to them; the client ends it, or
//! the server does.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::faults::{Delivery, Fault, ResetPoint, RightAnswer};
use crate::host::{Heard, Host, Site, lock};
use crate::http1::{Connection, Unreadable, has};
use crate::{Operation, Response};

/// Serves one client until it leaves.
pub(crate) async fn serve<S: Site>(host: Arc<Host<S>>, socket: TcpStream) {
    lock(&host.traffic).connections += 1;
    // Answers are small and waited for.
    let _ = socket.set_nodelay(true);
    let mut client = Client {
        host,
        connection: Connection::new(socket),
    };
    let fault = lock(&client.host.faults).next(Operation::Connect);
    if let Some(fault) = fault {
        let _ = client.deliver(&[], fault.row().delivery).await;
        return;
    }
    loop {
        match client.answer_next().await {
            Ok(true) => {}
            Ok(false) | Err(Unreadable::Gone) => return,
            Err(Unreadable::Bad(status, why)) => {
                let answer = Response::text(status, why);
                let _ = client.respond(answer, false).await;
                let _ = client.connection.socket.shutdown().await;
                return client.drain().await;
            }
        }
    }
}

struct Client<S> {
    host: Arc<Host<S>>,
    connection: Connection<TcpStream>,
}

impl<S: Site> Client<S> {
    /// Serves one request; false if it was the connection's last.
    async fn answer_next(&mut self) -> Result<bool, Unreadable> {
        let request = self.connection.head().await?;
        let received = Instant::now();
        let target = request.target().to_owned();
        let keep = !has(&request, "connection", "close");
        {
            let mut traffic = lock(&self.host.traffic);
            traffic.requests += 1;
            traffic.redirects_followed += u64::from(target.ends_with("?redirected"));
        }
        let site = Arc::clone(&self.host.site);
        let operation = site.operation(&request);
        let fault = operation.and_then(|operation| lock(&self.host.faults).next(operation));
        if let Some(fault @ Fault::Reset(ResetPoint::BeforeRequest)) = fault {
            return Ok(self.deliver(&[], fault.row().delivery).await?);
        }
        let body = self.connection.body(&request).await?;
        let request = request.with_body(body);
        let Heard { note, token, call } = site.read(request.clone(), received);
        lock(&self.host.log).push(note);
        let Some(answer) = self.answer(call, fault.clone()).await else {
            return Ok(false);
        };
        let Some(fault) = fault else {
            return self.respond(answer, keep).await;
        };
        let row = fault.row();
        let bytes = (row.send)(&RightAnswer {
            response: &answer,
            refuse: &|refusal| site.refusal(&request, refusal),
            token: &token,
            target: &target,
            port: self.connection.socket.local_addr()?.port(),
        });
        Ok(self.deliver(&bytes, row.delivery).await? && keep)
    }

    /// The right answer; `None` if the client left before it was there, and that ends it.
    async fn answer(&mut self, call: S::Call, fault: Option<Fault>) -> Option<Response> {
        let site = Arc::clone(&self.host.site);
        let answering = AssertUnwindSafe(async move { site.answer(call, fault).await });
        let answer = tokio::select! {
            biased;
            answer = answering.catch_unwind() => answer,
            () = self.connection.left(), if S::ENDS_WITH_CLIENT => return None,
        };
        Some(answer.unwrap_or_else(|_| Response::text(500, "what answers here panicked")))
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
        } else {
            self.send(bytes).await?;
        }
        match delivery {
            Delivery::Whole | Delivery::Drip(_) => return Ok(true),
            Delivery::ThenClose => {}
            Delivery::ThenSilence => self.drain().await,
            Delivery::ThenReset => self.connection.socket.set_zero_linger()?,
            Delivery::ThenRefuse(lasting) => {
                self.connection.socket.set_zero_linger()?;
                self.host
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
        lock(&self.host.traffic).bytes_sent += bytes.len() as u64;
        self.connection.socket.write_all(bytes).await
    }

    /// Reads what the client still sends, and throws it away, until it closes: closing first would
    /// destroy the answer on its way.
    async fn drain(&mut self) {
        let _ = tokio::io::copy(&mut self.connection.socket, &mut tokio::io::sink()).await;
    }
}
