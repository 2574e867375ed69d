//! Who does the cryptography.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// ring, also if the process has installed another: the solvers' HTTP client has it, too.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
