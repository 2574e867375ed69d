//! A request body that knows whether anybody has read it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Whether a request may have reached the server.
///
/// The HTTP client reads a request's body only once it has a connection, TLS included, to write it
/// to. So while none of it was read, the server cannot have got it, no matter what went wrong and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Sending(Arc<AtomicBool>);

impl Sending {
    pub(super) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The body. It cannot be cloned, so the client cannot send it twice: not on a retry of its own, not
/// to where a redirect points.
#[derive(Debug)]
pub(super) struct TrackedBody {
    bytes: Option<Bytes>,
    sending: Sending,
}

impl TrackedBody {
    pub(super) fn new(bytes: Bytes) -> (Self, Sending) {
        let sending = Sending::default();
        let body = Self {
            bytes: Some(bytes),
            sending: sending.clone(),
        };
        (body, sending)
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sending.0.store(true, Ordering::Release);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
