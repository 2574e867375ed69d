//! Answers on their way, and what happens to them.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{Echo, ErrorBody, Fault, Moment, RedirectTo, garble};
use crate::emulator::Dialect;
use crate::emulator::http1::{Response, status_line};
use crate::emulator::protocol::{Refusal, Reply};
use crate::emulator::quirks::Quirks;
use crate::emulator::service::Service;

/// The size of [`Fault::Gigabyte`], in bytes.
const GIGABYTE: u64 = 1 << 30;

static FILLING: [u8; 64 * 1024] = [b' '; 64 * 1024];

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) enum Next {
    /// It may carry another request.
    Keep,
    /// It is to be closed in good order, or is closed already.
    Close,
}

/// A connection with a request on it that is answered now.
pub(in crate::emulator) struct Wire<'a> {
    pub(in crate::emulator) service: &'a Service,
    pub(in crate::emulator) socket: &'a mut TcpStream,
    pub(in crate::emulator) dialect: Dialect,
    pub(in crate::emulator) target: &'a str,
    pub(in crate::emulator) token: &'a str,
}

/// Sends `answer`, or what `fault` makes of it.
pub(in crate::emulator) async fn deliver(
    fault: &Fault,
    answer: &Value,
    mut wire: Wire<'_>,
) -> std::io::Result<Next> {
    let right = || Response::json(200, answer);
    let text = |body: String| Response::new(200, "application/json", body);
    match fault {
        Fault::Refuse(lasting) => {
            wire.service.refuse_connections(*lasting);
            return wire.reset();
        }
        Fault::Reset(Moment::BeforeRequest | Moment::BeforeAnswer) => return wire.reset(),
        Fault::Reset(Moment::DuringAnswer) => {
            wire.half(&right()).await?;
            return wire.reset();
        }
        Fault::Reset(Moment::AfterAnswer) => {
            wire.send(&right().encode()).await?;
            return wire.reset();
        }
        Fault::Hang => return Ok(wire.wait_for_the_client_to_leave().await),
        Fault::Stall => {
            wire.half(&right()).await?;
            return Ok(wire.wait_for_the_client_to_leave().await);
        }
        Fault::Drip(pause) => return wire.drip(&right().encode(), *pause).await,
        Fault::Truncate => {
            wire.half(&right()).await?;
            return Ok(Next::Close);
        }
        Fault::Gigabyte => return wire.flood().await,
        Fault::EndlessBody => return wire.flood_in_chunks().await,
        Fault::Informational(code) => {
            let first = format!("{}\r\n", status_line(*code));
            wire.send(first.as_bytes()).await?;
            wire.send(&right().encode()).await?;
        }
        Fault::EndlessInformational => return wire.inform_for_ever().await,
        Fault::SwitchProtocols => {
            let head = format!(
                "{}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
                status_line(101)
            );
            wire.send(head.as_bytes()).await?;
            return Ok(wire.wait_for_the_client_to_leave().await);
        }
        Fault::Html => wire.respond(html(200)).await?,
        Fault::EmptyBody => wire.respond(text(String::new())).await?,
        Fault::ContentType => {
            wire.respond(Response::new(200, "text/html", answer.to_string()))
                .await?;
        }
        Fault::InvalidUtf8 => {
            let body = garble::not_utf8(answer);
            wire.respond(Response::new(200, "application/json", body))
                .await?;
        }
        Fault::DeepNesting => wire.respond(text(garble::nested(answer))).await?,
        Fault::GzipBomb => {
            let body: Bytes = garble::bomb();
            let bomb = Response::new(200, "application/json", body);
            wire.respond(bomb.with_header("Content-Encoding", "gzip"))
                .await?;
        }
        Fault::DuplicateFields => wire.respond(text(garble::duplicated(answer))).await?,
        Fault::UnknownFields => {
            wire.respond(Response::json(200, &garble::extended(answer.clone())))
                .await?;
        }
        Fault::NumbersAsStrings | Fault::StringsAsNumbers => {
            let to_strings = *fault == Fault::NumbersAsStrings;
            let body = garble::retyped(answer.clone(), to_strings);
            wire.respond(Response::json(200, &body)).await?;
        }
        Fault::HugeIds => wire.respond(right()).await?,
        Fault::IdsBeyondU64 => {
            wire.respond(text(garble::beyond_u64(answer.clone())))
                .await?;
        }
        Fault::Redirect(code, to) => {
            let target = wire.elsewhere(*to);
            let redirect = Response::new(*code, "application/json", "{}");
            wire.respond(redirect.with_header("Location", target))
                .await?;
        }
        Fault::Status {
            code,
            body,
            retry_after,
        } => {
            let mut error = wire.error(*code, *body);
            if let Some(value) = retry_after {
                error = error.with_header("Retry-After", value.as_ref());
            }
            wire.respond(error).await?;
        }
        Fault::Echo(echo) => {
            let echo = wire.echo(*echo, answer);
            wire.respond(echo).await?;
        }
    }
    Ok(Next::Keep)
}

fn html(code: u16) -> Response {
    Response::new(
        code,
        "text/html; charset=utf-8",
        garble::page("It is broken"),
    )
}

