//! Jobs that were paid for and can be asked about again.

use std::fmt;

/// Longest id accepted, in bytes. The longest known is a UUID of 36.
const MAX_LENGTH: usize = 200;

/// A provider's name for one paid job, kept as text: some use numbers above 2^53, some UUIDs.
///
/// ```
/// use drag_solver_core::JobId;
///
/// assert_eq!(JobId::new("123456")?.as_str(), "123456");
/// assert!(JobId::new("12 34").is_err());
/// # Ok::<(), drag_solver_core::InvalidJobId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct JobId(Box<str>);

impl JobId {
    /// Takes an id as the provider wrote it: 1 to 200 visible ASCII characters.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidJobId> {
        let id = id.into();
        if id.is_empty() || id.len() > MAX_LENGTH || !id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidJobId { length: id.len() });
        }
        Ok(Self(id.into_boxed_str()))
    }

    /// The id as the provider wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u64> for JobId {
    fn from(id: u64) -> Self {
        Self(id.to_string().into_boxed_str())
    }
}

impl TryFrom<String> for JobId {
    type Error = InvalidJobId;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::new(id)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An id that no provider would give: empty, over 200 bytes, or with invisible characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidJobId {
    length: usize,
}

impl fmt::Display for InvalidJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.length;
        write!(
            f,
            "a job id must be 1 to {MAX_LENGTH} visible ASCII characters, and this one of {length} bytes is not"
        )
    }
}

impl std::error::Error for InvalidJobId {}

/// A job that was, or will be, paid for: whose it is, and its id.
///
/// It comes from [`SolveError::unfinished_jobs`](crate::SolveError::unfinished_jobs) and goes into
/// [`DragChallenge::resume_job`](crate::DragChallenge::resume_job). With the feature `serde` it
/// serialises, so that a program can be restarted in between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PaidJob {
    /// Name of the solver that bought it.
    pub solver: String,
    /// The provider's id for it.
    pub id: JobId,
}

impl PaidJob {
    /// The job `id` of the solver called `solver`.
    pub fn new(solver: impl Into<String>, id: JobId) -> Self {
        Self {
            solver: solver.into(),
            id,
        }
    }
}

impl fmt::Display for PaidJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} job {}", self.solver, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_visible() {
        for good in ["1", "72345678901", "49f9f60a-c809-4af0-93c0-0409b72e67e0"] {
            assert_eq!(JobId::new(good).unwrap().to_string(), good);
        }
        for bad in ["", "a b", "a\u{1b}[0m", "é", &"9".repeat(201)] {
            assert!(JobId::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(JobId::from(u64::MAX).as_str(), "18446744073709551615");
    }

    #[test]
    fn a_job_survives_a_restart_as_json() {
        let job = PaidJob::new("omocaptcha", JobId::new("123456").unwrap());
        let json = serde_json::to_string(&job).unwrap();
        assert_eq!(json, r#"{"solver":"omocaptcha","id":"123456"}"#);
        assert_eq!(serde_json::from_str::<PaidJob>(&json).unwrap(), job);
        assert!(serde_json::from_str::<JobId>(r#""a b""#).is_err());
    }
}
