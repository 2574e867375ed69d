//! What can go wrong, and what it means for money and for the next step.

mod attempt;
mod kind;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

pub use self::attempt::Attempt;
pub use self::kind::{Charge, ErrorKind, Recovery};
use crate::text::printable;
use crate::{JobId, PaidJob, ScreenshotError};

/// Why a challenge was not solved.
///
/// It answers two questions without anybody parsing text: what may be tried next
/// ([`recovery`](Self::recovery)), and was money spent ([`charge`](Self::charge)).
///
/// `Display` is one line, never repeats the [source](Error::source), and has had control characters
/// removed. No token is ever in it.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{Charge, ErrorKind, Recovery, SolveError};
///
/// let error = SolveError::new(ErrorKind::RateLimited, "no worker is free")
///     .with_provider("example")
///     .with_retry_after(Duration::from_secs(5));
/// assert_eq!(error.recovery(), Recovery::Retry);
/// assert_eq!(error.charge(), Charge::No);
/// assert_eq!(
///     error.to_string(),
///     "example: no worker is free (rate_limited; retry after 5s)"
/// );
/// ```
pub struct SolveError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    provider: Option<String>,
    message: String,
    charge: Charge,
    retry_after: Option<Duration>,
    job: Option<JobId>,
    attempts: Vec<Attempt>,
    recovery: Recovery,
    exhausted: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SolveError {
    /// An error of this kind that cost nothing, until told otherwise. Control characters in
    /// `message` become spaces, and it is cut at 500 characters.
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self(Box::new(Inner {
            kind,
            provider: None,
            message: printable(message.as_ref()),
            charge: Charge::No,
            retry_after: None,
            job: None,
            attempts: Vec::new(),
            recovery: kind.recovery(),
            exhausted: false,
            source: None,
        }))
    }

    /// A chain that ran out: `attempts` in order, and the `last` error, which becomes the source.
    ///
    /// Its recovery is the mildest and its charge the worst of `errors`' parts, so pass every error
    /// the chain met, in order. A retry is due when the first of those that may be retried says so.
    ///
    /// With no errors at all there was nobody to ask, and the result says so.
    #[must_use]
    pub fn all_failed(errors: Vec<(SolveError, Duration)>) -> Self {
        let mut all = Self::new(ErrorKind::AllFailed, "");
        all.0.recovery = Recovery::Switch;
        let retryable = || {
            errors
                .iter()
                .map(|(error, _)| error)
                .filter(|error| error.recovery() == Recovery::Retry)
        };
        if retryable().next().is_some() {
            all.0.recovery = Recovery::Retry;
            all.0.retry_after = retryable()
                .map(|error| error.retry_after().unwrap_or_default())
                .min()
                .filter(|wait| !wait.is_zero());
        }
        all.0.exhausted = !errors.is_empty() && errors.iter().all(|(error, _)| error.0.exhausted);
        let mut last = None;
        for (error, elapsed) in errors {
            all.0.charge = all.0.charge.max(error.charge());
            all.0.attempts.extend(error.history(elapsed));
            last = Some(error);
        }
        all.0.message = printable(&summary(&all.0.attempts));
        all.0.source = last.map(Into::into);
        all
    }

    /// Names the solver it comes from.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.0.provider = Some(provider.into());
        self
    }

    /// Says whether money was spent.
    #[must_use]
    pub fn with_charge(mut self, charge: Charge) -> Self {
        self.0.charge = charge;
        self
    }

    /// Says how long to wait, from now, before asking again.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Names the job that was paid for and is not finished, so that it can be
    /// [resumed](crate::DragChallenge::resuming).
    #[must_use]
    pub fn with_job(mut self, job: JobId) -> Self {
        self.0.job = Some(job);
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Replaces the kind, and with it the recovery; keeps everything else.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self.0.recovery = kind.recovery();
        self
    }

    /// Replaces the words, with the same care as in [`new`](Self::new); keeps everything else.
    #[must_use]
    pub fn with_message(mut self, message: impl AsRef<str>) -> Self {
        self.0.message = printable(message.as_ref());
        self
    }

    /// Replaces the history: every attempt behind this error, this error's own included, in order.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Marks that a retry gave up on it, so that an outer retry does not start over:
    /// [`recovery`](Self::recovery) is no longer `Retry`.
    #[must_use]
    pub fn exhausted(mut self) -> Self {
        self.0.exhausted = true;
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What may be tried next.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self.0.recovery {
            Recovery::Retry if self.0.exhausted => Recovery::Switch,
            recovery => recovery,
        }
    }

    /// Whether money was spent.
    #[must_use]
    pub fn charge(&self) -> Charge {
        self.0.charge
    }

    /// The solver it comes from.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// What went wrong, in words, without the provider's name.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How long to wait before asking again. Counted from when the error came.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The job that was paid for and is not finished.
    #[must_use]
    pub fn job(&self) -> Option<&JobId> {
        self.0.job.as_ref()
    }

    /// Whether a retry already gave up on it.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.0.exhausted
    }

    /// Every attempt behind this error, in order; empty if there was but one, this error itself.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Every attempt behind this error, in order. One without a history is one attempt, of
    /// `elapsed`.
    #[must_use]
    pub fn history(&self, elapsed: Duration) -> Vec<Attempt> {
        if self.0.attempts.is_empty() && self.0.kind != ErrorKind::AllFailed {
            vec![Attempt::new(self, elapsed)]
        } else {
            self.0.attempts.clone()
        }
    }

    /// Every job behind this error that was paid for and is not finished, each once.
    #[must_use]
    pub fn unfinished_jobs(&self) -> Vec<PaidJob> {
        let own = self.0.provider.as_ref().zip(self.0.job.as_ref());
        let earlier = self
            .0
            .attempts
            .iter()
            .filter_map(|attempt| attempt.provider.as_ref().zip(attempt.job.as_ref()));
        let mut jobs: Vec<PaidJob> = Vec::new();
        for (provider, id) in earlier.chain(own) {
            let job = PaidJob::new(provider.as_str(), id.clone());
            if !jobs.contains(&job) {
                jobs.push(job);
            }
        }
        jobs
    }
}

