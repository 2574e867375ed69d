//! The question.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::{ErrorKind, JobId, PaidJob, Progress, ProgressListener, Rect, Screenshot, SolveError};

/// A screenshot that shows a piece and the place it must be dragged to, and what else a solver may
/// need to know. Cloning copies no pixels.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{DragChallenge, Rect, Screenshot};
///
/// # fn main() -> Result<(), drag_solver_core::SolveError> {
/// # let bytes = b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec();
/// let challenge = DragChallenge::new(Screenshot::from_bytes(bytes)?)
///     .with_instruction("Drag the puzzle piece into the gap")
///     .with_region(Rect::new(40.0, 380.0, 510.0, 400.0))?;
/// assert_eq!(challenge.remaining(), None); // no deadline yet
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DragChallenge {
    screenshot: Screenshot,
    instruction: Option<Arc<str>>,
    region: Option<Rect>,
    deadline: Option<Instant>,
    paid_jobs: Vec<PaidJob>,
    listeners: Listeners,
}

impl DragChallenge {
    /// The challenge that `screenshot` shows, without a deadline.
    #[must_use]
    pub fn new(screenshot: Screenshot) -> Self {
        Self {
            screenshot,
            instruction: None,
            region: None,
            deadline: None,
            paid_jobs: Vec::new(),
            listeners: Listeners::default(),
        }
    }

    /// Says in words what is to be dragged where. Providers with human workers show it to them;
    /// others ignore it.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<Arc<str>>) -> Self {
        self.instruction = Some(instruction.into());
        self
    }

    /// Says which part of the screenshot holds the challenge. Answers stay in pixels of the whole
    /// screenshot.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChallenge`] if the region is empty or not wholly on the screenshot.
    pub fn with_region(mut self, region: Rect) -> Result<Self, SolveError> {
        let (width, height) = (self.screenshot.width(), self.screenshot.height());
        if !region.is_on(width, height) {
            return Err(SolveError::new(
                ErrorKind::InvalidChallenge,
                format!(
                    "the region {region} (x,y,w,h) is empty or not wholly on the {width}x{height} px screenshot"
                ),
            ));
        }
        self.region = Some(region);
        Ok(self)
    }

    /// Sets the instant after which an answer is worthless, replacing an earlier one.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the deadline to `limit` from now, replacing an earlier one. A limit too far away for the
    /// clock means no deadline.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.deadline = Instant::now().checked_add(limit);
        self
    }

    /// The same challenge, due at `deadline` or at its own deadline, whichever comes first.
    #[must_use]
    pub fn due_by(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        self
    }

    /// The same challenge with another screenshot and no region: for wrappers that crop or scale,
    /// and map the answer back themselves.
    #[must_use]
    pub fn with_screenshot(mut self, screenshot: Screenshot) -> Self {
        self.screenshot = screenshot;
        self.region = None;
        self
    }

    /// Says that `job` was already paid for: the solver it belongs to goes on waiting for it instead
    /// of buying another. Solvers of other names ignore it. A later job of the same solver replaces
    /// an earlier one.
    #[must_use]
    pub fn resuming(mut self, job: PaidJob) -> Self {
        self.paid_jobs
            .retain(|known| known.provider != job.provider);
        self.paid_jobs.push(job);
        self
    }

    /// The same challenge with no paid jobs to resume.
    #[must_use]
    pub fn without_paid_jobs(mut self) -> Self {
        self.paid_jobs.clear();
        self
    }

    /// Lets `listener` hear how solving this challenge gets on, besides those that already do.
    #[must_use]
    pub fn with_listener(mut self, listener: Arc<dyn ProgressListener>) -> Self {
        self.listeners.add(listener);
        self
    }

    /// The screenshot.
    #[must_use]
    pub fn screenshot(&self) -> &Screenshot {
        &self.screenshot
    }

    /// What is to be dragged where, in words.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        self.instruction.as_deref()
    }

    /// The part of the screenshot that holds the challenge.
    #[must_use]
    pub fn region(&self) -> Option<Rect> {
        self.region
    }

    /// When an answer becomes worthless.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long is left: `None` without a deadline, zero once it has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether the deadline has passed.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }

    /// The job that the solver called `provider` should go on waiting for, if one was paid for.
    #[must_use]
    pub fn paid_job(&self, provider: &str) -> Option<&JobId> {
        self.paid_jobs
            .iter()
            .find(|job| job.provider == provider)
            .map(|job| &job.id)
    }

    /// Every job that was paid for and not yet fetched.
    #[must_use]
    pub fn paid_jobs(&self) -> &[PaidJob] {
        &self.paid_jobs
    }

    /// Tells everybody who listens to this challenge. Called by solvers.
    pub fn notify(&self, progress: &Progress<'_>) {
        self.listeners.notify(progress);
    }
}

