//! The trait everything else is built around.

use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;

use crate::{DragChallenge, ErrorKind, Profile, Solution, SolveError, Verdict};

/// Something that can answer a drag challenge: a provider, a mock, or a chain of either.
///
/// The trait is dyn-compatible and forwarded for `Box<S>` and `Arc<S>`, so a solver chosen at run time
/// is an `Arc<dyn DragSolver>`. See the [crate docs](crate) for an implementation,
/// [`solver_fn`] for one made of a closure, and [`forward_solver!`](crate::forward_solver) for wrappers.
///
/// # Cancellation
///
/// Dropping the future of [`solve`](Self::solve) abandons the attempt at once. All that was acquired
/// locally is given back; a job that a provider has already accepted may still be billed. A
/// [tracked](DragChallenge::tracked) challenge knows which jobs those are.
#[async_trait]
pub trait DragSolver: Debug + Send + Sync + 'static {
    /// Who answers: short, stable, lower case (`"omocaptcha"`). Labels errors, logs and metrics.
    ///
    /// A combinator around one solver forwards that solver's name.
    fn name(&self) -> &str;

    /// Finds where to drag.
    ///
    /// Implementations respect [`DragChallenge::deadline`], return pixels of the challenge's own
    /// screenshot, tell of money through [`DragChallenge::notify`], and describe every failure by an
    /// [`ErrorKind`] and what was [`Billed`](crate::Billed).
    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError>;

    /// Tells the provider that produced `solution` whether the drag was accepted.
    ///
    /// Some providers refund wrong answers that are reported in time. The default says
    /// [`ErrorKind::Unsupported`]: a solver that has no provider to tell need not override it.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let _ = (solution, verdict);
        Err(
            SolveError::new(ErrorKind::Unsupported, "this solver takes no reports")
                .with_solver(self.name()),
        )
    }

    /// What one call can cost and take at most, and which pictures it accepts. The default says that
    /// nothing is known.
    fn profile(&self) -> Profile {
        Profile::default()
    }
}

/// Forwards methods of [`DragSolver`] to a field, inside of an implementation of it:
/// `forward_solver!(inner: name, report);`.
///
/// A forgotten default method is how wrappers drift from what they wrap. So deny
/// `clippy::missing_trait_methods` on the implementation, and the lint asks for every method. The
/// futures are handed on as they are: an `async fn` would put each into a box of its own.
///
/// ```
/// use drag_solver_core::{
///     DragChallenge, DragSolver, Solution, SolveError, async_trait, forward_solver,
/// };
///
/// /// Prints each answer.
/// #[derive(Debug)]
/// struct Printing<S>(S);
///
/// #[async_trait]
/// #[deny(clippy::missing_trait_methods)]
/// impl<S: DragSolver> DragSolver for Printing<S> {
///     forward_solver!(0: name, report, profile);
///
///     async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
///         let solution = self.0.solve(challenge).await?;
///         println!("{}", solution.drag());
///         Ok(solution)
///     }
/// }
/// ```
///
/// # What else a wrapper may need
///
/// - to refuse, with the paid jobs handed back: [`DragChallenge::refuse`](crate::DragChallenge::refuse);
/// - to know what a call has bought, also when it is dropped: [`DragChallenge::tracked`](crate::DragChallenge::tracked);
/// - to prevent a purchase: [`DragChallenge::with_observer`](crate::DragChallenge::with_observer);
/// - to end a call earlier: [`DragChallenge::with_deadline_at_most`](crate::DragChallenge::with_deadline_at_most);
/// - to say that a call waits on this side: [`Event::Waiting`](crate::Event::Waiting);
/// - to keep what failed before, and how long all of it took:
///   [`Solution::with_failed_attempts`](crate::Solution::with_failed_attempts),
///   [`SolveError::all_failed`](crate::SolveError::all_failed), and `with_elapsed` of both;
/// - to lead a report back to the one of several that answered:
///   [`Solution::push_route`](crate::Solution::push_route);
/// - to say what it can cost: the arithmetic of [`WorstCase`](crate::WorstCase), in the fields of a
///   [`Profile`](crate::Profile).
#[macro_export]
macro_rules! forward_solver {
    ($field:tt: $($method:ident),+) => {
        $($crate::forward_solver!(@$method ($field));)+
    };
    (@target $this:ident (*)) => { **$this };
    (@target $this:ident ($field:tt)) => { $this.$field };
    (@name $field:tt) => {
        fn name(&self) -> &str {
            $crate::DragSolver::name(&$crate::forward_solver!(@target self $field))
        }
    };
    (@solve $field:tt) => {
        fn solve<'life0, 'life1, 'async_trait>(
            &'life0 self,
            challenge: &'life1 $crate::DragChallenge,
        ) -> $crate::SolverFuture<'async_trait, $crate::Solution>
        where
            'life0: 'async_trait,
            'life1: 'async_trait,
            Self: 'async_trait,
        {
            $crate::DragSolver::solve(&$crate::forward_solver!(@target self $field), challenge)
        }
    };
    (@report $field:tt) => {
        fn report<'life0, 'life1, 'async_trait>(
            &'life0 self,
            solution: &'life1 $crate::Solution,
            verdict: $crate::Verdict,
        ) -> $crate::SolverFuture<'async_trait, ()>
        where
            'life0: 'async_trait,
            'life1: 'async_trait,
            Self: 'async_trait,
        {
            let target = &$crate::forward_solver!(@target self $field);
            $crate::DragSolver::report(target, solution, verdict)
        }
    };
    (@profile $field:tt) => {
        fn profile(&self) -> $crate::Profile {
            $crate::DragSolver::profile(&$crate::forward_solver!(@target self $field))
        }
    };
}

