//! The question.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::Listeners;
use crate::{
    ErrorKind, Event, Frame, JobId, Observer, PaidJob, Rect, Screenshot, SolveError, Tracker,
};

/// A screenshot that shows a piece and the place it must be dragged to, and what else a solver may
/// need to know. Cloning copies no pixels.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{DragChallenge, Rect, Screenshot};
///
/// # fn main() -> Result<(), drag_solver_core::SolveError> {
/// # let bytes = b"GIF89a\x4f\x02\x7d\x04\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;".to_vec();
/// let challenge = DragChallenge::new(Screenshot::from_bytes(bytes)?)
///     .with_instruction("Drag the puzzle piece into the gap")
///     .with_region(Rect::new(40.0, 380.0, 510.0, 400.0))?;
/// assert_eq!(challenge.remaining(), None); // no deadline yet
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DragChallenge {
    /// Shared: the layers of a chain clone the challenge at every call, and change only the rest.
    question: Arc<Question>,
    deadline: Option<Instant>,
    listeners: Listeners,
}

#[derive(Clone, Debug)]
struct Question {
    screenshot: Screenshot,
    id: Option<Arc<str>>,
    label: Option<Arc<str>>,
    instruction: Option<Arc<str>>,
    region: Option<Rect>,
    paid_jobs: Vec<PaidJob>,
    /// In which frame each solver was sent the picture when its paid jobs were bought.
    frames: Vec<(Arc<str>, Frame)>,
}

impl DragChallenge {
    /// The challenge that `screenshot` shows, without a deadline.
    #[must_use]
    pub fn new(screenshot: Screenshot) -> Self {
        Self {
            question: Arc::new(Question {
                screenshot,
                id: None,
                label: None,
                instruction: None,
                region: None,
                paid_jobs: Vec::new(),
                frames: Vec::new(),
            }),
            deadline: None,
            listeners: Listeners::default(),
        }
    }

    fn question_mut(&mut self) -> &mut Question {
        Arc::make_mut(&mut self.question)
    }

