//! What can be set.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, human_duration, setters};
use drag_solver_wire::Refusal;
use serde::{Deserialize, Serialize};

use crate::callback_host::CallbackHost;

/// How a gateway treats its clients.
///
/// ```
/// use drag_solver_gateway::GatewayPolicy;
///
/// let from_file: GatewayPolicy = serde_json::from_str(r#"{"hold": "9s", "same_create_within": "60s"}"#)?;
/// assert_eq!(from_file, GatewayPolicy::default());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GatewayPolicy {
    /// How long a question for an answer that is not there yet is held. Default: 9 s, less than the shortest time that a
    /// published client waits for a response (10 s), and long enough that those who ask every 10 s seldom get an
    /// answer later than from a service that holds nothing: only that of a job of 9 to 10 s. Those who give up after 5 s of silence are kept awake with blanks
    /// before the JSON; where the answer is a text, they are held for 4 s.
    #[serde(with = "human_duration")]
    pub hold: Duration,
    /// How long the same picture with the same key, and the same about it, is the same job: a client whose response was
    /// lost sends it again. Default: 60 s. With zero, each is a job of its own.
    #[serde(with = "human_duration")]
    pub same_create_within: Duration,
    /// How long a job may take that the chain gives no deadline. Default: 3 min.
    #[serde(with = "human_duration")]
    pub deadline: Duration,
    /// Jobs that are worked on at once; others wait for their turn on record. Default: 256.
    pub workers: u32,
    /// Jobs that are not ended, of all keys together: one more is refused as "no slot". Default: 50,000.
    pub open_jobs: u32,
    /// The same for one key that has no limit of its own. Default: 10,000.
    pub open_jobs_per_key: u32,
    /// The largest body that is read, in bytes. Default: 10 MiB.
    pub max_body: usize,
    /// Whether an answer in `res.php` begins with `coordinate:`, as 2Captcha's documents have it, and not with
    /// `coordinates:`, as the service sends it. Default: no.
    pub singular_prefix: bool,
    /// How long jobs may go on when the gateway is told to stop; what is left is on record for the next one.
    /// Default: 20 s.
    #[serde(with = "human_duration")]
    pub drain: Duration,
    /// Hosts that an answer may be sent to (`pingback`, `callbackUrl`), with the feature `callbacks`. Default: none, and
    /// jobs that want it are refused.
    pub callback_hosts: Vec<CallbackHost>,
    /// Whether they may be called without TLS, so that everyone on the way can read the answer. Default: no.
    pub callback_plain_http: bool,
    /// Whether they may be on this machine or in a private network: then everyone with a key can send requests to what
    /// listens there under one of these names. Default: no.
    pub callback_private_addresses: bool,
}

impl Default for GatewayPolicy {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(9),
            same_create_within: Duration::from_secs(60),
            deadline: Duration::from_secs(180),
            workers: 256,
            open_jobs: 50_000,
            open_jobs_per_key: 10_000,
            max_body: 10 << 20,
            singular_prefix: false,
            drain: Duration::from_secs(20),
            callback_hosts: Vec::new(),
            callback_plain_http: false,
            callback_private_addresses: false,
        }
    }
}

impl GatewayPolicy {
    setters! {
        hold: Duration,
        same_create_within: Duration,
        deadline: Duration,
        workers: u32,
        open_jobs: u32,
        open_jobs_per_key: u32,
        max_body: usize,
        singular_prefix: bool,
        drain: Duration,
        callback_plain_http: bool,
        callback_private_addresses: bool,
    }

    /// Sets [`callback_hosts`](Self::callback_hosts).
    #[must_use]
    pub fn callback_hosts(mut self, hosts: impl IntoIterator<Item = CallbackHost>) -> Self {
        self.callback_hosts = hosts.into_iter().collect();
        self
    }
}

impl CheckSettings for GatewayPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let zero = [
            ("deadline", self.deadline.is_zero()),
            ("workers", self.workers == 0),
            ("open_jobs", self.open_jobs == 0),
            ("open_jobs_per_key", self.open_jobs_per_key == 0),
        ];
        if let Some((key, _)) = zero.iter().find(|(_, is_zero)| *is_zero) {
            return Err(ConfigError::new(
                *key,
                "must be more than zero, or no job could be answered",
            ));
        }
        if self.max_body < MIN_BODY {
            let problem = format!("must be at least {MIN_BODY} bytes, for a picture to fit in");
            return Err(ConfigError::new("max_body", problem));
        }
        Ok(())
    }
}

/// The least that [`GatewayPolicy::max_body`] may be, in bytes.
const MIN_BODY: usize = 1024;

/// Why a job that wants a callback is refused while there are none.
pub(crate) fn no_callbacks() -> Refusal {
    let why = "callbacks are switched off here: leave pingback or callbackUrl out, and ask for the result";
    Refusal::BadCallback(why.to_owned())
}
