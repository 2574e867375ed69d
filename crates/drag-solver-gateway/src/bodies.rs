//! Bodies of requests: read whole, and no more of them at once than there is memory for.

use axum::body::{Body, HttpBody as _, to_bytes};
use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

/// What bodies that are being read, or looked at, may hold together, in KiB (512 MiB).
const MOST: usize = 512 * 1024;

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
}

impl Bodies {
    /// Reads a body of at most so many bytes. One that says it is larger is refused before any of it is read.
    pub(crate) async fn read(&self, body: Body, most: usize) -> Result<Read<'_>, NotRead> {
        let size = body.size_hint();
        if size.lower() > most as u64 {
            return Err(NotRead::TooLarge);
        }
        let upper = size.upper().and_then(|upper| usize::try_from(upper).ok());
        let kib = upper.unwrap_or(most).min(most).div_ceil(1024);
        // Small ones, which are most, cost less than what counts them.
        let room = match u32::try_from(kib.min(MOST)) {
            Ok(kib) if kib > 16 => Some(self.0.try_acquire_many(kib).map_err(|_| NotRead::Busy)?),
            _ => None,
        };
        let bytes = to_bytes(body, most).await.map_err(|_| NotRead::TooLarge)?;
        Ok(Read { bytes, _room: room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_large_is_refused_by_what_it_says_and_by_what_it_is() {
        let bodies = Bodies::default();
        assert_eq!(
            bodies
                .read(Body::from(vec![0; 9]), 9)
                .await
                .unwrap()
                .bytes
                .len(),
            9
        );
        assert_eq!(
            bodies.read(Body::from(vec![0; 10]), 9).await.err(),
            Some(NotRead::TooLarge)
        );
        let parts = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![0_u8; 10])]);
        let unsized_body = Body::from_stream(parts);
        assert_eq!(
            bodies.read(unsized_body, 9).await.err(),
            Some(NotRead::TooLarge)
        );
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_at_once() {
        let bodies = Bodies::default();
        let (large, mut held) = (MOST / 4 * 1024, Vec::new());
        for _ in 0..4 {
            held.push(
                bodies
                    .read(Body::from(vec![0; large]), large)
                    .await
                    .ok()
                    .unwrap(),
            );
        }
        let one_more = || bodies.read(Body::from(vec![0; 20_000]), large);
        assert_eq!(one_more().await.err(), Some(NotRead::Busy));
        held.pop();
        assert!(one_more().await.is_ok());
    }
}
