//! Why a provider is polled alone.

use std::fmt;

/// Why a provider is not asked to call when an answer is there.
///
/// ```
/// use drag_solver_http::{HttpOptions, HttpSolver, JobApi, NoCallbacks};
///
/// fn without_public_address(api: impl JobApi) {
///     let takes_them = api.takes_callbacks();
///     let solver = HttpSolver::new(api, HttpOptions::default()).unwrap();
///     let why = solver.callbacks().unwrap_err();
///     assert_eq!(why == NoCallbacks::NoReceiver, takes_them);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoCallbacks {
    /// Its protocol has no such calls.
    NotInProtocol,
    /// [`HttpOptions::callbacks`](crate::HttpOptions::callbacks) is `false`.
    SwitchedOff,
    /// The program has no public address.
    NoReceiver,
}

impl fmt::Display for NoCallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInProtocol => "its protocol has no such calls",
            Self::SwitchedOff => "its `callbacks` is `false`",
            Self::NoReceiver => "there is no public address",
        })
    }
}
