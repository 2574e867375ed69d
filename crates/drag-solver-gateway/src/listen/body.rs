//! A body that has so long to arrive.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ListenPolicy;

/// A body that ends in an error if it does not come in time.
pub(super) struct TimedBody<B> {
    inner: Pin<Box<B>>,
    /// Made when it is first waited for: most bodies are there with their head.
    timer: Option<Pin<Box<Sleep>>>,
    pause: Duration,
    end: Option<Instant>,
}

/// A body did not come in time.
#[derive(Debug)]
pub(super) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body did not come in time")
    }
}

impl Error for TooSlow {}

impl<B> TimedBody<B> {
    pub(super) fn new(inner: B, policy: &ListenPolicy) -> Self {
        Self {
            inner: Box::pin(inner),
            timer: None,
            pause: policy.body_pause,
            end: Instant::now().checked_add(policy.body),
        }
    }

    /// When it is too late, if nothing comes from now on.
    fn latest(&self) -> Option<Instant> {
        let pause = Instant::now().checked_add(self.pause);
        pause.into_iter().chain(self.end).min()
    }
}

impl<B> HttpBody for TimedBody<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = self.inner.as_mut().poll_frame(cx) {
            self.timer = None;
            let is_late = self.end.is_some_and(|end| Instant::now() >= end);
            return Poll::Ready(match frame {
                Some(Ok(_)) if is_late => Some(Err(TooSlow.into())),
                frame => frame.map(|frame| frame.map_err(Into::into)),
            });
        }
        if self.timer.is_none() {
            let latest = self.latest();
            self.timer = latest.map(|latest| Box::pin(sleep_until(latest)));
        }
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            return Poll::Ready(Some(Err(TooSlow.into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use futures_util::stream::{self, StreamExt as _};
    use tokio::time::sleep;

    use super::*;

    /// A body whose parts come with a pause before each.
    async fn read(pauses: &'static [u64]) -> (Option<usize>, u64) {
        let begun = Instant::now();
        let parts = stream::iter(pauses).then(|&seconds| async move {
            sleep(Duration::from_secs(seconds)).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"x"))
        });
        let body = TimedBody::new(Body::from_stream(parts), &ListenPolicy::default());
        let read = to_bytes(Body::new(body), usize::MAX).await;
        (
            read.ok().map(|bytes| bytes.len()),
            begun.elapsed().as_secs(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_pause_and_not_for_long() {
        assert_eq!(read(&[0, 14, 14, 14]).await, (Some(4), 42));
        assert_eq!(read(&[0, 16]).await, (None, 15));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_ends_all_the_same() {
        assert_eq!(read(&[14; 10]).await, (None, 60));
    }
}
