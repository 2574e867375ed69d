//! The HTTP clients of a transport.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use tokio::runtime::{Handle, Id};

use super::TransportError;

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
