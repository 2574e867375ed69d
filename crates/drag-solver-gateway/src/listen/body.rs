//! Bodies that must arrive in time, and bodies that are a request under way until they are sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body as AxumBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Duration, Instant, Sleep, sleep_until};

use super::activity::{Activity, UnderWay, after};

/// A request's body did not arrive in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body of the request did not arrive in time")]
pub(super) struct TooSlow;

/// Whether a body was too slow, for the code that has handed it on.
pub(super) type Slow = Arc<AtomicBool>;

/// A request's body that must arrive in time.
#[derive(Debug)]
pub(super) struct TimedBody {
    inner: Incoming,
    whole: Duration,
    idle: Duration,
    /// When the whole body must be here. The time runs from the first look at it, so that what a
    /// handler does before is not the client's.
    end: Option<Instant>,
    /// Only while bytes are waited for.
    sleep: Option<Pin<Box<Sleep>>>,
    slow: Slow,
    activity: (Arc<Activity>, u64),
}

impl TimedBody {
    pub(super) fn new(
        inner: Incoming,
        (whole, idle): (Duration, Duration),
        slow: Slow,
        activity: (Arc<Activity>, u64),
    ) -> Self {
        Self {
            inner,
            whole,
            idle,
            end: None,
            sleep: None,
            slow,
            activity,
        }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let now = Instant::now();
        let end = *this.end.get_or_insert_with(|| after(now, this.whole));
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            this.sleep = None;
            if frame.is_none() || this.inner.is_end_stream() {
                this.activity.0.arrived(this.activity.1);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        let idle = this.idle;
        let sleep = this
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(end.min(after(now, idle)))));
        ready!(sleep.as_mut().poll(cx));
        this.slow.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(TooSlow))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// How much of an answer is handed on at a time over HTTP/2, in bytes.
///
/// hyper takes a piece whole as soon as the client takes a byte of it. What it has taken is under way
/// no more, and would be kept for a client that never reads it.
const PIECE: usize = 16 * 1024;

/// An answer's body. Its request is under way until it is sent, or given up.
#[derive(Debug)]
pub(super) struct AnswerBody {
    inner: AxumBody,
    /// What is left of the inner body's last piece.
    rest: Bytes,
    piece: usize,
    _under_way: UnderWay,
}

impl AnswerBody {
    pub(super) fn new(inner: AxumBody, under_way: UnderWay, multiplexed: bool) -> Self {
        Self {
            inner,
            rest: Bytes::new(),
            piece: if multiplexed { PIECE } else { usize::MAX },
            _under_way: under_way,
        }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        let length = self.rest.len().min(self.piece);
        Frame::data(self.rest.split_to(length))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.next_piece())));
        }
        let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other),
        };
        let frame = match frame.into_data() {
            Ok(data) => {
                this.rest = data;
                this.next_piece()
            }
            Err(trailers) => trailers,
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
