//! Polls that are held until there is an answer.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::sleep;

/// How long a client may hear nothing, while its poll is held: published ones give up after 5 s of silence.
const SILENCE: Duration = Duration::from_secs(3);

/// Answers a poll as soon as that can be done. A client that waits is sent a blank now and then, which may stand before any
/// JSON and keeps it from giving up.
pub(super) async fn held_awake(
    mut answering: impl Future<Output = Response> + Send + Unpin + 'static,
    allow_origin: bool,
) -> Response {
    tokio::select! {
        biased;
        response = &mut answering => return response,
        () = sleep(SILENCE) => {}
    }
    let blank = || Ok::<_, Infallible>(Bytes::from_static(b" "));
    let rest = stream::unfold(Some(answering), move |answering| async move {
        let mut answering = answering?;
        tokio::select! {
            biased;
            response = &mut answering => {
                let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
                Some((Ok(body), None))
            }
            () = sleep(SILENCE) => Some((blank(), Some(answering))),
        }
    });
    let parts = stream::once(async move { blank() }).chain(rest);
    let mut response = Response::new(Body::from_stream(parts));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if allow_origin {
        let anybody = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    }
    response
}
