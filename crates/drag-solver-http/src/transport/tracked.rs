//! A request body that knows how much of it was read, and that can be stopped.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// How much is handed to the HTTP client at a time, in bytes: little enough that what it holds back
/// is a small part of a picture.
const PIECE: usize = 16 * 1024;

/// Set in the counter of bytes when no more may be handed over.
const STOPPED: usize = 1 << (usize::BITS - 1);

/// How much of a request may have reached the server.
///
/// The HTTP client reads a request's body only once it has a connection, TLS included, to write it
/// to. So while not all of it was read, the server cannot have got the request, no matter what went
/// wrong and when.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    handed: Arc<AtomicUsize>,
    total: usize,
}

/// What had become of a request when it was stopped.
pub(super) enum Sent {
    /// None of it can have reached the server.
    Nothing,
    /// At most this many of its bytes: it is cut off.
    Part { bytes: usize, total: usize },
    /// All of it, perhaps.
    All,
}

impl Sending {
    /// Hands over no more, and says how much it was. A connection that lives on in the background
    /// cannot send the rest after that.
    pub(super) fn stop(&self) -> Sent {
        let total = self.total;
        match self.handed.fetch_or(STOPPED, Ordering::AcqRel) & !STOPPED {
            // Of a request without a body nothing is handed over, and it may be on its way.
            bytes if bytes == total => Sent::All,
            0 => Sent::Nothing,
            bytes => Sent::Part { bytes, total },
        }
    }

    fn hand_over(&self, count: usize) -> bool {
        let more = |handed| (handed & STOPPED == 0).then_some(handed + count);
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        self.handed.fetch_update(set, fetch, more).is_ok()
    }
}

/// The body. It cannot be cloned, so the client cannot send it twice: not on a retry of its own, not
/// to where a redirect points.
#[derive(Debug)]
pub(super) struct TrackedBody {
    rest: Bytes,
    sending: Sending,
}

impl TrackedBody {
    pub(super) fn new(bytes: Bytes) -> (Self, Sending) {
        let sending = Sending {
            handed: Arc::default(),
            total: bytes.len(),
        };
        let body = Self {
            rest: bytes,
            sending: sending.clone(),
        };
        (body, sending)
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let length = self.rest.len().min(PIECE);
        if length == 0 {
            return Poll::Ready(None);
        }
        if !self.sending.hand_over(length) {
            let stopped = io::Error::other("the request was given up");
            return Poll::Ready(Some(Err(stopped)));
        }
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
