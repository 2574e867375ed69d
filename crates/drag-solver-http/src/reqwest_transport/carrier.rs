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
