//! Which jobs wait for a call, and by which path each is known.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use drag_solver_core::ConfigError;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::endpoint::Endpoint;

/// Jobs that can wait for a call at once. One more is polled and waits for none.
const MAX_WAITING: usize = 65_536;

/// Takes the calls of providers that say that an answer is there (`callbackUrl`, `pingback`), so that it
/// is fetched at once instead of at the next poll. Clones are the same receiver.
///
/// Each job has a path of its own below the public address: 128 random bits, known to its provider alone
/// and forgotten soon after the job has ended, or the call of `solve`. What is sent there is only a *hint*, and its
/// content is not looked at: the solver polls, once a job at most, and believes what that poll says. So a
/// forged call costs one poll, and one to an unknown path costs nothing.
///
/// Solvers that are made with it ([`HttpOptions::callbacks_to`](crate::HttpOptions::callbacks_to), or a
/// registry's `with_callbacks`) ask for calls where their provider's protocol has them, unless
/// [`HttpOptions::callbacks`](crate::HttpOptions::callbacks) says otherwise. The program serves the address:
/// with the axum router of the feature `callback-router`, or with any HTTP server that hands the path of
/// each request to [`receive`](Self::receive) and answers 200.
///
/// ```
/// use drag_solver_http::{CallbackReceiver, HttpOptions};
///
/// let callbacks = CallbackReceiver::new("https://hooks.example.com/drags")?;
/// let options = HttpOptions::default().callbacks_to(&callbacks);
///
/// // In the HTTP server behind https://hooks.example.com/drags, for GET and POST alike:
/// callbacks.receive("/drags/0123456789abcdef0123456789abcdef");
/// # let _ = options;
/// # Ok::<(), drag_solver_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct CallbackReceiver(Arc<Shared>);

struct Shared {
    /// Without a slash at its end.
    url: String,
    random: Box<Random>,
    waiting: Mutex<HashMap<u128, Arc<Call>>>,
}

/// What an address must be that providers can call. The one that is not is not shown: a secret may be in it.
const MUST_BE: &str = "must be the address at which providers reach this program, as in \
    https://hooks.example.com: https (http is for this machine alone), without a user name, a password, a \
    `?` or a `#` in it";

type Random = dyn Fn() -> Option<u128> + Send + Sync;

/// A call that a job waits for.
#[derive(Debug, Default)]
struct Call {
    /// When it came first.
    came: OnceLock<Instant>,
    wake: Notify,
}

impl CallbackReceiver {
    /// Providers reach this program at `public_url`, as in `https://hooks.example.com/drags`: paths are
    /// added to its end. It is https; http is for this machine alone, where tests are.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on `public_url`.
    pub fn new(public_url: &str) -> Result<Self, ConfigError> {
        Self::with_random(public_url, os_random)
    }

    /// With paths out of `random`, for tests.
    #[doc(hidden)]
    pub fn with_random(
        public_url: &str,
        random: impl Fn() -> Option<u128> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        // What a base URL must be, with words about tokens that are not in it.
        let url = Endpoint::parse(public_url);
        let url = url.map_err(|_| ConfigError::new("public_url", MUST_BE))?;
        Ok(Self(Arc::new(Shared {
            url: url.as_str().trim_end_matches('/').to_owned(),
            random: Box::new(random),
            waiting: Mutex::default(),
        })))
    }

    /// The address that it was made with, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.url
    }

    /// `path` was called, the path of a request with or without its query: if a job waits for that, its
    /// solver polls at once. Its last segment alone counts, so it does not matter what a proxy takes away in
    /// front. Never blocks, and does not say whether there is such a job: answer each request alike.
    pub fn receive(&self, path: &str) {
        let call = id_of(path).and_then(|id| self.0.waiting().get(&id).cloned());
        if let Some(call) = call {
            let _ = call.came.set(Instant::now());
            call.wake.notify_one();
        }
    }

    /// A path for one job; `None` if too many wait, or the system has no random numbers.
    pub(crate) fn register(&self) -> Option<Registration> {
        let id = (self.0.random)()?;
        let mut waiting = self.0.waiting();
        if waiting.len() >= MAX_WAITING {
            return None;
        }
        let Entry::Vacant(place) = waiting.entry(id) else {
            return None;
        };
        let call = Arc::clone(place.insert(Arc::default()));
        drop(waiting);
        Some(Registration {
            id,
            call,
            receiver: self.clone(),
        })
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, HashMap<u128, Arc<Call>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The paths are not shown.
impl fmt::Debug for CallbackReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackReceiver")
            .field("public_url", &self.0.url)
            .field("waiting", &self.0.waiting().len())
            .finish()
    }
}

