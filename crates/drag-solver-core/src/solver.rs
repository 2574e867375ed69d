//! The trait everything else is built around.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{DragChallenge, ErrorKind, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase};

/// Something that can answer a drag challenge: a provider, a mock, or a chain of either.
///
/// The trait is dyn-compatible and forwarded for `&S`, `Box<S>` and `Arc<S>`, so a solver chosen at
/// run time is an `Arc<dyn DragSolver>`. See the [crate docs](crate) for an implementation.
///
/// # Cancellation
///
/// Dropping the future of [`solve`](Self::solve) abandons the attempt at once. Whatever was acquired
/// locally is given back; a job that a provider has already accepted may still be billed. A
/// [`ProgressListener`](crate::ProgressListener) learns which jobs those are.
#[async_trait]
pub trait DragSolver: Debug + Send + Sync {
    /// Who answers: short, stable, lower case (`"omocaptcha"`). Labels errors, logs and metrics.
    ///
    /// A combinator around one solver forwards that solver's name.
    fn name(&self) -> &str;

    /// Finds where to drag.
    ///
    /// Implementations respect [`DragChallenge::deadline`], return pixels of the challenge's own
    /// screenshot, and describe every failure by an [`ErrorKind`] and a [`Charge`](crate::Charge).
    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError>;

    /// Tells whoever produced `solution` whether the drag was accepted.
    ///
    /// Some providers refund wrong answers that are reported in time. The default says
    /// [`ErrorKind::Unsupported`]: a solver that has nobody to tell need not override it.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let _ = (solution, verdict);
        Err(
            SolveError::new(ErrorKind::Unsupported, "this solver takes no reports")
                .with_provider(self.name()),
        )
    }

    /// The most that one call of [`solve`](Self::solve) can take: answers bought, time and cost.
    ///
    /// It holds for a challenge that brings no later deadline than the solver would set itself. The
    /// default says that nothing is known.
    fn worst_case(&self) -> WorstCase {
        WorstCase::unknown()
    }

    /// The pictures it takes: one beyond these limits is sure to be refused.
    ///
    /// Known beforehand, so that a wrapper can make a screenshot fit. A combinator around one solver
    /// forwards that solver's limits; one that asks several has none of its own, as each of them has
    /// other ones. The default is no limits.
    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
    }
}

/// What an `async fn` of the trait returns.
type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, SolveError>> + Send + 'a>>;

// A forgotten default method is how wrappers drift from what they wrap, so the lint is denied here.
// The futures are handed on as they are: an `async fn` here would put each into a box of its own.
macro_rules! forward {
    ($($wrapper:ty),+) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<S: DragSolver + ?Sized> DragSolver for $wrapper {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn solve<'life0, 'life1, 'async_trait>(
                &'life0 self,
                challenge: &'life1 DragChallenge,
            ) -> Pending<'async_trait, Solution>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                Self: 'async_trait,
            {
                (**self).solve(challenge)
            }

            fn report<'life0, 'life1, 'async_trait>(
                &'life0 self,
                solution: &'life1 Solution,
                verdict: Verdict,
            ) -> Pending<'async_trait, ()>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                Self: 'async_trait,
            {
                (**self).report(solution, verdict)
            }

            fn worst_case(&self) -> WorstCase {
                (**self).worst_case()
            }

            fn limits(&self) -> ScreenshotLimits {
                (**self).limits()
            }
        }
    )+};
}

forward!(&S, Box<S>, Arc<S>);

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Drag, Point, Screenshot};

    #[derive(Debug, Default)]
    struct Recorder {
        reports: Mutex<Vec<Verdict>>,
    }

    #[async_trait]
    impl DragSolver for Recorder {
        fn name(&self) -> &'static str {
            "recorder"
        }

        async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
            let drag = Drag::new(Point::new(1.0, 2.0), Point::new(3.0, 4.0));
            Ok(Solution::new(drag, self.name()))
        }

        async fn report(&self, _: &Solution, verdict: Verdict) -> Result<(), SolveError> {
            self.reports.lock().unwrap().push(verdict);
            Ok(())
        }

        fn worst_case(&self) -> WorstCase {
            WorstCase::one_attempt()
        }

        fn limits(&self) -> ScreenshotLimits {
            ScreenshotLimits::none().with_max_side(1_200)
        }
    }

    #[derive(Debug)]
    struct Silent;

    #[async_trait]
    impl DragSolver for Silent {
        fn name(&self) -> &'static str {
            "silent"
        }

        async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
            Err(SolveError::new(ErrorKind::Unsolvable, "never"))
        }
    }

    fn challenge() -> DragChallenge {
        let gif = b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec();
        DragChallenge::new(Screenshot::from_bytes(gif).unwrap())
    }

    async fn use_it(solver: impl DragSolver) {
        assert_eq!(solver.name(), "recorder");
        assert_eq!(solver.worst_case(), WorstCase::one_attempt());
        assert_eq!(solver.limits().max_side(), Some(1_200));
        let solution = solver.solve(&challenge()).await.unwrap();
        assert_eq!(solution.provider(), "recorder");
        solver.report(&solution, Verdict::Incorrect).await.unwrap();
    }

    #[tokio::test]
    async fn pointers_forward_every_method() {
        let recorder = Arc::new(Recorder::default());
        use_it(&*recorder).await;
        use_it(Box::new(Arc::clone(&recorder))).await;
        use_it(Arc::clone(&recorder) as Arc<dyn DragSolver>).await;
        assert_eq!(
            *recorder.reports.lock().unwrap(),
            [Verdict::Incorrect; 3],
            "a wrapper that falls back to the default `report` would lose these"
        );
    }

    #[tokio::test]
    async fn report_is_unsupported_unless_overridden() {
        let solution = Solution::new(Drag::new(Point::new(0.0, 0.0), Point::new(1.0, 1.0)), "x");
        let error = Silent
            .report(&solution, Verdict::Correct)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.provider(), Some("silent"));
    }
}
