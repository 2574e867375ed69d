//! Carrying one request to the provider and its response back.

use std::error::Error;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{ApiRequest, ApiResponse};

/// Carries one request to the provider and brings its answer back.
///
/// [`ReqwestTransport`](crate::ReqwestTransport) does it over HTTP. Another one is of use in tests, and to programs with an
/// HTTP client of their own.
#[async_trait]
pub trait Transport: Debug + Send + Sync {
    /// Sends `request` once, never twice, and gives up after `limit`.
    ///
    /// Any HTTP status is a response. Redirects are not followed: they are responses, too. Bodies over
    /// [`ApiResponse::MAX_BYTES`] are not read to their end. Dropping the future abandons the
    /// request.
    ///
    /// # Errors
    ///
    /// [`TransportError::not_sent`] only if the provider provably cannot have got the whole request;
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

/// Why there is no response. The text never holds a URL's query or a body.
#[derive(Debug)]
pub struct TransportError {
    pub(crate) delivery: Delivery,
    pub(crate) reason: String,
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "record", serde(rename_all = "snake_case"))]
pub(crate) enum Delivery {
    /// Provably not to the provider.
    NotSent,
    /// To a proxy on the way, which will refuse the next one, too.
    Refused,
    /// Perhaps to the provider.
    Lost,
    /// There and back.
    BadResponse,
}

impl TransportError {
    /// The provider never got the request: the name did not resolve, the connection was refused, the
    /// TLS handshake failed.
    pub fn not_sent(reason: impl Into<String>) -> Self {
        Self::new(Delivery::NotSent, reason)
    }

    /// The provider may have got the request: the connection broke or the time was up after sending
    /// began.
    pub fn lost(reason: impl Into<String>) -> Self {
        Self::new(Delivery::Lost, reason)
    }

    /// A response came, and it is one that no provider gives: far too large, say.
    pub fn bad_response(reason: impl Into<String>) -> Self {
        Self::new(Delivery::BadResponse, reason)
    }

    pub(crate) fn new(delivery: Delivery, reason: impl Into<String>) -> Self {
        Self {
            delivery,
            reason: reason.into(),
            source: None,
        }
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(error.into());
        self
    }
}
