//! What can go wrong, and what it means for money and for the next step.

mod attempt;
mod kind;
#[cfg(feature = "serde")]
mod serde;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::attempt::Attempt;
pub use self::kind::{Billed, ErrorKind, Recovery};
use crate::text::printable;
use crate::{PaidJob, ScreenshotError, Usd};

/// Why a challenge was not solved.
///
/// It answers two questions without a look at its text: what may be tried next
/// ([`recovery`](Self::recovery)), and was money spent ([`billed`](Self::billed)). And it owns its
/// history: the [attempts](Self::attempts) behind it, what they [cost](Self::spent), and the
/// [jobs](Self::unfinished_jobs) that were paid for and are not finished.
///
/// `Display` is one line, never repeats the [source](Error::source), and has had control characters
/// removed. No token is ever in it. Cloning is cheap enough for an error. With the feature `serde` it is
/// written and read: of the sources, the texts are kept.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{Billed, ErrorKind, Recovery, SolveError};
///
/// let error = SolveError::new(ErrorKind::RateLimited, "no worker is free")
///     .with_solver("example")
///     .with_retry_after(Duration::from_secs(5));
/// assert_eq!(error.recovery(), Recovery::Retry);
/// assert_eq!(error.billed(), Billed::No);
/// assert_eq!(
///     error.to_string(),
///     "example: no worker is free (rate_limited; retry after 5s)"
/// );
/// ```
#[derive(Clone)]
pub struct SolveError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    /// The attempt that this error is the end of. Of a chain that ran out, its summary.
    own: Attempt,
    /// The attempts that failed before it, in order.
    earlier: Vec<Attempt>,
    /// All attempts together.
    elapsed: Duration,
    retry_after: Option<Duration>,
    recovery: Recovery,
    exhausted: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl SolveError {
    /// An error of this kind that cost nothing, until told otherwise. Control characters in
    /// `message` become spaces, and it is cut at 500 characters.
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self(Box::new(Inner {
            own: Attempt {
                solver: None,
                kind,
                message: printable(message.as_ref()),
                billed: Billed::No,
                cost: None,
                jobs: Vec::new(),
                elapsed: Duration::ZERO,
            },
            earlier: Vec::new(),
            elapsed: Duration::ZERO,
            retry_after: None,
            recovery: kind.recovery(),
            exhausted: false,
            source: None,
        }))
    }

    /// A chain that ran out: every error that it met, in order. The last one becomes the source.
    ///
    /// Its recovery is the mildest of its parts. A retry is due when the first of those that may be
    /// retried says so. With no errors at all there was no solver to ask, and the result says so.
    #[must_use]
    pub fn all_failed(errors: Vec<Self>) -> Self {
        let mut all = Self::new(ErrorKind::AllFailed, "");
        let retryable = || errors.iter().filter(|e| e.recovery() == Recovery::Retry);
        all.0.recovery = Recovery::Switch;
        if retryable().next().is_some() {
            all.0.recovery = Recovery::Retry;
            all.0.retry_after = retryable()
                .map(|error| error.retry_after().unwrap_or_default())
                .min()
                .filter(|wait| !wait.is_zero());
        }
        all.0.exhausted = !errors.is_empty() && errors.iter().all(|error| error.0.exhausted);
        all.0.earlier = errors.iter().flat_map(Self::attempts).collect();
        all.0.own.message = printable(&summary(&all.0.earlier));
        all.0.source = errors
            .into_iter()
            .next_back()
            .map(|last| Arc::new(last) as _);
        all
    }

    /// Names the solver it comes from. Control characters in the name become spaces.
    #[must_use]
    pub fn with_solver(mut self, solver: impl AsRef<str>) -> Self {
        self.0.own.solver = Some(printable(solver.as_ref()));
        self
    }

    /// Names the solver, unless the error names one already.
    #[doc(hidden)]
    #[must_use]
    pub fn with_default_solver(self, solver: impl AsRef<str>) -> Self {
        if self.0.own.solver.is_some() {
            return self;
        }
        self.with_solver(solver)
    }

    /// Says whether the attempt that this is the end of cost money.
    #[must_use]
    pub fn with_billed(mut self, billed: Billed) -> Self {
        self.0.own.billed = billed;
        self
    }

    /// Says what that attempt cost, or costs if it is billed, in US dollars; `None` if that is not known.
    #[must_use]
    pub fn with_cost(mut self, cost: impl Into<Option<Usd>>) -> Self {
        self.0.own.cost = cost.into();
        self
    }

    /// Says how long to wait, from now, before asking again.
    #[must_use]
    pub fn with_retry_after(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.0.retry_after = wait.into();
        self
    }

    /// Names jobs that were paid for and are not finished, besides those already named, so that they
    /// can be [resumed](crate::DragChallenge::resume_job). The attempt may be billed for them.
    #[must_use]
    pub fn with_unfinished_jobs(self, jobs: impl IntoIterator<Item = PaidJob>) -> Self {
        let mut jobs = jobs.into_iter().peekable();
        let has_some = jobs.peek().is_some();
        let mut error = self.handing_back(jobs);
        if has_some {
            error.0.own.billed = error.0.own.billed.max(Billed::Maybe);
        }
        error
    }

    /// The same for jobs that the challenge brought, and this attempt did not go on with: their bill is that of the
    /// attempt that bought them.
    #[doc(hidden)]
    #[must_use]
    pub fn handing_back(mut self, jobs: impl IntoIterator<Item = PaidJob>) -> Self {
        for job in jobs {
            if !self.0.own.jobs.contains(&job) {
                self.0.own.jobs.push(job);
            }
        }
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into().into());
        self
    }

    /// Replaces the kind, and with it the recovery; keeps everything else.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.own.kind = kind;
        self.0.recovery = kind.recovery();
        self
    }

    /// Replaces the words, with the same care as in [`new`](Self::new); keeps everything else.
    #[must_use]
    pub fn with_message(mut self, message: impl AsRef<str>) -> Self {
        self.0.own.message = printable(message.as_ref());
        self
    }

    /// Puts failed attempts in front of those already known.
    #[must_use]
    pub fn with_failed_attempts(mut self, earlier: Vec<Attempt>) -> Self {
        self.0.earlier.splice(0..0, earlier);
        self
    }

    /// Says how long it took, failed attempts included. Set first by the solver that made the attempt, and
    /// then by each combinator that made several.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        if self.0.earlier.is_empty() {
            self.0.own.elapsed = elapsed;
        }
        self.0.elapsed = elapsed;
        self
    }

    /// Says how long it took, unless it says so already.
    #[doc(hidden)]
    #[must_use]
    pub fn with_default_elapsed(self, elapsed: Duration) -> Self {
        if self.0.elapsed.is_zero() {
            return self.with_elapsed(elapsed);
        }
        self
    }

    /// Names the price of an answer, in US dollars, wherever one may have been billed and no provider says
    /// what it cost.
    #[doc(hidden)]
    #[must_use]
    pub fn with_price(mut self, price: Usd) -> Self {
        let Inner { own, earlier, .. } = &mut *self.0;
        for attempt in earlier.iter_mut().chain([own]) {
            attempt.price_at(price);
        }
        self
    }

    /// Marks that a retry gave up on it, so that an outer retry does not start over:
    /// [`recovery`](Self::recovery) is no longer `Retry`.
    #[doc(hidden)]
    #[must_use]
    pub fn mark_exhausted(mut self) -> Self {
        self.0.exhausted = true;
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.own.kind
    }

    /// What may be tried next.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self.0.recovery {
            Recovery::Retry if self.0.exhausted => Recovery::Switch,
            recovery => recovery,
        }
    }

    /// Whether money was spent: the worst of all attempts. An unfinished job may be billed.
    #[must_use]
    pub fn billed(&self) -> Billed {
        let of_attempts = self
            .all_attempts()
            .map(|attempt| attempt.billed.max(bill_of_jobs(attempt)));
        of_attempts.max().unwrap_or_default()
    }

    /// What all attempts cost, or cost if they are billed, in US dollars. `None` if one may have been
    /// billed of which neither cost nor price is known.
    #[must_use]
    pub fn spent(&self) -> Option<Usd> {
        spent(&self.attempts())
    }

    /// The solver it comes from.
    #[must_use]
    pub fn solver(&self) -> Option<&str> {
        self.0.own.solver.as_deref()
    }

    /// What went wrong, in words, without the solver's name.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.own.message
    }

    /// How long to wait before asking again. Counted from when the error came.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How long it took, failed attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Whether a retry already gave up on it.
    #[doc(hidden)]
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.0.exhausted
    }

    /// The attempts that failed before the one that this error is the end of, in order.
    #[must_use]
    pub fn failed_attempts(&self) -> &[Attempt] {
        &self.0.earlier
    }

    /// Every attempt behind this error, in order, the one that it is the end of included. Of a chain
    /// that ran out, that one is only a summary, and left out.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.all_attempts().cloned().collect()
    }

    fn all_attempts(&self) -> impl Iterator<Item = &Attempt> {
        let own = &self.0.own;
        let is_summary = own.kind == ErrorKind::AllFailed && own.jobs.is_empty();
        self.0.earlier.iter().chain((!is_summary).then_some(own))
    }

    /// Every job behind this error that was paid for and is not finished, each once.
    #[must_use]
    pub fn unfinished_jobs(&self) -> Vec<PaidJob> {
        let mut jobs: Vec<PaidJob> = Vec::new();
        for job in self.all_attempts().flat_map(|attempt| &attempt.jobs) {
            if !jobs.contains(job) {
                jobs.push(job.clone());
            }
        }
        jobs
    }
}

