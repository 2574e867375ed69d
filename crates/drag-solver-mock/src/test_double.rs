//! The mockall double.

// What the macro writes is not ours to tidy.
#![allow(missing_docs, clippy::pedantic)]

use drag_solver_core::{
    DragChallenge, DragSolver, Profile, Solution, SolveError, Verdict, async_trait,
};

mockall::mock! {
    /// A [`DragSolver`] whose calls are expected beforehand and checked when it is dropped.
    ///
    /// Each method has an `expect_` twin: see [mockall](https://docs.rs/mockall). A call that was not
    /// expected panics, and so does the end of the test if an expected call did not come. For scripts
    /// of outcomes and latencies, [`MockSolver`](crate::MockSolver) is shorter.
    ///
    /// ```
    /// use drag_solver_core::{DragSolver, Solution};
    /// use drag_solver_mock::{MockDragSolver, fixtures};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), drag_solver_core::SolveError> {
    /// let mut solver = MockDragSolver::new();
    /// solver.expect_name().return_const("double".to_owned());
    /// solver
    ///     .expect_solve()
    ///     .withf(|challenge| challenge.screenshot().width() == 591)
    ///     .once()
    ///     .returning(|_| Ok(Solution::new(fixtures::drag(), "double")));
    ///
    /// let solution = solver.solve(&fixtures::challenge()).await?;
    /// assert_eq!(solution.solver(), solver.name());
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
        fn profile(&self) -> Profile;
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
