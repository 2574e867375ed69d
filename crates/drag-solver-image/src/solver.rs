//! The solver around a solver.

use drag_solver_core::chain_debug::{DebugCall, wrapper};
use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Event, Frame, Profile, Screenshot, ScreenshotLimits,
    Solution, SolveError, async_trait, forward_solver,
};
use tokio::time::{Instant, timeout_at};

use crate::fit::{fits, hand_back_jobs, refit, refit_as};
use crate::offload::offload;
use crate::{FitPolicy, Mapping};

/// Adds [`fit`](Self::fit) to every [`DragSolver`]. No other crate implements it.
pub trait FitExt: DragSolver + Sized {
    /// Makes screenshots fit into this solver's [limits](Profile::limits), and the policy's. See
    /// [`Fit`].
    fn fit(self, policy: FitPolicy) -> Fit<Self> {
        Fit::new(self, policy)
    }
}

impl<S: DragSolver> FitExt for S {}

/// Makes each screenshot fit what the inner solver takes, and maps the answer back.
///
/// A challenge within the inner solver's [limits](Profile::limits) (and the policy's own) is sent
/// byte for byte, its region included. Any other is cropped to its region if it has one, scaled down
/// until no side is too long, and encoded anew; the answer comes back in pixels of the original
/// screenshot, see [`Mapping`]. What cannot be made to fit is refused before anything is sent or paid,
/// with [`ErrorKind::Unsupported`], because another provider may take it; a damaged picture with
/// [`ErrorKind::InvalidChallenge`].
///
/// The picture depends on nothing but challenge, limits and policy. So a job that was paid for and is
/// [resumed](DragChallenge::resume_job), even by another run of the program, is mapped back in the same
/// way, provided that none of the three has changed, nor the version of this crate. A challenge that says in
/// which [frame](Frame) the picture was sent, as one from a store does, needs none of this:
/// its job is mapped back by that.
///
/// What is sent is told as [`Event::Fitted`].
///
/// # Where it goes
///
/// Next to the provider: what is outside then sees pixels of the original. A retry outside does the
/// work again for each attempt, some hundredths of a second; inside it is done once. A chain of several
/// providers has no limits of its own: give each its `fit`.
///
/// # Cost
///
/// The work is done by `spawn_blocking`, on at most four pictures at once in the whole process. It
/// is not part of the [worst case](Profile::worst_case), as it takes some hundredths of a second; it is
/// part of [`Solution::elapsed`]. The challenge's deadline ends it like everything else. While it
/// lasts, it is an [`Event::Waiting`]: no provider was asked yet.
///
/// # Cancellation
///
/// Dropping the future drops the inner solver's. The work on a picture continues to the end of its
/// step on its own thread, and nothing comes of it.
#[derive(Clone)]
pub struct Fit<S> {
    inner: S,
    policy: FitPolicy,
}

impl<S: DragSolver> Fit<S> {
    /// Makes screenshots fit what `inner` takes.
    pub fn new(inner: S, policy: FitPolicy) -> Self {
        Self { inner, policy }
    }

    /// Another screenshot of the challenge, made on another thread.
    async fn refit(
        &self,
        challenge: &DragChallenge,
        limits: ScreenshotLimits,
        sent: Option<Frame>,
    ) -> Result<(Screenshot, Mapping), SolveError> {
        let too_late = || {
            let problem =
                "nothing was sent: the deadline passed before the screenshot was made to fit";
            Err(SolveError::new(ErrorKind::DeadlineExceeded, problem))
        };
        if challenge.is_expired() {
            return too_late();
        }
        let (original, policy) = (challenge.clone(), self.policy);
        let work = offload(move |is_wanted| match sent {
            Some(frame) => refit_as(&original, frame, &policy),
            None => refit(&original, &limits, &policy, is_wanted),
        });
        match challenge.deadline() {
            Some(deadline) => timeout_at(deadline, work)
                .await
                .unwrap_or_else(|_| too_late()),
            None => work.await,
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Fit<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let limits = self.inner.profile().limits;
        let (solver, reason) = (self.name(), "the screenshot to fit");
        let resumes = challenge.paid_jobs_of(solver).next().is_some();
        let sent = challenge.frame_of(solver).filter(|_| resumes);
        let as_it_is = match sent {
            Some(frame) => frame == Frame::whole(challenge.screenshot()),
            None => fits(challenge, &limits, &self.policy),
        };
        if as_it_is {
            return self.inner.solve(challenge).await;
        }
        let begun = Instant::now();
        challenge.notify(Event::Waiting { solver, reason }).await?;
        let refitted = self.refit(challenge, limits, sent).await;
        challenge.notify(Event::WaitEnded { solver }).await?;
        let (screenshot, mapping) = refitted.map_err(|error| {
            let error = error.with_solver(solver).with_elapsed(begun.elapsed());
            hand_back_jobs(challenge, error)
        })?;
        tracing::debug!(
            solver,
            original = ?challenge.screenshot(),
            sent = ?screenshot,
            region = %mapping.crop(),
            took = ?begun.elapsed(),
            "made the screenshot fit"
        );
        let frame = mapping.frame();
        challenge.notify(Event::Fitted { solver, frame }).await?;
        let sent = challenge.clone().with_screenshot(screenshot);
        let solution = self.inner.solve(&sent).await?;
        let drag = mapping.drag_to_original(solution.drag());
        Ok(solution.with_drag(drag).with_elapsed(begun.elapsed()))
    }

    /// Without limits: what is beyond those of the inner solver is made to fit.
    fn profile(&self) -> Profile {
        self.inner.profile().with_limits(ScreenshotLimits::none())
    }
}

wrapper!(Fit(S), |fit, f| {
    DebugCall::on(f, &fit.inner, "fit").value(format_args!("{}", fit.policy.changes()))
});
