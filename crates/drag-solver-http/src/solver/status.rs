//! What an answer means that is not the provider's own.

use drag_solver_core::{Charge, ErrorKind, SolveError};

use crate::{AnswerError, ApiResponse};

/// Turns the verdict on an answer into an error, with the answer's `Retry-After`.
///
/// A refusal in the provider's own words stands as it is, but for two: words that nobody explains, and
/// "out of order" with a status that comes after work was done, too. An unreadable answer comes from
/// something in front of the provider (a proxy, a load balancer, a wrong host). All these are judged
/// by the status.
pub(super) fn judge(path: &str, answer: &ApiResponse, error: AnswerError) -> SolveError {
    let error = match error {
        AnswerError::Refused(error) if error.kind() == ErrorKind::Unavailable => {
            let charge = if answer.status() < 300 {
                Charge::No
            } else {
                meaning(answer.status()).1
            };
            error.with_charge(charge)
        }
        AnswerError::Refused(error) => error,
        AnswerError::Unexplained(error) if answer.status() < 300 => error,
        AnswerError::Unexplained(error) => {
            let (kind, charge, _) = meaning(answer.status());
            error.with_kind(kind).with_charge(charge)
        }
        AnswerError::Unreadable(what) => {
            let status = answer.status();
            let (kind, charge, hint) = meaning(status);
            let redirect = match answer.location() {
                Some(target) if (300..400).contains(&status) => {
                    format!(
                        "; it redirects to `{target}`, which is not followed: set the base URL to where the provider is"
                    )
                }
                _ => String::new(),
            };
            SolveError::new(
                kind,
                format!("{path}: HTTP {status}{hint}, with {what}{redirect}"),
            )
            .with_charge(charge)
        }
    };
    match (answer.retry_after(), error.retry_after()) {
        (Some(header), own) => error.with_retry_after(own.unwrap_or_default().max(header)),
        (None, _) => error,
    }
}

/// What a status alone says of a request that might have bought a job: the kind of error, whether a
/// job may exist, and a hint for people.
///
/// A job cannot exist when the status by its definition (RFC 9110) says that the request was not
/// carried out: every 4xx, 503 ("unable to handle the request due to overload or maintenance"), the
/// redirects 301, 307 and 308 ("send it there instead"), and those of Cloudflare's codes that say
/// that the provider was not connected to (521, 523, 525, 526). All else may come after the request
/// was passed on: 500, 502, 504, the redirects 302 and 303 that frameworks send after work is done,
/// and success without a readable word.
fn meaning(status: u16) -> (ErrorKind, Charge, &'static str) {
    use Charge::{No, Unknown};
    use ErrorKind::{
        InsufficientBalance, Protocol, RateLimited, Unauthorized, Unavailable, Unsupported,
    };
    match status {
        301 | 307 | 308 => (Protocol, No, " (redirect)"),
        300..400 => (Protocol, Unknown, " (redirect)"),
        401 | 403 => (Unauthorized, No, " (token or address refused)"),
        402 => (InsufficientBalance, No, " (payment required)"),
        404 | 405 | 410 => (Protocol, No, " (nothing there: is the base URL right?)"),
        408 => (Unavailable, No, " (the request came too slowly)"),
        413 => (
            Unsupported,
            No,
            " (the picture is too large for the provider: send a smaller one)",
        ),
        425 => (Unavailable, No, ""),
        429 => (RateLimited, No, " (too many requests)"),
        400..500 => (Protocol, No, ""),
        503 => (Unavailable, No, " (out of order or overloaded)"),
        521 | 523 | 525 | 526 => (Unavailable, No, " (the provider is down)"),
        500..600 => (Unavailable, Unknown, ""),
        _ => (Protocol, Unknown, ""),
    }
}