#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver + ?Sized> DragSolver for Box<S> {
    forward_solver!(*: name, solve, report, profile);
}

#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver + ?Sized> DragSolver for Arc<S> {
    forward_solver!(*: name, solve, report, profile);
}

/// A solver called `name` that answers what the closure does. The closure gets a clone of the challenge, which
/// copies no pixels.
///
/// ```
/// use drag_solver_core::{Drag, DragSolver, Point, Solution, solver_fn};
///
/// let solver = solver_fn("always-the-same", |_challenge| async {
///     let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
///     Ok(Solution::new(drag, "always-the-same"))
/// });
/// assert_eq!(solver.name(), "always-the-same");
/// ```
pub fn solver_fn<F, Fut>(name: impl Into<Arc<str>>, solve: F) -> SolverFn<F>
where
    F: Fn(DragChallenge) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Solution, SolveError>> + Send,
{
    SolverFn {
        name: name.into(),
        solve,
    }
}

/// A closure as a solver: see [`solver_fn`].
#[derive(Clone)]
pub struct SolverFn<F> {
    name: Arc<str>,
    solve: F,
}

#[async_trait]
impl<F, Fut> DragSolver for SolverFn<F>
where
    F: Fn(DragChallenge) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Solution, SolveError>> + Send,
{
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        (self.solve)(challenge.clone()).await
    }
}

impl<F> Debug for SolverFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Drag, Point, Screenshot, ScreenshotLimits, WorstCase};

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

        fn profile(&self) -> Profile {
            let limits = ScreenshotLimits::none().with_max_side(1_200);
            Profile::new(WorstCase::one_purchase()).with_limits(limits)
        }
    }

    fn challenge() -> DragChallenge {
        let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;".to_vec();
        DragChallenge::new(Screenshot::from_bytes(gif).unwrap())
    }

    async fn use_it(solver: impl DragSolver) {
        assert_eq!(solver.name(), "recorder");
        let profile = solver.profile();
        assert_eq!(profile.worst_case, WorstCase::one_purchase());
        assert_eq!(profile.limits.max_side(), Some(1_200));
        let solution = solver.solve(&challenge()).await.unwrap();
        assert_eq!(solution.solver(), "recorder");
        solver.report(&solution, Verdict::Incorrect).await.unwrap();
    }

    #[tokio::test]
    async fn pointers_forward_every_method() {
        let recorder = Arc::new(Recorder::default());
        use_it(Box::new(Arc::clone(&recorder))).await;
        use_it(Arc::clone(&recorder) as Arc<dyn DragSolver>).await;
        assert_eq!(
            *recorder.reports.lock().unwrap(),
            [Verdict::Incorrect; 2],
            "a wrapper that falls back to the default `report` would lose these"
        );
    }

    #[tokio::test]
    async fn report_is_unsupported_unless_overridden() {
        let silent = solver_fn("silent", |_| async {
            Err(SolveError::new(ErrorKind::Unsolvable, "never"))
        });
        let solution = Solution::new(Drag::new(Point::new(0.0, 0.0), Point::new(1.0, 1.0)), "x");
        let error = silent
            .report(&solution, Verdict::Correct)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.solver(), Some("silent"));
        assert_eq!(silent.profile(), Profile::default());
        assert_eq!(format!("{silent:?}"), "silent");
    }
}
