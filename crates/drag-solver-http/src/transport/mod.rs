//! Carrying one request to the provider and its answer back.

mod endpoint;
mod http;
mod tracked;

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::http::{ReqwestTransport, ReqwestTransportBuilder};
use crate::{ApiRequest, ApiResponse};

/// Carries one request to the provider and brings its answer back.
///
/// [`ReqwestTransport`] does it over HTTP. Another one is of use in tests, and to programs with an
/// HTTP client of their own.
#[async_trait]
pub trait Transport: Debug + Send + Sync {
    /// Sends `request` once, never twice, and gives up after `limit`.
    ///
    /// Any HTTP status is an answer. Redirects are not followed: they are answers, too. Bodies over
    /// [`ApiResponse::MAX_BYTES`] are not read to their end. Dropping the future abandons the
    /// request.
    ///
    /// # Errors
    ///
    /// [`TransportError::NotSent`] only if the provider provably cannot have got the whole request;
    /// a job is bought again on the strength of it.
    async fn send(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<ApiResponse, TransportError>;
}

macro_rules! forward {
    ($($wrapper:ty),+) => {$(
        #[async_trait]
        impl<T: Transport + ?Sized> Transport for $wrapper {
            async fn send(
                &self,
                request: ApiRequest,
                limit: Duration,
            ) -> Result<ApiResponse, TransportError> {
                (**self).send(request, limit).await
            }
        }
    )+};
}

forward!(Box<T>, Arc<T>);

/// Why there is no answer. The text never holds a URL's query or a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The provider never got the request: the name did not resolve, the connection was refused, the
    /// TLS handshake failed.
    #[error("{reason}")]
    NotSent {
        /// What happened.
        reason: String,
        /// The error underneath.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The provider may have got the request: the connection broke or the time was up after sending
    /// began.
    #[error("{reason}")]
    Lost {
        /// What happened.
        reason: String,
        /// The error underneath.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// An answer came, and it is one that no provider gives: far too large, say.
    #[error("{reason}")]
    BadAnswer {
        /// What is wrong with it.
        reason: String,
    },
}

impl TransportError {
    /// The provider never got the request.
    pub fn not_sent(reason: impl Into<String>) -> Self {
        Self::NotSent {
            reason: reason.into(),
            source: None,
        }
    }

    /// The provider may have got the request.
    pub fn lost(reason: impl Into<String>) -> Self {
        Self::Lost {
            reason: reason.into(),
            source: None,
        }
    }

    /// The answer is one that no provider gives.
    pub fn bad_answer(reason: impl Into<String>) -> Self {
        Self::BadAnswer {
            reason: reason.into(),
        }
    }

    /// Adds the error underneath. A bad answer has none.
    #[must_use]
    pub fn with_source(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match &mut self {
            Self::NotSent { source, .. } | Self::Lost { source, .. } => {
                *source = Some(error.into());
            }
            Self::BadAnswer { .. } => {}
        }
        self
    }
}
