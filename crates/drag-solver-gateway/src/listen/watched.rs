//! The bytes of a connection, and what is told of them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

use super::activity::Activity;

/// The first bytes of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How much is read at a time, in bytes: less than a page of memory. What nothing was written to takes no memory, and so
/// the rest of hyper's first buffer, which is twice as large, takes none. A read that fills the buffer would make hyper
/// double it, and it would stay as large while a connection that has sent a picture waits for what becomes of it.
const MAX_READ: u64 = 4 * 1024 - 1;

/// The bytes of a connection, which tell its [`Activity`].
#[derive(Debug)]
pub(super) struct Watched<I> {
    io: Take<I>,
    activity: Arc<Activity>,
    /// What is read first, before what comes from the client.
    first: Bytes,
}

impl<I: AsyncRead> Watched<I> {
    pub(super) fn new(io: I, activity: Arc<Activity>) -> Self {
        Self {
            io: io.take(MAX_READ),
            activity,
            first: Bytes::new(),
        }
    }

    /// Has this read before anything else.
    pub(super) fn read_first(&mut self, bytes: Bytes) {
        self.first = if self.first.is_empty() {
            bytes
        } else {
            [bytes, std::mem::take(&mut self.first)].concat().into()
        };
    }
}

impl<I: AsyncRead + Unpin> Watched<I> {
    /// Whether the client starts as one of HTTP/2 does. What it read is read again.
    ///
    /// hyper-util can tell the version, too, but hands these few bytes on as a read of their own, for
    /// which hyper makes its buffer twice as large for as long as the connection lives.
    pub(super) async fn starts_http2(&mut self) -> io::Result<bool> {
        let (mut first, mut read) = ([0; PREFACE.len()], 0);
        while let Some(missing) = first.get_mut(read..).filter(|it| !it.is_empty()) {
            let count = self.io.get_mut().read(missing).await?;
            read += count;
            if count > 0 {
                self.activity.received();
            }
            if count == 0 || first.get(..read) != PREFACE.get(..read) {
                break;
            }
        }
        self.first = Bytes::copy_from_slice(first.get(..read).unwrap_or_default());
        Ok(first == *PREFACE)
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        self.io.set_limit(MAX_READ);
        if !self.first.is_empty() {
            let count = self.first.len().min(buf.remaining());
            buf.put_slice(&self.first.split_to(count));
            // And what has arrived since, in the same read. Its end or failure is told by the next one.
            self.io.set_limit(MAX_READ.saturating_sub(count as u64));
            if buf.remaining() > 0 {
                let _ = Pin::new(&mut self.io).poll_read(cx, buf);
            }
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.received();
        }
        polled
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(self.io.get_mut()).poll_write(cx, buf);
        if polled.is_pending() {
            self.activity.blocked();
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(self.io.get_mut()).poll_write_vectored(cx, bufs);
        if polled.is_pending() {
            self.activity.blocked();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(self.io.get_mut()).poll_flush(cx);
        match polled {
            // Only when all is written: a client that takes a byte now and then is as slow as it is.
            Poll::Ready(_) => self.activity.flushed(),
            Poll::Pending => self.activity.blocked(),
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(self.io.get_mut()).poll_shutdown(cx);
        if polled.is_pending() {
            self.activity.blocked();
        }
        polled
    }
}