/// Who failed and how, for one line of a log.
fn summary(attempts: &[Attempt]) -> String {
    let each: Vec<String> = attempts
        .iter()
        .map(|attempt| {
            let provider = attempt.provider.as_deref().unwrap_or("unnamed");
            match &attempt.job {
                Some(job) => format!("{provider} {} (job {job} is unfinished)", attempt.kind),
                None => format!("{provider} {}", attempt.kind),
            }
        })
        .collect();
    let each = each.join(", ");
    match attempts.len() {
        0 => "there is no solver to ask".to_owned(),
        1 => format!("the only attempt failed: {each}"),
        n => format!("all {n} attempts failed: {each}"),
    }
}

impl fmt::Display for SolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(provider) = &inner.provider {
            write!(f, "{provider}: ")?;
        }
        write!(f, "{} ({}", inner.message, inner.kind)?;
        match inner.charge {
            Charge::No => {}
            Charge::Unknown => f.write_str("; it may have cost money")?,
            Charge::Yes => f.write_str("; it cost money")?,
        }
        if let Some(job) = &inner.job {
            write!(f, "; job {job} is unfinished and can be resumed")?;
        }
        if let Some(wait) = inner.retry_after {
            write!(f, "; retry after {wait:?}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for SolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            provider,
            message,
            charge,
            retry_after,
            job,
            attempts,
            recovery: _,
            exhausted,
            source,
        } = &*self.0;
        f.debug_struct("SolveError")
            .field("kind", kind)
            .field("provider", provider)
            .field("message", message)
            .field("charge", charge)
            .field("recovery", &self.recovery())
            .field("retry_after", retry_after)
            .field("job", job)
            .field("exhausted", exhausted)
            .field("attempts", attempts)
            .field("source", source)
            .finish()
    }
}

impl Error for SolveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<ScreenshotError> for SolveError {
    fn from(error: ScreenshotError) -> Self {
        let mut invalid = Self::new(ErrorKind::InvalidChallenge, error.to_string());
        // The message has the error's own text; its source is what is underneath.
        invalid.0.source = match error {
            ScreenshotError::Read(io) => Some(io.into()),
            ScreenshotError::File { source, .. } => Some(source),
            _ => None,
        };
        invalid
    }
}

/// For logs: all that `Debug` shows, the sources as the texts they print.
impl Serialize for SolveError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let causes: Vec<String> = std::iter::successors(self.source(), |&error| error.source())
            .map(|error| printable(&error.to_string()))
            .collect();
        let mut fields = serializer.serialize_struct("SolveError", 9)?;
        fields.serialize_field("kind", &self.kind())?;
        fields.serialize_field("provider", &self.provider())?;
        fields.serialize_field("message", self.message())?;
        fields.serialize_field("charge", &self.charge())?;
        fields.serialize_field("recovery", &self.recovery())?;
        fields.serialize_field(
            "retry_after_ms",
            &self.retry_after().map(crate::solution::millis::of),
        )?;
        fields.serialize_field("job", &self.job())?;
        fields.serialize_field("attempts", self.attempts())?;
        fields.serialize_field("causes", &causes)?;
        fields.end()
    }
}
