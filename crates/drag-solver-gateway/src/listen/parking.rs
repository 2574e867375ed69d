//! A connection of HTTP/1 whose answer takes long is parked: hyper's buffers are given back, which are more than all else that
//! a held request needs. When the answer is there, hyper is given the bytes of a small request in the manner of the one that
//! is held, and the answer to it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{timeout, timeout_at};

use super::activity::{Activity, CLOSE_TIMEOUT};
use super::body::AnswerBody;
use super::chunks;
use super::connection::{Phase, Requests};
use super::policy::ListenPolicy;
use super::watched::Watched;

type Answered = Result<Response<AnswerBody>, Infallible>;
type BoxAnswer = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// How much is read of a next request while one is held, in bytes: reading is how it is heard that the client is gone.
const AHEAD: usize = 64;

/// The answer that one connection of HTTP/1 owes.
#[derive(Default)]
pub(super) struct Held(Mutex<Option<Owed>>);

enum Owed {
    Later(Manner, BoxAnswer),
    Now(Response<AnswerBody>),
}

impl Held {
    fn owed(&self) -> MutexGuard<'_, Option<Owed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer of a connection that was parked.
    pub(super) fn take_ready(&self) -> Option<Response<AnswerBody>> {
        let mut owed = self.owed();
        match owed.take() {
            Some(Owed::Now(answer)) => Some(answer),
            other => {
                *owed = other;
                None
            }
        }
    }
}

/// What hyper waits for.
pub(super) enum Answer {
    /// The connection's own, so that it can be parked.
    Shared(Arc<Held>),
    Alone(BoxAnswer),
}

impl Answer {
    pub(super) fn shared(held: &Arc<Held>, manner: Manner, answer: BoxAnswer) -> Self {
        *held.owed() = Some(Owed::Later(manner, answer));
        Self::Shared(Arc::clone(held))
    }
}

impl Future for Answer {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answered> {
        match &mut *self {
            Self::Alone(answer) => answer.as_mut().poll(cx),
            Self::Shared(held) => match &mut *held.owed() {
                Some(Owed::Later(_, answer)) => answer.as_mut().poll(cx),
                _ => Poll::Pending, // the connection is parked, and this is dropped
            },
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Self::Shared(held) = self {
            let owed = held.owed().take();
            drop(owed); // with the lock free: it may be all that a handler had
        }
    }
}

/// What hyper goes by when it answers: the version of HTTP, and whether the connection is kept.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    version: &'static str,
    closes: bool,
    keeps: bool,
}

const HTTP_11: &str = "HTTP/1.1";

impl Manner {
    /// `None` where more than that counts, as with HEAD.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        let version = match request.version() {
            Version::HTTP_11 => HTTP_11,
            Version::HTTP_10 => "HTTP/1.0",
            _ => return None,
        };
        let says = |token: &str| {
            let values = request.headers().get_all(CONNECTION).iter();
            let mut values = values.filter_map(|value| value.to_str().ok());
            values.any(|value| {
                value
                    .split(',')
                    .any(|it| it.trim().eq_ignore_ascii_case(token))
            })
        };
        let is_plain = [Method::GET, Method::POST].contains(request.method());
        is_plain.then(|| Self {
            version,
            closes: says("close"),
            keeps: says("keep-alive"),
        })
    }
}

/// A connection that waits for its answer.
pub(super) struct Parked<'a, I> {
    line: Line<'a, I>,
    requests: Requests,
    manner: Manner,
    answer: BoxAnswer,
}

