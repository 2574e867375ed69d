//! The mockall double.

// What the macro writes is not ours to tidy.
#![allow(missing_docs, clippy::pedantic)]

use drag_solver_core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase,
    async_trait,
};

mockall::mock! {
    /// A [`DragSolver`] whose calls are expected beforehand and checked when it is dropped.
    ///
    /// Each method has an `expect_` twin: see [mockall](https://docs.rs/mockall). A call that was not
    /// expected panics, and so does the end of the test if an expected call did not come. For scripts
    /// of outcomes and latencies, [`MockSolver`](crate::MockSolver) is shorter.
    ///
    /// ```
    /// use drag_solver_core::{Drag, DragSolver, Point, Solution};
    /// use drag_solver_mock::MockDragSolver;
    /// # use drag_solver_core::{DragChallenge, Screenshot};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), drag_solver_core::SolveError> {
    /// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec())?);
    /// let mut solver = MockDragSolver::new();
    /// solver.expect_name().return_const("double".to_owned());
    /// solver
    ///     .expect_solve()
    ///     .withf(|challenge| challenge.screenshot().width() == 591)
    ///     .once()
    ///     .returning(|_| {
    ///         let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
    ///         Ok(Solution::new(drag, "double"))
    ///     });
    ///
    /// let solution = solver.solve(&challenge).await?;
    /// assert_eq!(solution.provider(), solver.name());
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub DragSolver {}

    #[async_trait]
    impl DragSolver for DragSolver {
        fn name(&self) -> &str;
        async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError>;
        async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError>;
        fn worst_case(&self) -> WorstCase;
        fn limits(&self) -> ScreenshotLimits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_solver_that_shows_itself() {
        let double = MockDragSolver::new();
        let solver: &dyn DragSolver = &double;
        assert!(format!("{solver:?}").contains("MockDragSolver"));
    }
}
