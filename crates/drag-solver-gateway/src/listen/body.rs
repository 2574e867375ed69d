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

use super::activity::{UnderWay, after};

/// A request's body did not arrive in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body of the request did not arrive in time")]
pub(super) struct TooSlow;

/// Whether a body was too slow, for who has handed it on.
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
}

impl TimedBody {
    pub(super) fn new(inner: Incoming, whole: Duration, idle: Duration, slow: Slow) -> Self {
        Self {
            inner,
            whole,
            idle,
            end: None,
            sleep: None,
            slow,
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
            // A drop at a time would always be in time.
            if now < end || frame.is_none() {
                return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
            }
        } else {
            let idle = this.idle;
            let sleep = this
                .sleep
                .get_or_insert_with(|| Box::pin(sleep_until(end.min(after(now, idle)))));
            ready!(sleep.as_mut().poll(cx));
        }
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

/// An answer's body. Its request is under way until it is sent, or given up.
#[derive(Debug)]
pub(super) struct AnswerBody {
    inner: AxumBody,
    _under_way: UnderWay,
}

impl AnswerBody {
    pub(super) fn new(inner: AxumBody, under_way: UnderWay) -> Self {
        Self {
            inner,
            _under_way: under_way,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