/// The path of one job. Dropping it forgets the path.
pub(crate) struct Registration {
    id: u128,
    call: Arc<Call>,
    receiver: CallbackReceiver,
}

impl Registration {
    /// What the provider is to call.
    pub(crate) fn url(&self) -> String {
        format!("{}/{:032x}", self.receiver.0.url, self.id)
    }

    /// Waits for a call, one that came before included.
    pub(crate) async fn called(&self) {
        self.call.wake.notified().await;
    }

    /// When it was first called.
    pub(crate) fn called_at(&self) -> Option<Instant> {
        self.call.came.get().copied()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.receiver.0.waiting().remove(&self.id);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}

/// What a path ends with, if that can be one of ours.
fn id_of(path: &str) -> Option<u128> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    let is_ours = last.len() == 32 && last.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| u128::from_str_radix(last, 16).ok())?
}

/// From the crypto provider that does TLS.
fn os_random() -> Option<u128> {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).ok()?;
    Some(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn counting() -> CallbackReceiver {
        let next = AtomicU64::new(0);
        let random = move || Some(next.fetch_add(1, Ordering::Relaxed).into());
        CallbackReceiver::with_random("https://my.example/hooks/", random).unwrap()
    }

    fn waiting(receiver: &CallbackReceiver) -> usize {
        receiver.0.waiting().len()
    }

    #[test]
    fn a_path_is_known_for_as_long_as_its_job_waits() {
        let receiver = counting();
        let [one, other] = [0; 2].map(|_| receiver.register().unwrap());
        assert_eq!(
            other.url(),
            "https://my.example/hooks/00000000000000000000000000000001"
        );
        receiver.receive("/hooks/00000000000000000000000000000001?x=/y");
        assert!(other.called_at().is_some() && one.called_at().is_none());
        drop(one);
        assert_eq!(waiting(&receiver), 1);
        receiver.receive("/hooks/00000000000000000000000000000000");
        drop(other);
        assert_eq!(waiting(&receiver), 0);
    }

    #[test]
    fn only_the_last_segment_of_a_path_counts() {
        for path in [
            "000000000000000000000000000000ff",
            "/000000000000000000000000000000fF",
            "https://a.example/b/000000000000000000000000000000ff/",
            "/x/000000000000000000000000000000ff?id=7&code=OK",
        ] {
            assert_eq!(id_of(path), Some(255), "{path}");
        }
        for path in [
            "",
            "/",
            "/ff",
            "/+00000000000000000000000000000ff",
            "/0000000000000000000000000000000ff",
            "/x?/000000000000000000000000000000ff",
            "/00000000000000000000000000000\u{e4}ff",
        ] {
            assert_eq!(id_of(path), None, "{path}");
        }
    }

    #[test]
    fn random_paths_differ_and_paths_are_bounded() {
        let receiver = CallbackReceiver::new("http://127.0.0.1:1").unwrap();
        let many: Vec<_> = std::iter::from_fn(|| receiver.register())
            .take(MAX_WAITING + 1)
            .collect();
        assert_eq!((many.len(), waiting(&receiver)), (MAX_WAITING, MAX_WAITING));
        assert!(many.iter().all(|job| job.id.leading_zeros() < 100));
        drop(many);
        assert_eq!(waiting(&receiver), 0);
        // Two jobs never share a path.
        let stuck = CallbackReceiver::with_random("http://127.0.0.1:1", || Some(7)).unwrap();
        let first = stuck.register();
        assert!(first.is_some() && stuck.register().is_none());
    }

    #[test]
    fn a_public_address_is_https_and_holds_no_secret() {
        for url in [
            "http://hooks.example.com",
            "ftp://hooks.example.com",
            "https://user:hunter2@hooks.example.com",
            "https://hooks.example.com/?key=hunter2",
            "https://hooks.example.com/#hunter2",
            "hooks.example.com",
            "",
        ] {
            let error = CallbackReceiver::new(url).unwrap_err();
            assert_eq!(error.path(), "public_url");
            assert!(error.to_string().contains("must be"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_path() {
        let receiver = counting();
        let job = receiver.register();
        let shown = format!("{receiver:?} {job:?}");
        assert!(!shown.contains("00000"), "{shown}");
    }
}
