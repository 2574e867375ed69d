//! How to test code that asks a solver: no network, no account, no waiting.
//!
//! ```sh
//! cargo run -p drag-solver-examples --example testing_with_mocks
//! cargo test -p drag-solver-examples --example testing_with_mocks
//! ```

#![allow(clippy::print_stdout)] // printing is what a program is for

use drag_solver::prelude::*;
use drag_solver::testing::{MockSolver, fixtures};

/// The code under test. It tries each drag, tells the solver how it went, and asks again if the
/// drag was refused. It takes any solver: a provider, a chain, a mock.
async fn get_past(
    solver: &dyn DragSolver,
    challenge: &DragChallenge,
    mut drag_is_accepted: impl FnMut(&Drag) -> bool,
) -> Result<Solution, SolveError> {
    loop {
        let solution = solver.solve(challenge).await?;
        let accepted = drag_is_accepted(solution.drag());
        let verdict = if accepted {
            Verdict::Correct
        } else {
            Verdict::Incorrect
        };
        // A solver that takes no reports says so; that is no reason to fail.
        let _ = solver.report(&solution, verdict).await;
        if accepted {
            return Ok(solution);
        }
    }
}

const WRONG: Drag = Drag::new(Point::new(83.0, 160.0), Point::new(99.0, 160.0));
const RIGHT: Drag = Drag::new(Point::new(83.0, 160.0), Point::new(150.0, 160.0));

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SolveError> {
    let mock = MockSolver::new("mock").then(WRONG).then(RIGHT);
    let solution = get_past(&mock, &fixtures::challenge(), |drag| *drag == RIGHT).await?;
    println!("accepted: {}", solution.drag());
    for report in mock.reports() {
        println!("reported: {} {:?}", report.solution.drag(), report.verdict);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

    use std::time::Duration;

    use drag_solver::testing::fixtures::challenge;
    use drag_solver::testing::{MockDragSolver, Outcome};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_refused_drag_is_reported_and_another_is_asked_for() {
        let mock = MockSolver::new("mock").then(WRONG).then(RIGHT);
        let solution = get_past(&mock, &challenge(), |drag| *drag == RIGHT).await;
        assert_eq!(*solution.unwrap().drag(), RIGHT);
        let verdicts: Vec<_> = mock.reports().iter().map(|report| report.verdict).collect();
        assert_eq!(verdicts, [Verdict::Incorrect, Verdict::Correct]);
        assert_eq!(mock.purchases(), 2);
    }

    /// On a paused clock hours pass at once, and to the exact instant.
    #[tokio::test(start_paused = true)]
    async fn a_slow_provider_is_left_when_the_deadline_passes() {
        let slow = Outcome::answer(RIGHT).after(Duration::from_secs(3_600));
        let mock = MockSolver::new("mock").always(slow);
        let started = Instant::now();
        let hasty = challenge().within(Duration::from_secs(60));
        let error = get_past(&mock, &hasty, |_| true).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(started.elapsed(), Duration::from_secs(60));
        assert_eq!(error.unfinished_jobs().len(), 1, "it was paid for");
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_ridden_out_by_the_chain_around_the_mock() {
        let mock = MockSolver::new("mock")
            .then_times(2, ErrorKind::Unavailable)
            .then(RIGHT);
        let chain = mock.clone().retry(RetryPolicy::default());
        let solution = get_past(&chain, &challenge(), |_| true).await.unwrap();
        assert_eq!(solution.failed_attempts().len(), 2);
        assert_eq!(mock.remaining_outcomes(), 0);
    }

    /// The same in the style of expectations, with `mockall`.
    #[tokio::test]
    async fn an_empty_account_is_not_asked_twice() {
        let mut mock = MockDragSolver::new();
        mock.expect_solve()
            .once()
            .returning(|_| Err(SolveError::new(ErrorKind::InsufficientBalance, "empty")));
        let error = get_past(&mock, &challenge(), |_| true).await.unwrap_err();
        assert_eq!(error.recovery(), Recovery::Switch);
    }
}