    /// Says what the caller calls it: an order number, a file's name. It is never sent.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.question_mut().id = Some(id.into());
        self
    }

    /// Says whose it is: a tenant, a customer. Budgets and metrics can be kept by it, so that one chain
    /// serves all of them. It is never sent.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.question_mut().label = Some(label.into());
        self
    }

    /// Says in words what is to be dragged where. Providers with human workers show it to them;
    /// others ignore it.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<Arc<str>>) -> Self {
        self.question_mut().instruction = Some(instruction.into());
        self
    }

    /// Says which part of the screenshot holds the challenge. Answers stay in pixels of the whole
    /// screenshot.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChallenge`] if the region is empty or not wholly on the screenshot.
    pub fn with_region(mut self, region: Rect) -> Result<Self, SolveError> {
        let (width, height) = (self.screenshot().width(), self.screenshot().height());
        if !region.is_on(width, height) {
            return Err(SolveError::new(
                ErrorKind::InvalidChallenge,
                format!(
                    "the region {region} (x,y,w,h) is empty or not wholly on the {width}x{height} px screenshot"
                ),
            ));
        }
        self.question_mut().region = Some(region);
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
    pub fn with_deadline_at_most(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        self
    }

    /// The same challenge with another screenshot and no region: for wrappers that crop or scale,
    /// and map the answer back themselves.
    #[must_use]
    pub fn with_screenshot(mut self, screenshot: Screenshot) -> Self {
        let question = self.question_mut();
        question.screenshot = screenshot;
        question.region = None;
        self
    }

    /// Says that `job` was already paid for: the solver it belongs to continues to wait for it instead
    /// of buying another. Solvers of other names ignore it. One solver may have any number of them.
    #[must_use]
    pub fn resume_job(mut self, job: PaidJob) -> Self {
        if !self.paid_jobs().contains(&job) {
            self.question_mut().paid_jobs.push(job);
        }
        self
    }

    /// Says in which frame the solver called `solver` was sent the picture when the jobs to resume were
    /// bought: their answers are in pixels of that. The frame comes from an [`Event::Fitted`].
    #[doc(hidden)]
    #[must_use]
    pub fn with_frame(mut self, solver: impl Into<Arc<str>>, frame: Frame) -> Self {
        let solver = solver.into();
        let frames = &mut self.question_mut().frames;
        frames.retain(|(name, _)| *name != solver);
        frames.push((solver, frame));
        self
    }

    /// The same challenge with no paid jobs to resume.
    #[doc(hidden)]
    #[must_use]
    pub fn without_paid_jobs(mut self) -> Self {
        if !self.paid_jobs().is_empty() {
            self.question_mut().paid_jobs.clear();
        }
        self
    }

    /// Lets `observer` hear what happens to money and time while this challenge is solved, besides
    /// those that already do.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.listeners.add(observer);
        self
    }

    /// The same challenge, and what the events of solving it will say about money.
    ///
    /// ```
    /// # use drag_solver_core::{DragChallenge, DragSolver};
    /// # async fn example(solver: impl DragSolver, challenge: DragChallenge) {
    /// let (challenge, tracker) = challenge.tracked();
    /// tokio::select! {
    ///     outcome = solver.solve(&challenge) => drop(outcome),
    ///     () = tokio::time::sleep(std::time::Duration::from_secs(60)) => {
    ///         for job in tracker.purchases().open_jobs() {
    ///             println!("{job} was paid for and is not finished");
    ///         }
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn tracked(&self) -> (Self, Tracker) {
        let (listeners, tracker) = self.listeners.tracked();
        let challenge = Self {
            question: Arc::clone(&self.question),
            deadline: self.deadline,
            listeners,
        };
        (challenge, tracker)
    }

    /// The screenshot.
    #[must_use]
    pub fn screenshot(&self) -> &Screenshot {
        &self.question.screenshot
    }

    /// What the caller calls it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.question.id.as_deref()
    }

    /// Whose it is.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.question.label.as_deref()
    }

    /// What is to be dragged where, in words.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        self.question.instruction.as_deref()
    }

    /// The part of the screenshot that holds the challenge.
    #[must_use]
    pub fn region(&self) -> Option<Rect> {
        self.question.region
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

    /// The jobs that the solver called `solver` should continue to wait for, in the order in which they
    /// were added.
    pub fn paid_jobs_of(&self, solver: &str) -> impl Iterator<Item = &JobId> {
        let own = move |job: &&PaidJob| job.solver == solver;
        self.paid_jobs().iter().filter(own).map(|job| &job.id)
    }

    /// In which frame the solver called `solver` was sent the picture when its paid jobs were bought, if
    /// that is known.
    #[doc(hidden)]
    #[must_use]
    pub fn frame_of(&self, solver: &str) -> Option<Frame> {
        let mut frames = self.question.frames.iter();
        frames
            .find(|(name, _)| **name == *solver)
            .map(|(_, frame)| *frame)
    }

    /// Every job that was paid for and not yet fetched.
    #[must_use]
    pub fn paid_jobs(&self) -> &[PaidJob] {
        &self.question.paid_jobs
    }

    /// The error of a solver called `solver` that refuses this challenge on its own: nothing was sent.
    /// It hands back the paid jobs that the challenge brought, so that none is forgotten.
    pub fn refuse(&self, solver: &str, kind: ErrorKind, message: impl AsRef<str>) -> SolveError {
        SolveError::new(kind, message)
            .with_solver(solver)
            .handing_back(self.paid_jobs().iter().cloned())
    }

    /// Tells every observer of this challenge. Called by solvers.
    ///
    /// # Errors
    ///
    /// Of an [`Event::Buying`], when an observer prevents the purchase: nothing may be sent, and the
    /// solver fails with this error. Never of any other event.
    pub async fn notify(&self, event: Event<'_>) -> Result<(), SolveError> {
        self.listeners.notify(&event).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::Billed;

    fn challenge() -> DragChallenge {
        let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;".to_vec();
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
        assert_eq!(
            challenge()
                .with_deadline_at_most(far)
                .with_deadline_at_most(near)
                .deadline(),
            Some(near)
        );
        assert_eq!(
            challenge()
                .with_deadline_at_most(near)
                .with_deadline_at_most(far)
                .deadline(),
            Some(near)
        );
        assert_eq!(challenge().within(Duration::MAX).deadline(), None);
    }

    #[test]
    fn each_solver_has_any_number_of_paid_jobs_each_once() {
        let job = |solver: &str, id: u64| PaidJob::new(solver, JobId::from(id));
        let challenge = [job("a", 1), job("b", 2), job("a", 3), job("a", 1)]
            .into_iter()
            .fold(challenge(), DragChallenge::resume_job);
        let of_a: Vec<_> = challenge.paid_jobs_of("a").cloned().collect();
        assert_eq!(of_a, [JobId::from(1), JobId::from(3)]);
        assert_eq!(challenge.paid_jobs_of("c").count(), 0);
        assert_eq!(challenge.paid_jobs().len(), 3);
        let refused = challenge.refuse("chain", ErrorKind::CircuitOpen, "open");
        assert_eq!(refused.unfinished_jobs(), challenge.paid_jobs());
        assert!(challenge.without_paid_jobs().paid_jobs().is_empty());
    }

    type Heard = Arc<Mutex<Vec<String>>>;

    #[derive(Debug)]
    struct Recorder {
        name: &'static str,
        heard: Heard,
        refuses: bool,
    }

    #[async_trait::async_trait]
    impl Observer for Recorder {
        async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
            tokio::task::yield_now().await;
            let event = format!("{event:?}");
            let kind = event.split(' ').next().unwrap_or_default();
            self.heard
                .lock()
                .unwrap()
                .push(format!("{} {kind}", self.name));
            if self.refuses {
                return Err(SolveError::new(ErrorKind::Overloaded, "the disk is full"));
            }
            Ok(())
        }
    }

    fn recorder(name: &'static str, heard: &Heard, refuses: bool) -> Arc<Recorder> {
        let heard = Arc::clone(heard);
        Arc::new(Recorder {
            name,
            heard,
            refuses,
        })
    }

    #[tokio::test]
    async fn every_observer_hears_in_order_and_a_clones_own_is_its_own() {
        let heard = Heard::default();
        let buying = Event::Buying { solver: "a" };
        let outer = challenge().with_observer(recorder("first", &heard, false));
        let inner = outer
            .clone()
            .with_observer(recorder("second", &heard, false));
        inner.notify(buying).await.unwrap();
        assert_eq!(*heard.lock().unwrap(), ["first Buying", "second Buying"]);
        outer.notify(buying).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn who_is_dropped_while_an_observer_writes_knows_the_job_and_no_purchase_that_has_not_begun()
     {
        let heard = Heard::default();
        let observed = challenge().with_observer(recorder("store", &heard, false));
        let (challenge, tracker) = observed.tracked();
        let dropped_in = async |event| {
            tokio::select! {
                biased;
                _ = challenge.notify(event) => panic!("the observer waits"),
                () = std::future::ready(()) => {}
            }
        };
        dropped_in(Event::Buying { solver: "a" }).await;
        assert!(tracker.purchases().as_slice().is_empty());
        let (solver, job) = ("a", &JobId::from(7));
        dropped_in(Event::Bought { solver, job }).await;
        let open = tracker.purchases().open_jobs();
        assert_eq!(open, [PaidJob::new(solver, job.clone())]);
        assert!(heard.lock().unwrap().is_empty(), "it was still writing");
    }

    #[tokio::test]
    async fn an_observer_that_refuses_prevents_the_purchase_for_everybody() {
        let heard = Heard::default();
        let (outer, before) = challenge().tracked();
        let refusing = outer.with_observer(recorder("store", &heard, true));
        let (inner, after) = refusing.tracked();
        let error = inner
            .notify(Event::Buying { solver: "a" })
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.billed()),
            (ErrorKind::Overloaded, Billed::No)
        );
        assert_eq!(error.solver(), Some("a"));
        assert!(before.purchases().as_slice().is_empty());
        assert!(after.purchases().as_slice().is_empty());
        let started = inner.notify(Event::Started { solver: "a" }).await;
        assert!(
            started.is_ok(),
            "what has happened already cannot be refused"
        );
    }
}
