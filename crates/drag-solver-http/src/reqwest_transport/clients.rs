//! The HTTP clients of a transport.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drag_solver_core::ConfigError;
use reqwest::header::HeaderValue;
use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::runtime::{Handle, Id};

use crate::endpoint::Endpoint;
use crate::proxy::{self, ProxyName};
use crate::{HttpOptions, TransportError};

const USER_AGENT: &str = concat!("drag-solver/", env!("CARGO_PKG_VERSION"));

/// How long connecting may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many headers an answer may have.
const MAX_HEADERS: usize = 512;

/// How long an unused connection is kept for requests that may be repeated: less than most servers
/// keep theirs (5 s and more).
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The same for purchases. One that is written to a connection which the server is closing at that
/// moment leaves it unknown whether a job was bought, and some servers close theirs after 2 s.
const IDLE_BEFORE_PURCHASE: Duration = Duration::from_secs(1);

/// Clients are kept for this many runtimes, of those that were used last: servers have one for each
/// core, test suites one for each test.
const MOST_RUNTIMES: usize = 64;

/// The clients of one transport: for each tokio runtime a pair, because the connections of a client end
/// with the runtime that opened them.
pub(super) struct Clients {
    builder: Box<dyn Fn() -> ClientBuilder + Send + Sync>,
    /// The first pair is made before there is a runtime that it belongs to.
    pairs: Mutex<Vec<(Option<Id>, Pair)>>,
}

/// Two clients that differ in how long they keep a connection.
#[derive(Clone)]
struct Pair {
    buying: Client,
    asking: Client,
}

impl Clients {
    /// Clients that are made with `builder`, which is tried once.
    pub(super) fn new(
        builder: impl Fn() -> ClientBuilder + Send + Sync + 'static,
    ) -> reqwest::Result<Self> {
        let first = Pair::new(&builder)?;
        Ok(Self {
            builder: Box::new(builder),
            pairs: Mutex::new(vec![(None, first)]),
        })
    }

    /// The client for a request on the runtime that polls it.
    ///
    /// # Errors
    ///
    /// If that is none of tokio's, or a client cannot be made: nothing was sent.
    pub(super) fn get(&self, is_purchase: bool) -> Result<Client, TransportError> {
        let not_sent = TransportError::not_sent;
        let runtime = Handle::try_current().map_err(|error| not_sent(error.to_string()))?;
        let runtime = runtime.id();
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let is_its_own = |id: &Option<Id>| id.is_none_or(|id| id == runtime);
        let known = pairs.iter().position(|(id, _)| is_its_own(id));
        let pair = match known {
            Some(at) => pairs.remove(at).1,
            None => Pair::new(&self.builder).map_err(|error| not_sent(error.to_string()))?,
        };
        let client = if is_purchase {
            &pair.buying
        } else {
            &pair.asking
        };
        let client = client.clone();
        if pairs.len() == MOST_RUNTIMES {
            pairs.remove(0);
        }
        // The one that was used last is the last one.
        pairs.push((Some(runtime), pair));
        Ok(client)
    }
}

impl Pair {
    fn new(builder: impl Fn() -> ClientBuilder) -> reqwest::Result<Self> {
        let client = |idle| builder().pool_idle_timeout(idle).build();
        Ok(Self {
            buying: client(IDLE_BEFORE_PURCHASE)?,
            asking: client(IDLE_TIMEOUT)?,
        })
    }
}

/// The clients for requests to this endpoint, and the proxy that they go through.
pub(super) fn clients(
    endpoint: &Endpoint,
    options: &HttpOptions,
) -> Result<(Clients, Option<ProxyName>), ConfigError> {
    let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
    if connect_timeout.is_zero() {
        let problem = "must be more than zero";
        return Err(ConfigError::new("connect_timeout", problem));
    }
    let user_agent = options.user_agent.as_deref().unwrap_or(USER_AGENT);
    let Ok(user_agent) = HeaderValue::from_str(user_agent) else {
        let problem = "has characters that a header cannot have";
        return Err(ConfigError::new("user_agent", problem));
    };
    let set = options
        .proxy
        .as_ref()
        .map(proxy::from_setting)
        .transpose()?;
    let proxy = match set {
        _ if endpoint.is_loopback() => None,
        Some(proxy) => Some(proxy),
        None => proxy::from_environment(endpoint, |name| std::env::var_os(name))?,
    };
    let (proxy, proxy_name) = proxy.unzip();
    let (tls, is_https) = (tls(endpoint)?, endpoint.is_https());
    let builder = move || {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .user_agent(user_agent.clone())
            .connect_timeout(connect_timeout)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .https_only(is_https)
            .no_proxy()
            // What other clients read, too.
            .http1_max_headers(MAX_HEADERS)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            // Off in our build; another crate's features could switch them on.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd();
        match &proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    };
    let clients = Clients::new(builder).map_err(|error| {
        ConfigError::new("client", format!("the HTTP client cannot be made: {error}"))
    })?;
    Ok((clients, proxy_name))
}

/// TLS with the operating system's certificates. A plain http endpoint trusts no certificate, so that it
/// works on a machine without any.
fn tls(endpoint: &Endpoint) -> Result<rustls::ClientConfig, ConfigError> {
    let refuse = |error: rustls::Error| {
        ConfigError::new(
            "tls",
            format!("cannot load the system's certificates: {error}"),
        )
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refuse)?;
    let builder = if endpoint.is_https() {
        builder.with_platform_verifier().map_err(refuse)?
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty())
    };
    Ok(builder.with_no_client_auth())
}