impl<'a, I: AsyncRead + AsyncWrite + Unpin + Send + 'static> Parked<'a, I> {
    /// Nothing if no answer is owed.
    pub(super) fn new(
        connection: http1::Connection<TokioIo<Watched<I>>, Requests>,
        held: &Held,
        phase: &'a mut watch::Receiver<Phase>,
    ) -> Option<Self> {
        // Before hyper lets go of it.
        let Some(Owed::Later(manner, answer)) = held.owed().take() else {
            return None;
        };
        let parts = connection.into_parts();
        Some(Self {
            line: Line {
                io: parts.io.into_inner(),
                ahead: Bytes::copy_from_slice(&parts.read_buf), // and not all of hyper's buffer
                phase,
            },
            requests: parts.service,
            manner,
            answer,
        })
    }

    /// What hyper is to serve from then on, with the answer if it is not written yet. Nothing if the connection is over.
    pub(super) async fn wait(
        mut self,
        activity: &Activity,
        policy: &ListenPolicy,
    ) -> Option<(Watched<I>, Requests)> {
        let Ok(answer) = tokio::select! {
            biased;
            answer = &mut self.answer => answer,
            () = self.line.is_over(activity) => return None,
        };
        drop(self.answer);
        let closes = self.manner.closes || activity.is_closing();
        if self.manner.version == HTTP_11 && is_in_parts(&answer) {
            let mut phase = self.line.phase.clone();
            let deadline = activity.deadline(policy);
            let written = write_in_parts(&mut self.line, answer, closes, activity);
            let written = async {
                match deadline {
                    Some((at, _)) => timeout_at(at, written).await.ok(),
                    None => Some(written.await),
                }
            };
            let written = tokio::select! {
                biased;
                // Also while the client takes nothing, or all at once.
                _ = phase.wait_for(|phase| *phase == Phase::Closed) => return None,
                written = written => written?,
            };
            written.ok()?;
            if closes || activity.is_closing() {
                let _ = timeout(CLOSE_TIMEOUT, self.line.io.shutdown()).await;
                return None;
            }
            self.line.io.read_first(self.line.ahead);
            return Some((self.line.io, self.requests));
        }
        let connection = match (closes, self.manner.keeps) {
            (true, _) => "connection: close\r\n",
            (false, true) => "connection: keep-alive\r\n",
            (false, false) => "",
        };
        let first = format!("GET / {}\r\n{connection}\r\n", self.manner.version);
        let first = [first.as_bytes(), &self.line.ahead].concat();
        self.line.io.read_first(first.into());
        *self.requests.held.owed() = Some(Owed::Now(answer));
        Some((self.line.io, self.requests))
    }
}

/// Whether it is one of the plain ones that are written here: the rest is for hyper, which knows what each means.
fn is_in_parts(answer: &Response<AnswerBody>) -> bool {
    let told = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];
    answer.status() == StatusCode::OK
        && answer.body().size_hint().exact().is_none()
        && !told.iter().any(|name| answer.headers().contains_key(name))
}

/// Writes an answer whose parts come now and then: hyper would need its buffers for as long as that takes.
async fn write_in_parts<I: AsyncRead + AsyncWrite + Unpin>(
    line: &mut Line<'_, I>,
    answer: Response<AnswerBody>,
    closes: bool,
    activity: &Activity,
) -> io::Result<()> {
    let (head, mut body) = answer.into_parts();
    line.io.write_all(&chunks::head(head, closes)).await?;
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = line.is_over(activity) => return Err(io::ErrorKind::BrokenPipe.into()),
        };
        let Some(frame) = frame else { break };
        if let Ok(part) = frame.map_err(io::Error::other)?.into_data()
            && !part.is_empty()
        {
            line.io.write_all(&chunks::chunk(&part)).await?;
            line.io.flush().await?;
        }
    }
    line.io.write_all(chunks::LAST).await?;
    line.io.flush().await
}

/// The client's side, and the server's end.
struct Line<'a, I> {
    io: Watched<I>,
    /// What was read of a next request.
    ahead: Bytes,
    phase: &'a mut watch::Receiver<Phase>,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Line<'_, I> {
    /// Ends when the client is gone, or the server.
    async fn is_over(&mut self, activity: &Activity) {
        let mut ahead = [0; AHEAD];
        loop {
            tokio::select! {
                biased;
                changed = self.phase.changed() => {
                    let now = changed.map_or(Phase::Closed, |()| *self.phase.borrow_and_update());
                    if now == Phase::Closed {
                        return;
                    }
                    activity.close();
                }
                read = self.io.read(&mut ahead), if self.ahead.is_empty() => {
                    match read.ok().and_then(|read| ahead.get(..read)) {
                        None | Some([]) => return,
                        Some(read) => self.ahead = Bytes::copy_from_slice(read),
                    }
                }
            }
        }
    }
}
