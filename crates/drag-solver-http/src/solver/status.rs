//! What a response means that is not the provider's own.

use drag_solver_core::{Billed, ErrorKind, SolveError};
use secrecy::SecretString;

use crate::redact::redact;
use crate::{ApiResponse, ResponseError};

/// Turns the verdict on the response from `path` into an error, with the response's `Retry-After`.
///
/// A refusal in the provider's own words stands as it is, but for two: words that are not documented,
/// and "out of order" with a status that comes after work was done, too. An unparseable response comes
/// from something in front of the provider (a proxy, a load balancer, a wrong host). All these are judged
/// by the status.
pub(super) fn judge(
    path: &str,
    response: &ApiResponse,
    error: ResponseError,
    secrets: &[&SecretString],
) -> SolveError {
    let status = response.status();
    let (kind, billed, hint) = meaning(status);
    let error = match error {
        ResponseError::Rejected(error) if error.kind() == ErrorKind::Unavailable => {
            let billed = if status < 300 { Billed::No } else { billed };
            // What is said to be billed is billed.
            let own = error.billed();
            error.with_billed(own.max(billed))
        }
        ResponseError::Unknown(error) if status >= 300 => error.with_kind(kind).with_billed(billed),
        ResponseError::Rejected(error) | ResponseError::Unknown(error) => error,
        ResponseError::Unparseable(what) => {
            let excerpt = response.excerpt(secrets);
            let excerpt = excerpt
                .map(|text| format!(": `{text}`"))
                .unwrap_or_default();
            let target = response.location().filter(|_| (300..400).contains(&status));
            let redirect = target.map(|target| {
                format!(
                    "; it redirects to `{}`, which is not followed: set the base URL to where the \
                     provider is",
                    redact(target, secrets)
                )
            });
            let redirect = redirect.unwrap_or_default();
            let message = format!("{path}: HTTP {status}{hint}, with {what}{excerpt}{redirect}");
            SolveError::new(kind, message).with_billed(billed)
        }
    };
    match response.retry_after() {
        Some(header) => {
            let own = error.retry_after().unwrap_or_default();
            error.with_retry_after(own.max(header))
        }
        None => error,
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
fn meaning(status: u16) -> (ErrorKind, Billed, &'static str) {
    use Billed::{Maybe, No};
    use ErrorKind::{
        InsufficientBalance, Protocol, RateLimited, Unauthorized, Unavailable, Unsupported,
    };
    match status {
        301 | 307 | 308 => (Protocol, No, " (redirect)"),
        300..400 => (Protocol, Maybe, " (redirect)"),
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
        500..600 => (Unavailable, Maybe, ""),
        _ => (Protocol, Maybe, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Billed::{Maybe, No};
    use ErrorKind::{
        InsufficientBalance, Protocol, RateLimited, Unauthorized, Unavailable, Unsupported,
    };

    #[test]
    fn each_status_says_whether_a_job_may_exist() {
        let table: [(&[u16], ErrorKind, Billed, &str); 13] = [
            (&[301, 307, 308], Protocol, No, "redirect"),
            (&[300, 302, 303], Protocol, Maybe, "redirect"),
            (&[401, 403], Unauthorized, No, "refused"),
            (&[402], InsufficientBalance, No, "payment"),
            (&[404, 405, 410], Protocol, No, "is the base URL right?"),
            (&[408], Unavailable, No, "too slowly"),
            (&[413], Unsupported, No, "too large"),
            (&[425], Unavailable, No, ""),
            (&[429], RateLimited, No, "too many"),
            (&[400, 409, 418, 422, 499], Protocol, No, ""),
            (&[503, 521, 523, 525, 526], Unavailable, No, "("),
            (&[500, 502, 504, 520, 522, 599], Unavailable, Maybe, ""),
            (&[200, 204, 299, 600, 999, 0], Protocol, Maybe, ""),
        ];
        for (statuses, kind, billed, hint) in table {
            for &status in statuses {
                let (told, money, words) = meaning(status);
                assert_eq!((told, money), (kind, billed), "{status}");
                assert!(words.contains(hint), "{status}: {words}");
            }
        }
    }

    fn judged(status: u16, error: ResponseError) -> (ErrorKind, Billed) {
        let error = judge("create", &ApiResponse::new(status, "{}"), error, &[]);
        (error.kind(), error.billed())
    }

    #[test]
    fn out_of_order_is_free_unless_it_may_have_come_after_the_work() {
        let down = || SolveError::new(Unavailable, "maintenance").into();
        for (status, billed) in [(200, No), (299, No), (300, Maybe), (500, Maybe), (503, No)] {
            assert_eq!(judged(status, down()), (Unavailable, billed), "{status}");
        }
        let paid = || {
            SolveError::new(Unavailable, "a crash")
                .with_billed(Billed::Yes)
                .into()
        };
        for status in [200, 500, 503] {
            assert_eq!(judged(status, paid()), (Unavailable, Billed::Yes));
        }
        // Every other refusal that is explained stands as it is.
        let refused = SolveError::new(Unauthorized, "bad key").into();
        assert_eq!(judged(500, refused), (Unauthorized, No));
    }

    #[test]
    fn what_is_not_explained_is_judged_by_the_status() {
        let odd = || ResponseError::Unknown(SolveError::new(Protocol, "ERROR_NEW"));
        for (status, kind, billed) in [
            (200, Protocol, No),
            (299, Protocol, No),
            (302, Protocol, Maybe),
            (429, RateLimited, No),
            (500, Unavailable, Maybe),
        ] {
            assert_eq!(judged(status, odd()), (kind, billed), "{status}");
        }
    }
}
