//! A recording, played back.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::body::Capture;
use super::compare::{Likeness, compare, is_same_place};
use super::format::{Exchange, Outcome, ResponseBody};
use super::mask::Masker;
use super::recording::Recording;
use crate::{ApiRequest, ApiResponse, Transport, TransportError};

/// The most requests that are remembered because the recording does not have them.
const MAX_UNEXPECTED: usize = 100;

/// Plays a [`Recording`] back: the same requests get the same answers, each after the time that it took. On a
/// paused clock of tokio's that is no time at all, and everything happens at the same instants.
///
/// A request gets the first exchange that was not played yet of the same method and path, query and body. Any text may
/// stand in the place of a mask, so the token may be another one. Of several that differ in nothing but the picture, the
/// one with the same picture is preferred; otherwise another picture will do, since a recording has most often only the
/// digest. Headers are not compared. A request that the recording does not have gets an error that says what was asked
/// and what comes next; for a solver that is a [`Protocol`](drag_solver_core::ErrorKind::Protocol) error, and no poll
/// ends with it.
///
/// What was masked in an answer is still masked when it is played back, in ids of jobs, too. They stay consistent: a
/// job that was masked where it was created is masked in the same way where it is asked about.
///
/// Clones play the same recording. See [`Recorder`](super::Recorder) for an example.
#[derive(Clone)]
pub struct ReplayTransport {
    state: Arc<Mutex<State>>,
    at_once: bool,
}

struct State {
    unplayed: Vec<Exchange>,
    unexpected: Vec<String>,
}

impl ReplayTransport {
    /// Plays `recording` from its beginning.
    #[must_use]
    pub fn new(recording: &Recording) -> Self {
        let state = State {
            unplayed: recording.exchanges.clone(),
            unexpected: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            at_once: false,
        }
    }

    /// Answers at once, for programs whose clock cannot be paused. What was never answered is lost at once.
    #[must_use]
    pub fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// What is in the recording and was not asked for, as in `POST createTask`.
    #[must_use]
    pub fn unplayed(&self) -> Vec<String> {
        self.state().unplayed.iter().map(Exchange::label).collect()
    }

    /// What was asked for and is not in the recording: the first 100, in words.
    #[must_use]
    pub fn unexpected(&self) -> Vec<String> {
        self.state().unexpected.clone()
    }

    /// The exchange that answers `request`, or why there is none.
    fn next(&self, request: &ApiRequest) -> Result<Exchange, String> {
        let masker = Masker::default();
        let capture = Capture {
            masker: &masker,
            pictures: false,
        };
        let actual = capture.head_and_body(request);
        let mut state = self.state();
        let mut found = None;
        let mut different = None;
        let exchanges = state.unplayed.iter().enumerate();
        for (index, exchange) in exchanges.filter(|(_, it)| is_same_place(&it.request, &actual)) {
            match compare(&exchange.request, &actual) {
                Likeness::Same => {
                    found = Some(index);
                    break;
                }
                Likeness::OtherPicture => found = found.or(Some(index)),
                Likeness::Different(what) => different = different.or(Some(what)),
            }
        }
        if let Some(index) = found {
            return Ok(state.unplayed.remove(index));
        }
        let next = state.unplayed.first().map(Exchange::label);
        let next = next.unwrap_or_else(|| "nothing, it has ended".to_owned());
        // What was added to the path may be secret.
        let asked = format!("{} {}", request.method(), request.label());
        let why = match different {
            Some(what) => format!("{asked} is not as it was recorded: {what}"),
            None => format!("{asked} is not in the recording, or was played; next in it: {next}"),
        };
        if state.unexpected.len() < MAX_UNEXPECTED {
            state.unexpected.push(why.clone());
        }
        Err(why)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ReplayTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.state().unplayed.len();
        write!(f, "ReplayTransport({left} not played)")
    }
}

#[async_trait]
impl Transport for ReplayTransport {
    async fn send(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<ApiResponse, TransportError> {
        let exchange = self.next(&request).map_err(TransportError::bad_response)?;
        let late = || TransportError::lost(format!("no answer within {limit:?}"));
        let Some(outcome) = exchange.outcome() else {
            if !self.at_once {
                tokio::time::sleep(limit).await;
            }
            return Err(late());
        };
        if self.at_once {
            return outcome;
        }
        let elapsed = exchange.elapsed(limit);
        tokio::time::sleep(elapsed.unwrap_or(limit)).await;
        match outcome {
            Ok(_) if elapsed.is_none() => Err(late()),
            outcome => outcome,
        }
    }
}

impl Exchange {
    /// What it is called in errors.
    fn label(&self) -> String {
        format!("{} {}", self.request.method, self.request.path)
    }

    /// How long it takes a client that gives it so long; `None` if it gets nothing in that time. One that took all
    /// the time it had does so again.
    fn elapsed(&self, limit: Duration) -> Option<Duration> {
        let elapsed = self.ended_ms.saturating_sub(self.began_ms);
        if elapsed >= self.limit_ms {
            return Some(limit);
        }
        Some(Duration::from_millis(elapsed)).filter(|elapsed| *elapsed <= limit)
    }

    /// What the client got; `None` if it had stopped waiting.
    fn outcome(&self) -> Option<Result<ApiResponse, TransportError>> {
        match &self.outcome {
            Outcome::Abandoned => None,
            Outcome::Error(failure) => {
                let error = TransportError::new(failure.delivery, failure.reason.clone());
                Some(Err(match &failure.source {
                    Some(source) => error.with_source(source.clone()),
                    None => error,
                }))
            }
            Outcome::Response(response) => {
                let body = match &response.body {
                    ResponseBody::Json(raw) => raw.get().as_bytes().to_vec(),
                    ResponseBody::Text(text) => text.clone().into_bytes(),
                    ResponseBody::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
                };
                let response = ApiResponse::new(response.status, body)
                    .with_retry_after(response.retry_after)
                    .with_location(response.location.clone());
                Some(Ok(response))
            }
        }
    }
}
