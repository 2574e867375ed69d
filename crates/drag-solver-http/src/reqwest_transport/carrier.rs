//! What a builder was told to send with.

use std::fmt;
use std::sync::Arc;

use drag_solver_core::ConfigError;
use reqwest::Client;

use super::transport::ReqwestTransport;
use crate::{HttpOptions, Transport};

/// What carries the requests of a solver that is being made.
#[derive(Default)]
pub enum Carrier {
    /// An HTTP client of our own, or what the context has in its place.
    #[default]
    Http,
    /// An HTTP client of the caller's own.
    Client(Client),
    /// No HTTP at all.
    Transport(Box<dyn Transport>),
}

impl Carrier {
    pub(crate) fn transport(
        self,
        options: &HttpOptions,
    ) -> Result<Box<dyn Transport>, ConfigError> {
        Ok(match self {
            Self::Http => match &options.transport {
                Some(transport) => Box::new(Arc::clone(transport)),
                None => Box::new(ReqwestTransport::new(options)?),
            },
            Self::Client(client) => Box::new(ReqwestTransport::with_client(options, client)?),
            Self::Transport(transport) => transport,
        })
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http => f.write_str("Http"),
            // A client's own Debug shows its default headers, which may be secret.
            Self::Client(_) => f.write_str("Client"),
            Self::Transport(transport) => transport.fmt(f),
        }
    }
}

/// Writes the setters of a [`Carrier`] into the `impl` of a builder that holds it in the field `carrier`:
/// `carrier_setters!(carrier);`.
#[doc(hidden)]
#[macro_export]
macro_rules! carrier_setters {
    ($carrier:ident) => {
        /// Uses a client of the caller's own. What then is up to the caller is said at
        /// `ReqwestTransport::with_client`.
        #[must_use]
        pub fn client(mut self, client: $crate::reqwest::Client) -> Self {
            self.$carrier = $crate::Carrier::Client(client);
            self
        }

        /// Sends through `transport` instead of over HTTP. Base URL, proxy and connect timeout are then
        /// not used.
        #[must_use]
        pub fn transport(mut self, transport: impl $crate::Transport + 'static) -> Self {
            self.$carrier = $crate::Carrier::Transport(Box::new(transport));
            self
        }
    };
}