fn bill_of_jobs(attempt: &Attempt) -> Billed {
    if attempt.jobs.is_empty() {
        Billed::No
    } else {
        Billed::Maybe
    }
}

/// The sum of what attempts cost, if it is known of all of them.
pub(crate) fn spent(attempts: &[Attempt]) -> Option<Usd> {
    attempts.iter().map(Attempt::spent).sum()
}

/// Who failed and how, for one line of a log.
fn summary(attempts: &[Attempt]) -> String {
    let each: Vec<String> = attempts
        .iter()
        .map(|attempt| {
            let solver = attempt.solver.as_deref().unwrap_or("unnamed");
            match &attempt.jobs[..] {
                [] => format!("{solver} {}", attempt.kind),
                jobs => format!("{solver} {} ({})", attempt.kind, unfinished(jobs)),
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

fn unfinished(jobs: &[PaidJob]) -> String {
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    match &ids[..] {
        [id] => format!("job {id} is unfinished"),
        ids => format!("jobs {} are unfinished", ids.join(" and ")),
    }
}

impl fmt::Display for SolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = &self.0.own;
        if let Some(solver) = &own.solver {
            write!(f, "{solver}: ")?;
        }
        write!(f, "{} ({}", own.message, own.kind)?;
        match self.billed() {
            Billed::No => {}
            Billed::Maybe => f.write_str("; it may have cost money")?,
            Billed::Yes => f.write_str("; it cost money")?,
        }
        if !own.jobs.is_empty() {
            write!(f, "; {} and can be resumed", unfinished(&own.jobs))?;
        }
        if let Some(wait) = self.0.retry_after {
            write!(f, "; retry after {wait:?}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for SolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            own,
            earlier,
            elapsed,
            retry_after,
            recovery: _,
            exhausted,
            source,
        } = &*self.0;
        f.debug_struct("SolveError")
            .field("kind", &own.kind)
            .field("solver", &own.solver)
            .field("message", &own.message)
            .field("billed", &self.billed())
            .field("cost", &own.cost)
            .field("recovery", &self.recovery())
            .field("retry_after", retry_after)
            .field("jobs", &own.jobs)
            .field("elapsed", elapsed)
            .field("exhausted", exhausted)
            .field("failed_attempts", earlier)
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
        let invalid = Self::new(ErrorKind::InvalidChallenge, error.to_string());
        // The message has the error's own text; its source is what is underneath.
        match error {
            ScreenshotError::Read(io) => invalid.with_source(io),
            ScreenshotError::File { source, .. } => invalid.with_source(source),
            _ => invalid,
        }
    }
}
