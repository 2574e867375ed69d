//! What the protocol's error codes mean. The table is common to the providers that speak it.

use std::time::Duration;

use drag_solver_core::ErrorKind;

use crate::{JobState, ResponseError};

/// What an error code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // all of them are handled where they are used
pub enum Meaning {
    /// The request was refused; the wait is how long to stay away.
    Kind(ErrorKind, Option<Duration>),
    /// The provider tried and gave up.
    GaveUp,
    /// There is no such task: its result has expired, or it is so new that not every server knows it.
    Missing,
    /// Said of a task that is not done yet.
    NotReady,
    /// Not in the table.
    Unknown,
}

/// What a response that reports an error says.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)] // all of them are handled where they are used
pub enum Refusal {
    /// This request is refused.
    Request(ResponseError),
    /// The job that was asked about is in this state.
    Job(JobState),
}

/// For requests that are not about a job.
impl From<Refusal> for ResponseError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Request(error) => error,
            Refusal::Job(JobState::Failed(error) | JobState::Missing(error)) => error.into(),
            Refusal::Job(_) => Self::Unparseable("a job's state, which was not asked for".into()),
        }
    }
}

const NO_WORKER: Option<Duration> = Some(Duration::from_secs(5));
const NO_MONEY: Option<Duration> = Some(Duration::from_secs(60));

/// Code without its `ERROR_`, number, meaning.
const TABLE: &[(&str, u32, Meaning)] = {
    use ErrorKind::{InsufficientBalance, Protocol, RateLimited, Unauthorized, Unsupported};
    use Meaning::{GaveUp, Kind, Missing, NotReady};
    &[
        ("KEY_DOES_NOT_EXIST", 1, Kind(Unauthorized, None)),
        ("IP_NOT_ALLOWED", 11, Kind(Unauthorized, None)),
        ("IP_BLOCKED", 21, Kind(Unauthorized, None)),
        ("ACCOUNT_SUSPENDED", 55, Kind(Unauthorized, None)),
        ("NO_SLOT_AVAILABLE", 2, Kind(RateLimited, NO_WORKER)),
        ("TOO_MUCH_REQUESTS", 0, Kind(RateLimited, NO_WORKER)),
        ("ZERO_BALANCE", 10, Kind(InsufficientBalance, NO_MONEY)),
        ("CAPTCHA_UNSOLVABLE", 12, GaveUp),
        ("BAD_DUPLICATES", 13, GaveUp),
        ("TASK_CANCELED", 57, GaveUp),
        ("JOB_STATUS", 0, GaveUp),
        ("ZERO_CAPTCHA_FILESIZE", 3, Kind(Unsupported, None)),
        ("TOO_BIG_CAPTCHA_FILESIZE", 4, Kind(Unsupported, None)),
        ("IMAGE_TYPE_NOT_SUPPORTED", 15, Kind(Unsupported, None)),
        ("NO_SUCH_METHOD", 14, Kind(Protocol, None)),
        ("TASK_ABSENT", 22, Kind(Protocol, None)),
        ("TASK_NOT_SUPPORTED", 23, Kind(Protocol, None)),
        ("BAD_PARAMETERS", 110, Kind(Protocol, None)),
        ("BAD_IMGINSTRUCTIONS", 115, Kind(Protocol, None)),
        ("NO_SUCH_CAPCHA_ID", 16, Missing),
        ("NO_SUCH_CAPTCHA_ID", 16, Missing), // as some pages of the documentation spell it
        ("WRONG_CAPTCHA_ID", 16, Missing),
        ("CAPCHA_NOT_READY", 0, NotReady), // of the older protocol of the same services
        ("CAPTCHA_NOT_READY", 0, NotReady),
    ]
};

/// What the error with this `errorId` and `errorCode` means. The code counts. Without one the id
/// does, but for 1, which some services send with every error.
#[must_use]
pub fn meaning(id: &str, code: Option<&str>) -> Meaning {
    let row = if let Some(code) = code {
        let code = code.trim().to_ascii_uppercase();
        let name = code.strip_prefix("ERROR_").unwrap_or(&code);
        TABLE.iter().find(|(known, ..)| *known == name)
    } else {
        let id: u32 = id.parse().unwrap_or_default();
        TABLE.iter().find(|(_, known, _)| *known == id && id > 1)
    };
    row.map_or(Meaning::Unknown, |(.., meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_counts_in_every_spelling_and_a_number_only_without_one() {
        for &(name, number, expected) in TABLE {
            for code in [
                name.to_owned(),
                format!("ERROR_{name}"),
                format!(" error_{name} ").to_lowercase(),
            ] {
                assert_eq!(meaning("999", Some(&code)), expected, "{code}");
            }
            if number > 1 {
                assert_eq!(meaning(&number.to_string(), None), expected, "{name}");
            }
        }
        // 1 is sent with every error by some, and 0 by none.
        for id in ["0", "1", "999", "", "-1"] {
            assert_eq!(meaning(id, None), Meaning::Unknown, "{id}");
        }
        assert_eq!(meaning("10", Some("ERROR_NEW")), Meaning::Unknown);
    }
}
