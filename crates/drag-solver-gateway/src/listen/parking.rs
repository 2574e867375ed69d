//! A connection of HTTP/1 whose answer takes long is parked: hyper's buffers are given back, which are more than all else that
//! a held request needs. When the answer is there, hyper is given the bytes of a small request in the manner of the one that
//! is held, and the answer to it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::CONNECTION;
use http::{Method, Request, Response, Version};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::watch;

use super::activity::{Activity, Watched};
use super::body::AnswerBody;
use super::connection::{Phase, Requests};

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
    connection: &'static str,
}

impl Manner {
    /// `None` where more than that counts, as with HEAD.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        let version = match request.version() {
            Version::HTTP_11 => "HTTP/1.1",
            Version::HTTP_10 => "HTTP/1.0",
            _ => return None,
        };
        let values = request.headers().get_all(CONNECTION).iter();
        let tokens = values.filter_map(|value| value.to_str().ok());
        let mut connection = "";
        for token in tokens.flat_map(|value| value.split(',')).map(str::trim) {
            if token.eq_ignore_ascii_case("close") {
                connection = CLOSE;
            } else if token.eq_ignore_ascii_case("keep-alive") && connection.is_empty() {
                connection = "connection: keep-alive\r\n";
            }
        }
        let is_plain = [Method::GET, Method::POST].contains(request.method());
        is_plain.then_some(Self {
            version,
            connection,
        })
    }
}

const CLOSE: &str = "connection: close\r\n";

/// A connection that waits for its answer.
pub(super) struct Parked<I> {
    io: Watched<I>,
    /// What was read of a next request.
    ahead: Bytes,
    requests: Requests,
    manner: Manner,
    answer: BoxAnswer,
}

impl<I: AsyncRead + AsyncWrite + Unpin + Send + 'static> Parked<I> {
    /// Nothing if no answer is owed.
    pub(super) fn new(
        connection: http1::Connection<TokioIo<Watched<I>>, Requests>,
        held: &Held,
    ) -> Option<Self> {
        // Before hyper lets go of it.
        let Some(Owed::Later(manner, answer)) = held.owed().take() else {
            return None;
        };
        let parts = connection.into_parts();
        Some(Self {
            io: parts.io.into_inner(),
            ahead: Bytes::copy_from_slice(&parts.read_buf), // and not all of hyper's buffer
            requests: parts.service,
            manner,
            answer,
        })
    }

    /// What hyper is to serve from then on, with the answer. Nothing if the client is gone, or the server.
    pub(super) async fn wait(
        mut self,
        activity: &Activity,
        phase: &mut watch::Receiver<Phase>,
    ) -> Option<(Watched<I>, Requests)> {
        let mut ahead = [0; AHEAD];
        let Ok(answer) = loop {
            tokio::select! {
                biased;
                answer = &mut self.answer => break answer,
                changed = phase.changed() => {
                    let now = changed.map_or(Phase::Closed, |()| *phase.borrow_and_update());
                    if now == Phase::Closed {
                        return None;
                    }
                    activity.close();
                }
                read = self.io.read(&mut ahead), if self.ahead.is_empty() => {
                    let read = read.ok().and_then(|read| ahead.get(..read))?;
                    if read.is_empty() {
                        return None;
                    }
                    self.ahead = Bytes::copy_from_slice(read);
                }
            }
        };
        let Manner {
            version,
            connection,
        } = self.manner;
        let connection = if activity.is_closing() {
            CLOSE
        } else {
            connection
        };
        let mut first = BytesMut::from(format!("GET / {version}\r\n{connection}\r\n").as_bytes());
        first.extend_from_slice(&self.ahead);
        self.io.read_first(first.freeze());
        *self.requests.held.owed() = Some(Owed::Now(answer));
        Some((self.io, self.requests))
    }
}
