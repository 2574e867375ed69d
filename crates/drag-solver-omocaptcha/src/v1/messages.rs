//! What a refusal's message means.
//!
//! The documentation shows one, "Invalid api token.", and no list. So a message is judged by words
//! that can hardly mean anything else, and is always shown.

use drag_solver_core::{ErrorKind, SolveError};
use drag_solver_http::ResponseError;

/// Words, all of which a message has, and the kind of error it then is. The first match counts.
const TABLE: &[(&[&str], ErrorKind)] = &[
    (&["token"], ErrorKind::Unauthorized),
    (&["api key"], ErrorKind::Unauthorized),
    (&["unauthorized"], ErrorKind::Unauthorized),
    (&["account", "banned"], ErrorKind::Unauthorized),
    (&["account", "locked"], ErrorKind::Unauthorized),
    (&["account", "blocked"], ErrorKind::Unauthorized),
    (&["balance"], ErrorKind::InsufficientBalance),
    (&["not enough money"], ErrorKind::InsufficientBalance),
    (&["too many"], ErrorKind::RateLimited),
    (&["rate limit"], ErrorKind::RateLimited),
    (&["overload"], ErrorKind::RateLimited),
    (&["busy"], ErrorKind::RateLimited),
    (&["maintenance"], ErrorKind::Unavailable),
    (&["maintain"], ErrorKind::Unavailable),
    (&["try again"], ErrorKind::Unavailable),
    (&["server error"], ErrorKind::Unavailable),
];

/// The error for a refusal with this message.
pub(super) fn refusal(message: &str) -> ResponseError {
    let message = message.trim();
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().all(|word| lower.contains(word));
    let text = match message {
        "" => "refused without a message".to_owned(),
        message => format!("refused: {message}"),
    };
    match TABLE.iter().find(|(words, _)| has(words)) {
        Some((_, kind)) => ResponseError::Rejected(SolveError::new(*kind, text)),
        None => ResponseError::Unknown(SolveError::new(ErrorKind::Protocol, text)),
    }
}
