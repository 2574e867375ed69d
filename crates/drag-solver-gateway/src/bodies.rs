//! Bodies of requests: read whole, and no more of them at once than there is memory for.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tower::BoxError;

/// What bodies that are being read, or looked at, may hold together, in KiB (512 MiB).
const MOST: usize = 512 * 1024;

/// How much is read of a body that is not taken, in bytes, and for how long. Clients that are still sending when the
/// connection is closed see a broken one, and not the answer.
const DISCARDED: usize = 64 << 20;
const DISCARDING: Duration = Duration::from_secs(10);

/// Room for bodies.
pub(crate) struct Bodies(Semaphore);

impl Default for Bodies {
    fn default() -> Self {
        Self(Semaphore::new(MOST))
    }
}

/// A body, and the room that it has.
pub(crate) struct Read<'a> {
    pub(crate) bytes: Bytes,
    _room: Option<SemaphorePermit<'a>>,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    TooLarge,
    /// There are too many others.
    Busy,
    /// It ended too early, or did not come in time.
    CutOff,
}

/// Reads on, and throws away what comes.
pub(crate) async fn discard(body: &mut Body) {
    let mut left = DISCARDED;
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    let _ = timeout(DISCARDING, all).await;
}

/// Reads a body into one piece. Each part is copied as it comes: one that is kept would keep the connection's buffer, and
/// the next part would need a new one.
async fn whole(mut body: Limited<&mut Body>, length: Option<usize>) -> Result<Bytes, BoxError> {
    let mut bytes = Vec::with_capacity(length.unwrap_or_default());
    while let Some(frame) = body.frame().await {
        if let Ok(part) = frame?.into_data() {
            bytes.extend_from_slice(&part);
        }
    }
    Ok(bytes.into())
}

impl Bodies {
    /// Reads a body of at most so many bytes. Of a larger one nothing is kept.
    pub(crate) async fn read(
        &self,
        headers: &HeaderMap,
        mut body: Body,
        most: usize,
    ) -> Result<Read<'_>, NotRead> {
        let size = body.size_hint();
        if size.lower() > most as u64 {
            // A client that asks first is told before it sends.
            if !headers.contains_key(header::EXPECT) {
                discard(&mut body).await;
            }
            return Err(NotRead::TooLarge);
        }
        let upper = size.upper().and_then(|upper| usize::try_from(upper).ok());
        let kib = upper.unwrap_or(most).min(most).div_ceil(1024);
        // Small ones, which are most, cost less than what counts them.
        let room = match u32::try_from(kib.min(MOST)) {
            Ok(kib) if kib > 16 => Some(self.0.try_acquire_many(kib).map_err(|_| NotRead::Busy)?),
            _ => None,
        };
        match whole(Limited::new(&mut body, most), upper).await {
            Ok(bytes) => Ok(Read { bytes, _room: room }),
            Err(error) if error.is::<LengthLimitError>() => {
                drop(room);
                discard(&mut body).await;
                Err(NotRead::TooLarge)
            }
            Err(_) => Err(NotRead::CutOff),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bodies: &Bodies, body: Body, most: usize) -> Result<Read<'_>, NotRead> {
        bodies.read(&HeaderMap::new(), body, most).await
    }

    fn in_parts(parts: Vec<Result<Vec<u8>, std::io::Error>>) -> Body {
        Body::from_stream(futures_util::stream::iter(parts))
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_by_what_it_says_and_by_what_it_is() {
        let bodies = Bodies::default();
        let fits = read(&bodies, Body::from(vec![0; 9]), 9).await.unwrap();
        assert_eq!(fits.bytes.len(), 9);
        let says_so = read(&bodies, Body::from(vec![0; 10]), 9).await;
        assert_eq!(says_so.err(), Some(NotRead::TooLarge));
        let unsized_body = in_parts(vec![Ok(vec![0_u8; 10])]);
        let is_so = read(&bodies, unsized_body, 9).await;
        assert_eq!(is_so.err(), Some(NotRead::TooLarge));
    }

    #[tokio::test]
    async fn what_breaks_off_is_not_too_large() {
        let bodies = Bodies::default();
        let broken = in_parts(vec![Ok(vec![0; 5]), Err(std::io::ErrorKind::Other.into())]);
        assert_eq!(read(&bodies, broken, 9).await.err(), Some(NotRead::CutOff));
    }

    #[tokio::test(start_paused = true)]
    async fn so_much_is_read_on_and_for_so_long() {
        let parts = std::iter::repeat_with(|| Ok::<_, std::io::Error>(vec![0_u8; 1 << 20]));
        let mut endless = Body::from_stream(futures_util::stream::iter(parts));
        discard(&mut endless).await;
        let mut silent =
            Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        let begun = tokio::time::Instant::now();
        discard(&mut silent).await;
        assert_eq!(begun.elapsed().as_secs(), DISCARDING.as_secs());
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_at_once() {
        let bodies = Bodies::default();
        let (large, mut held) = (MOST / 4 * 1024, Vec::new());
        for _ in 0..4 {
            let one = read(&bodies, Body::from(vec![0; large]), large).await;
            held.push(one.ok().unwrap());
        }
        let one_more = || read(&bodies, Body::from(vec![0; 20_000]), large);
        assert_eq!(one_more().await.err(), Some(NotRead::Busy));
        held.pop();
        assert!(one_more().await.is_ok());
    }
}
