//! The solver around a solver.

use std::fmt;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Screenshot, ScreenshotLimits, Solution, SolveError,
    Verdict, WorstCase, async_trait,
};
use tokio::time::{Instant, timeout_at};

use crate::fit::{fits, refit};
use crate::offload::offload;
use crate::{FitPolicy, InvalidFitPolicy, Mapping};

/// Adds [`fit`](Self::fit) to every [`DragSolver`]. Nobody else implements it.
pub trait FitExt: DragSolver + Sized {
    /// Makes screenshots fit into this solver's [limits](DragSolver::limits), and the policy's. See
    /// [`Fit`].
    ///
    /// # Errors
    ///
    /// See [`FitPolicy::check`].
    fn fit(self, policy: FitPolicy) -> Result<Fit<Self>, InvalidFitPolicy> {
        Fit::new(self, policy)
    }
}

impl<S: DragSolver> FitExt for S {}

/// Makes each screenshot fit what the inner solver takes, and maps the answer back.
///
/// A challenge within the inner solver's [limits](DragSolver::limits) (and the policy's own) is sent
/// byte for byte, its region included. Any other is cropped to its region if it has one, scaled down
/// until no side is too long, and encoded anew; the answer comes back in pixels of the original
/// screenshot, see [`Mapping`]. What cannot be made to fit is refused before anything is sent or paid,
/// with [`ErrorKind::Unsupported`], because another provider may take it; a damaged picture with
/// [`ErrorKind::InvalidChallenge`].
///
/// The picture depends on nothing but challenge, limits and policy. So a job that was paid for and is
/// [resumed](DragChallenge::resuming), even by another run of the program, is mapped back in the same
/// way, provided that neither of the three has changed, nor the version of this crate.
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
/// is not part of [`worst_case`](DragSolver::worst_case), as it takes some hundredths of a second; it is
/// part of [`Solution::elapsed`]. The challenge's deadline ends it like everything else.
///
/// # Cancellation
///
/// Dropping the future drops the inner solver's. The work on a picture goes on to the end of its step
/// on its own thread, and nothing comes of it.
pub struct Fit<S> {
    inner: S,
    policy: FitPolicy,
}

impl<S: DragSolver> Fit<S> {
    /// Makes screenshots fit what `inner` takes.
    ///
    /// # Errors
    ///
    /// See [`FitPolicy::check`].
    pub fn new(inner: S, policy: FitPolicy) -> Result<Self, InvalidFitPolicy> {
        policy.check()?;
        Ok(Self { inner, policy })
    }

    /// Another screenshot of the challenge, made on another thread.
    async fn refit(&self, challenge: &DragChallenge) -> Result<(Screenshot, Mapping), SolveError> {
        let expired = || {
            SolveError::new(
                ErrorKind::DeadlineExceeded,
                "the deadline passed before the screenshot was made to fit: nothing was sent",
            )
        };
        if challenge.is_expired() {
            return Err(expired());
        }
        let (limits, policy) = (self.inner.limits(), self.policy);
        let original = challenge.clone();
        let work = offload(move |wanted| refit(&original, &limits, &policy, wanted));
        match challenge.deadline() {
            Some(deadline) => timeout_at(deadline, work)
                .await
                .unwrap_or_else(|_| Err(expired())),
            None => work.await,
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Fit<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        if fits(challenge, &self.inner.limits(), &self.policy) {
            return self.inner.solve(challenge).await;
        }
        let begun = Instant::now();
        let (screenshot, mapping) = self
            .refit(challenge)
            .await
            .map_err(|error| error.with_provider(self.name()))?;
        tracing::debug!(
            provider = self.name(),
            original = ?challenge.screenshot(),
            sent = ?screenshot,
            region = %mapping.crop(),
            took = ?begun.elapsed(),
            "made the screenshot fit"
        );
        let sent = challenge.clone().with_screenshot(screenshot);
        let solution = self.inner.solve(&sent).await?;
        let drag = mapping.drag_to_original(solution.drag());
        Ok(solution.with_drag(drag).with_elapsed(begun.elapsed()))
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case()
    }

    /// None: what is beyond those of the inner solver is made to fit.
    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
    }
}

impl<S: DragSolver> fmt::Debug for Fit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = if f.alternate() { "\n    " } else { "" };
        self.inner.fmt(f)?;
        write!(f, "{line}.fit(")?;
        let defaults = FitPolicy::default();
        let mut comma = "";
        let mut setting = |name: &str, value: &dyn fmt::Debug, is_default: bool| {
            if is_default {
                return Ok(());
            }
            write!(f, "{comma}{name}: {value:?}")?;
            comma = ", ";
            Ok(())
        };
        let FitPolicy {
            max_bytes,
            max_side,
            always_crop,
            max_quality,
            min_quality,
            min_scale,
            max_pixels,
        } = self.policy;
        let same_scale = min_scale.total_cmp(&defaults.min_scale).is_eq();
        setting(
            "max_bytes",
            &max_bytes.unwrap_or_default(),
            max_bytes == defaults.max_bytes,
        )?;
        setting(
            "max_side",
            &max_side.unwrap_or_default(),
            max_side == defaults.max_side,
        )?;
        setting("always_crop", &always_crop, !always_crop)?;
        setting(
            "max_quality",
            &max_quality,
            max_quality == defaults.max_quality,
        )?;
        setting(
            "min_quality",
            &min_quality,
            min_quality == defaults.min_quality,
        )?;
        setting("min_scale", &min_scale, same_scale)?;
        setting("max_pixels", &max_pixels, max_pixels == defaults.max_pixels)?;
        f.write_str(")")
    }
}

impl<S: DragSolver> fmt::Display for Fit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
