//! One POST to an address of a client's own.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use drag_solver::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, header, redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt;

use super::address::is_public;
use super::target::Target;
use crate::policy::GatewayPolicy;

/// How long one try may take in all.
pub(super) const TRY: Duration = Duration::from_secs(10);

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(5);

/// What is sent, and where to. `Debug` shows the host alone: the address may hold secrets of the client.
#[derive(Clone)]
pub struct Callback {
    pub(super) target: Target,
    pub(super) sent: drag_solver_wire::Callback,
}

impl Callback {
    /// The address as the client gave it, without a fragment. It may hold secrets.
    #[must_use]
    pub fn url(&self) -> &str {
        self.target.url().as_str()
    }

    /// What the body is.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.sent.content_type
    }

    /// The body of the POST.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.sent.body
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("host", &self.target)
            .finish_non_exhaustive()
    }
}

/// Sends callbacks: one POST for each call.
#[async_trait]
pub trait CallbackSender: fmt::Debug + Send + Sync + 'static {
    /// Sends it once, and says with which status it was answered, or why it was not. What it says is logged, and so it
    /// must not repeat the address. Dropping the future abandons the request.
    async fn send(&self, callback: &Callback) -> Result<u16, String>;
}

/// Sends over the network: to public addresses alone, directly, and without following redirects.
#[derive(Debug)]
pub(super) struct HttpSender {
    client: Client,
}

impl HttpSender {
    pub(super) fn new(policy: &GatewayPolicy) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| format!("cannot load the system's certificates: {error}"))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls.with_no_client_auth())
            .user_agent(concat!("drag-solver/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Guarded {
                private: policy.callback_private_addresses,
            }))
            .https_only(!policy.callback_plain_http)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(TRY)
            // A connection that is kept open would be trusted for longer than what its name resolved to.
            .pool_max_idle_per_host(0)
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .build();
        Ok(Self {
            client: client.map_err(|error| error.to_string())?,
        })
    }
}

#[async_trait]
impl CallbackSender for HttpSender {
    async fn send(&self, callback: &Callback) -> Result<u16, String> {
        let request = self
            .client
            .post(callback.target.url().clone())
            .header(header::CONTENT_TYPE, callback.content_type())
            .body(callback.sent.body.clone());
        // The body of the response says nothing and is not read.
        match request.send().await {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error) => Err(reason(&error.without_url())),
        }
    }
}

/// An error with what caused it.
fn reason(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let causes = causes.map(ToString::to_string);
    let parts: Vec<_> = std::iter::once(error.to_string()).chain(causes).collect();
    parts.join(": ")
}

/// Resolves names, and leaves out every address that may not be called. The connection is made to what is left, and so
/// a name that resolves differently a moment later changes nothing.
struct Guarded {
    private: bool,
}

impl Guarded {
    fn allowed(&self, found: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        let allowed: Vec<_> = found
            .filter(|address| self.private || is_public(address.ip()))
            .collect();
        if allowed.is_empty() {
            return Err(io::Error::other(
                "the host has no address on the public internet",
            ));
        }
        Ok(allowed)
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guarded = Self {
            private: self.private,
        };
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = guarded.allowed(found)?;
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn of_what_a_name_resolves_to_only_public_addresses_are_called() {
        let guarded = Guarded { private: false };
        let mixed = addresses(&["127.0.0.1:0", "8.8.8.8:0", "[fd00::1]:0"]);
        let allowed = guarded.allowed(mixed.into_iter()).unwrap();
        assert_eq!(allowed, addresses(&["8.8.8.8:0"]));
        let private = addresses(&["169.254.169.254:0", "[::ffff:10.0.0.1]:0"]);
        assert!(guarded.allowed(private.into_iter()).is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let policy = GatewayPolicy::default()
            .callback_plain_http(true)
            .callback_hosts(["localhost".parse().unwrap()]);
        let callback = Callback {
            target: Target::of(&format!("http://localhost:{port}/s3cret"), &policy).unwrap(),
            sent: drag_solver_wire::callback(
                drag_solver_wire::Protocol::InPhp,
                "7",
                Err(drag_solver_wire::Refusal::Unsolvable),
            ),
        };
        let why = HttpSender::new(&policy).unwrap().send(&callback).await;
        let why = why.unwrap_err();
        assert!(why.contains("public internet"), "{why}");
        assert!(!why.contains("s3cret"), "{why}");
    }
}
