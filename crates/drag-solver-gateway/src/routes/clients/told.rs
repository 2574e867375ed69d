//! What a client is told.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use drag_solver_wire::{Incoming, Protocol, Refusal, Reply, write};

use crate::measure;

/// What a client is told, in the protocol of its job.
pub(super) struct Told {
    pub(super) reply: Result<Reply, Refusal>,
    /// That of the job, if it is known.
    pub(super) protocol: Option<Protocol>,
    /// Who answered.
    pub(super) solver: Option<String>,
    /// What is counted, unless the reply says it.
    pub(super) outcome: Option<&'static str>,
}

impl From<Result<Reply, Refusal>> for Told {
    fn from(reply: Result<Reply, Refusal>) -> Self {
        Self {
            reply,
            protocol: None,
            solver: None,
            outcome: None,
        }
    }
}

impl Told {
    pub(super) fn outcome(&self) -> &'static str {
        self.outcome
            .unwrap_or_else(|| measure::outcome(&self.reply))
    }

    pub(super) fn write(self, incoming: &Incoming) -> Response {
        let protocol = self.protocol.unwrap_or(incoming.protocol);
        let written = write(protocol, incoming.manner, &self.reply);
        let mut response = Response::new(Body::from(written.body));
        *response.status_mut() = StatusCode::from_u16(written.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(written.content_type),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if written.allow_origin {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_ORIGIN,
                HeaderValue::from_static("*"),
            );
        }
        if let Some(solver) = self
            .solver
            .and_then(|solver| HeaderValue::from_str(&solver).ok())
        {
            headers.insert(HeaderName::from_static("x-drag-solver-provider"), solver);
        }
        response
    }
}