/// Who listens. Every combinator that does clones the challenge to add itself, so a clone shares what
/// is there already.
#[derive(Clone, Debug, Default)]
struct Listeners(Option<Arc<Listening>>);

#[derive(Debug)]
struct Listening {
    earlier: Listeners,
    listener: Arc<dyn ProgressListener>,
}

impl Listeners {
    fn add(&mut self, listener: Arc<dyn ProgressListener>) {
        let earlier = std::mem::take(self);
        *self = Self(Some(Arc::new(Listening { earlier, listener })));
    }

    /// In the order in which they were added.
    fn notify(&self, progress: &Progress<'_>) {
        if let Some(listening) = &self.0 {
            listening.earlier.notify(progress);
            listening.listener.on_progress(progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn challenge() -> DragChallenge {
        let gif = b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec();
        DragChallenge::new(Screenshot::from_bytes(gif).unwrap())
    }

    #[test]
    fn a_region_must_lie_on_the_screenshot() {
        let inside = challenge().with_region(Rect::new(0.0, 0.0, 591.0, 1149.0));
        assert!(inside.is_ok());
        let error = challenge()
            .with_region(Rect::new(0.0, 0.0, 592.0, 10.0))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
        assert!(error.to_string().contains("591x1149"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn remaining_counts_down_to_zero() {
        let challenge = challenge().within(Duration::from_secs(5));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(challenge.remaining(), Some(Duration::from_secs(3)));
        assert!(!challenge.is_expired());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(challenge.remaining(), Some(Duration::ZERO));
        assert!(challenge.is_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn a_nearer_deadline_wins_and_an_endless_one_is_none() {
        let now = Instant::now();
        let near = now + Duration::from_secs(1);
        let far = now + Duration::from_secs(9);
        assert_eq!(challenge().due_by(far).due_by(near).deadline(), Some(near));
        assert_eq!(challenge().due_by(near).due_by(far).deadline(), Some(near));
        assert_eq!(challenge().within(Duration::MAX).deadline(), None);
    }

    #[test]
    fn each_solver_resumes_its_own_latest_job() {
        let job = |provider: &str, id: u64| PaidJob::new(provider, JobId::from(id));
        let challenge = challenge()
            .resuming(job("a", 1))
            .resuming(job("b", 2))
            .resuming(job("a", 3));
        assert_eq!(challenge.paid_job("a"), Some(&JobId::from(3)));
        assert_eq!(challenge.paid_job("b"), Some(&JobId::from(2)));
        assert_eq!(challenge.paid_job("c"), None);
        assert_eq!(challenge.paid_jobs().len(), 2);
        assert!(challenge.without_paid_jobs().paid_jobs().is_empty());
    }

    #[derive(Debug)]
    struct Listener(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl ProgressListener for Listener {
        fn on_progress(&self, _: &Progress<'_>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[test]
    fn every_listener_hears_and_a_clones_own_is_its_own() {
        let heard = Arc::default();
        let listener = |name| Arc::new(Listener(name, Arc::clone(&heard)));
        let buying = Progress::Buying { provider: "a" };
        let outer = challenge().with_listener(listener("first"));
        let inner = outer.clone().with_listener(listener("second"));
        inner.notify(&buying);
        assert_eq!(*heard.lock().unwrap(), ["first", "second"]);
        outer.notify(&buying);
        assert_eq!(*heard.lock().unwrap(), ["first", "second", "first"]);
    }
}
