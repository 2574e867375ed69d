//! A transport that answers from a script: for tests of providers, on a paused clock.
//!
//! ```
//! use std::time::Duration;
//! use drag_solver_http::testing::{Reply, ScriptedTransport};
//!
//! let transport = ScriptedTransport::new([
//!     Reply::json(r#"{"error": false, "job_id": 123456}"#),
//!     Reply::lost(),
//!     Reply::json(r#"{"error": false, "status": "success", "result": "83|560|320|560"}"#)
//!         .after(Duration::from_millis(300)),
//! ]);
//! assert!(transport.sent().is_empty());
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::transport::Delivery;
use crate::{ApiRequest, ApiResponse, Transport, TransportError};

/// What a [`ScriptedTransport`] does with one request.
#[derive(Clone, Debug)]
pub struct Reply {
    outcome: Result<ApiResponse, Delivery>,
    after: Duration,
}

impl Reply {
    /// Answers with this response.
    #[must_use]
    pub fn response(response: ApiResponse) -> Self {
        Self::new(Ok(response))
    }

    /// Answers with HTTP 200 and this body.
    pub fn json(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    /// Answers with this HTTP status and body.
    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self::response(ApiResponse::new(status, body.into()))
    }

    /// Fails before anything reached the provider.
    #[must_use]
    pub fn not_sent() -> Self {
        Self::new(Err(Delivery::NotSent))
    }

    /// Fails after the provider may have got the request.
    #[must_use]
    pub fn lost() -> Self {
        Self::new(Err(Delivery::Lost))
    }

    /// Never answers. The provider may have got the request.
    #[must_use]
    pub fn hang() -> Self {
        Self::lost().after(Duration::MAX)
    }

    /// Never gets through to the provider.
    #[must_use]
    pub fn hang_connecting() -> Self {
        Self::not_sent().after(Duration::MAX)
    }

    /// Comes after this wait, instead of at once.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = wait;
        self
    }

    fn new(outcome: Result<ApiResponse, Delivery>) -> Self {
        Self {
            outcome,
            after: Duration::ZERO,
        }
    }
}

/// One request that was made. `Debug` does not show its body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SentRequest {
    /// When it was made.
    pub at: Instant,
    /// What was sent.
    pub request: ApiRequest,
    /// How long it was given.
    pub limit: Duration,
}

impl SentRequest {
    /// The body as JSON; `null` if it is not.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.request.body()).unwrap_or_default()
    }
}

/// Answers requests from a script, in order, and keeps a log of them. It keeps the limit of a
/// request as the real one does. Clones share script and log.
#[derive(Clone, Debug, Default)]
pub struct ScriptedTransport {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Reply>,
    always: Option<Reply>,
    sent: Vec<SentRequest>,
}

impl ScriptedTransport {
    /// Gives these replies, one a request.
    pub fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        let transport = Self::default();
        transport.state().script.extend(script);
        transport
    }

    /// Gives `reply` to every request after the script's end.
    #[must_use]
    pub fn then_always(self, reply: Reply) -> Self {
        self.state().always = Some(reply);
        self
    }

    /// Every request so far.
    #[must_use]
    pub fn sent(&self) -> Vec<SentRequest> {
        self.state().sent.clone()
    }

    /// The paths of every request so far.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let state = self.state();
        let paths = state.sent.iter().map(|sent| sent.request.path().to_owned());
        paths.collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for ScriptedTransport {
    async fn send(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<ApiResponse, TransportError> {
        let reply = {
            let mut state = self.state();
            state.sent.push(SentRequest {
                at: Instant::now(),
                request,
                limit,
            });
            let next = state.script.pop_front();
            next.or_else(|| state.always.clone())
        };
        let Some(reply) = reply else {
            return Err(TransportError::bad_response("the script has ended"));
        };
        tokio::time::sleep(reply.after.min(limit)).await;
        let is_late = reply.after > limit;
        match reply.outcome {
            Ok(response) if !is_late => Ok(response),
            Err(Delivery::NotSent) => {
                Err(TransportError::not_sent("connection refused, as scripted"))
            }
            Err(_) if !is_late => Err(TransportError::lost("connection reset, as scripted")),
            _ => Err(TransportError::lost(format!("no answer within {limit:?}"))),
        }
    }
}