impl Wire<'_> {
    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.service
            .count(|books| books.bytes_sent += bytes.len() as u64);
        self.socket.write_all(bytes).await
    }

    async fn respond(&mut self, response: Response) -> std::io::Result<()> {
        self.send(&response.encode()).await
    }

    /// The head and half of the body.
    async fn half(&mut self, response: &Response) -> std::io::Result<()> {
        let bytes = response.encode();
        let whole = bytes.len() - response.body.len() / 2;
        self.send(&bytes[..whole]).await
    }

    /// The connection ends with RST instead of FIN.
    fn reset(&mut self) -> std::io::Result<Next> {
        self.socket.set_zero_linger()?;
        Err(std::io::ErrorKind::ConnectionReset.into())
    }

    async fn wait_for_the_client_to_leave(&mut self) -> Next {
        let mut scrap = [0; 1_024];
        while matches!(self.socket.read(&mut scrap).await, Ok(read) if read > 0) {}
        Next::Close
    }

    async fn drip(&mut self, bytes: &[u8], pause: Duration) -> std::io::Result<Next> {
        for byte in bytes {
            // A client that leaves is noticed between two bytes, not when the pause is over.
            let mut scrap = [0; 1];
            tokio::select! {
                () = sleep(pause) => {}
                () = left(self.socket.read(&mut scrap)) => return Ok(Next::Close),
            }
            self.send(&[*byte]).await?;
        }
        Ok(Next::Keep)
    }

    async fn flood(&mut self) -> std::io::Result<Next> {
        let head = format!(
            "{}Content-Type: application/json\r\nContent-Length: {GIGABYTE}\r\n\r\n",
            status_line(200)
        );
        self.send(head.as_bytes()).await?;
        for _ in 0..GIGABYTE / FILLING.len() as u64 {
            self.send(&FILLING).await?;
        }
        Ok(Next::Keep)
    }

    async fn flood_in_chunks(&mut self) -> std::io::Result<Next> {
        let head = format!(
            "{}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            status_line(200)
        );
        self.send(head.as_bytes()).await?;
        loop {
            self.send(format!("{:x}\r\n", FILLING.len()).as_bytes())
                .await?;
            self.send(&FILLING).await?;
            self.send(b"\r\n").await?;
        }
    }

    async fn inform_for_ever(&mut self) -> std::io::Result<Next> {
        let informational = format!("{}\r\n", status_line(102));
        loop {
            self.send(informational.as_bytes()).await?;
            // Others want to be served, too.
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn elsewhere(&self, to: RedirectTo) -> String {
        let port = self.socket.local_addr().map_or(0, |address| address.port());
        let target = self.target;
        match to {
            RedirectTo::Itself => target.to_owned(),
            RedirectTo::OtherHost => format!("//localhost:{port}{target}?redirected"),
            RedirectTo::PlainHttp => format!("http://127.0.0.1:{port}{target}?redirected"),
        }
    }

    /// An error in the provider's own words, or in none.
    fn error(&self, code: u16, body: ErrorBody) -> Response {
        match body {
            ErrorBody::Empty => Response::new(code, "", ""),
            ErrorBody::Html => html(code),
            ErrorBody::Json => {
                let refusal = match code {
                    401 | 403 => Refusal::BadToken,
                    402 => Refusal::NoMoney,
                    404 => Refusal::NoSuchMethod,
                    429 => Refusal::NoWorker,
                    408 | 500..=599 => Refusal::OutOfOrder,
                    _ => Refusal::Malformed("it did not arrive in good order".to_owned()),
                };
                Response::json(code, &self.refused(refusal))
            }
        }
    }

    fn refused(&self, refusal: Refusal) -> Value {
        let reply = Reply::Refused(refusal);
        self.dialect.protocol().body(&reply, &Quirks::default())
    }

    fn echo(&self, echo: Echo, answer: &Value) -> Response {
        let token = self.token;
        let saying = |text: &str| {
            let refusal = self.refused(Refusal::BadToken);
            garble::saying(refusal, &format!("Invalid api token: {text}"))
        };
        match echo {
            Echo::Plain => Response::json(200, &saying(token)),
            Echo::JsonEscaped => {
                // The mark is a text of the same JSON, so it is replaced as it stands.
                let body = saying("\u{40}mark\u{40}").to_string();
                let body = body.replace("@mark@", &garble::json_escaped(token));
                Response::new(200, "application/json", body)
            }
            Echo::Percent => Response::json(200, &saying(&garble::percent_encoded(token))),
            Echo::Base64 => Response::json(200, &saying(&garble::basic(token))),
            Echo::EveryMember => Response::json(200, &garble::all_saying(answer, token)),
            Echo::Location => {
                let target = format!("/login?key={}", garble::percent_encoded(token));
                Response::new(
                    307,
                    "text/html",
                    format!("<a href=\"{target}\">{token}</a>"),
                )
                .with_header("Location", target)
            }
            Echo::Page => Response::new(500, "text/plain", format!("bad key {token}")),
        }
    }
}

/// Ends when the client closes the connection, and not when it merely says something.
async fn left(read: impl Future<Output = std::io::Result<usize>>) {
    if let Ok(1..) = read.await {
        pending::<()>().await;
    }
}
