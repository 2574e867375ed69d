//! A transport that records.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;

use super::body::Capture;
use super::format::{Exchange, Failure, Line, Outcome, Request, Response};
use super::mask::Masker;
use super::recorder::{Recorder, millis};
use crate::redact::MASK;
use crate::{ApiRequest, ApiResponse, Transport, TransportError};

/// Sends through another transport, and records each request with what came of it.
///
/// A solver that is made with [`HttpOptions::recorder`](crate::HttpOptions::recorder) does so by itself, and records
/// its calls, too. Dropping the future of [`send`](Transport::send) records that the request was abandoned.
#[derive(Debug)]
pub struct RecordingTransport<T> {
    inner: T,
    recorder: SolverRecorder,
}

/// Records for one account.
#[derive(Clone)]
pub(crate) struct SolverRecorder {
    pub(super) recorder: Recorder,
    pub(super) solver: Arc<str>,
    pub(super) masker: Arc<Masker>,
}

impl<T: Transport> RecordingTransport<T> {
    /// Records what goes through `inner` as that of the solver called `solver`, without `secrets`.
    pub fn new<'a>(
        inner: T,
        recorder: &Recorder,
        solver: &str,
        secrets: impl IntoIterator<Item = &'a SecretString>,
    ) -> Self {
        let recorder = SolverRecorder::new(recorder, solver, secrets, None);
        Self::of(inner, recorder)
    }

    pub(crate) fn of(inner: T, recorder: SolverRecorder) -> Self {
        Self { inner, recorder }
    }

    /// What it sends through.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }
}

impl SolverRecorder {
    pub(crate) fn new<'a>(
        recorder: &Recorder,
        solver: &str,
        secrets: impl IntoIterator<Item = &'a SecretString>,
        calls_below: Option<&str>,
    ) -> Self {
        Self {
            recorder: recorder.clone(),
            solver: solver.into(),
            masker: Arc::new(Masker::new(secrets).with_calls_below(calls_below)),
        }
    }
}

impl fmt::Debug for SolverRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SolverRecorder({})", self.solver)
    }
}

#[async_trait]
impl<T: Transport> Transport for RecordingTransport<T> {
    async fn send(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<ApiResponse, TransportError> {
        let mut under_way = UnderWay {
            recorder: &self.recorder,
            began: Instant::now(),
            limit,
            request: Some(request.clone()),
            end: End::Abandoned,
        };
        let outcome = self.inner.send(request, limit).await;
        under_way.end = match &outcome {
            Ok(response) => End::Response(response.clone()),
            Err(error) => End::error(error),
        };
        outcome
    }
}

/// A request that is recorded when this is dropped.
struct UnderWay<'a> {
    recorder: &'a SolverRecorder,
    began: Instant,
    limit: Duration,
    request: Option<ApiRequest>,
    end: End,
}

enum End {
    Response(ApiResponse),
    Error(Failure),
    Abandoned,
}

impl End {
    fn error(error: &TransportError) -> Self {
        let mut source = error
            .source
            .as_deref()
            .map(|it| it as &dyn std::error::Error);
        let mut texts = Vec::new();
        while let Some(cause) = source {
            texts.push(cause.to_string());
            source = cause.source();
        }
        Self::Error(Failure {
            delivery: error.delivery,
            reason: error.reason.clone(),
            source: (!texts.is_empty()).then(|| texts.join(": ")),
        })
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Some(request) = self.request.take() else {
            return;
        };
        let SolverRecorder {
            recorder,
            solver,
            masker,
        } = self.recorder.clone();
        let began_ms = recorder.since_start(self.began);
        let ended_ms = recorder.since_start(Instant::now());
        let limit_ms = millis(self.limit);
        let end = std::mem::replace(&mut self.end, End::Abandoned);
        let answer = match &end {
            End::Response(response) => response.body().len(),
            End::Error(_) | End::Abandoned => 0,
        };
        recorder.push(request.body().len() + answer + 1024, move |pictures| {
            let capture = Capture {
                masker: &masker,
                pictures,
            };
            Line::Exchange(Box::new(Exchange {
                solver: solver.as_ref().to_owned(),
                began_ms,
                ended_ms,
                limit_ms,
                request: capture.head_and_body(&request),
                outcome: capture.outcome(end),
            }))
        });
    }
}

impl Capture<'_> {
    /// All of a request.
    pub(super) fn head_and_body(&self, request: &ApiRequest) -> Request {
        let text = |text: &str| self.masker.text(text).into_owned();
        let query = request.query_pairs();
        let headers = request.headers().iter();
        Request {
            method: request.method().to_owned(),
            path: text(request.path()),
            query: query
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            headers: headers
                .map(|(name, value)| {
                    let is_secret = value.is_sensitive() || !is_harmless(name.as_str());
                    let value = value.to_str().ok().filter(|_| !is_secret);
                    (
                        name.to_string(),
                        value.map_or_else(|| MASK.to_owned(), text),
                    )
                })
                .collect(),
            body: self.request(request.content_type(), request.body()),
            purchase: request.is_purchase(),
        }
    }

    fn outcome(&self, end: End) -> Outcome {
        let text = |text: &str| self.masker.text(text).into_owned();
        match end {
            End::Abandoned => Outcome::Abandoned,
            End::Error(failure) => Outcome::Error(Failure {
                delivery: failure.delivery,
                reason: text(&failure.reason),
                source: failure.source.as_deref().map(text),
            }),
            End::Response(response) => Outcome::Response(Response {
                status: response.status(),
                retry_after: response.retry_after(),
                location: response.location().map(text),
                body: self.response(response.body()),
            }),
        }
    }
}

/// Whether a header of this name holds no secret that was not marked as one.
fn is_harmless(name: &str) -> bool {
    const SUSPECT: &[&str] = &["auth", "cookie", "key", "secret", "session", "token"];
    !SUSPECT.iter().any(|part| name.contains(part))
}
