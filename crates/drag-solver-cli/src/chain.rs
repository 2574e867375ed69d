//! From providers to the one solver that is asked.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use drag_solver::combinators::{
    DragSolverExt as _, Fallback, InvalidPolicy, RetryPolicy, ValidatePolicy,
};
use drag_solver::core::DragSolver;

/// Asks `providers` in this order: each up to `attempts` times, and all of them within `limit`.
///
/// Every provider but the last has an equal share of the time, so that one that never answers
/// leaves some for the others. A job that was paid for is waited for to the end of its share,
/// however often its attempts fail: buying the same answer again would not bring it sooner.
pub(crate) fn build(
    providers: Vec<Arc<dyn DragSolver>>,
    attempts: NonZeroU32,
    limit: Duration,
) -> Result<Arc<dyn DragSolver>, InvalidPolicy> {
    let count = u32::try_from(providers.len()).unwrap_or(u32::MAX);
    let share = limit / count.max(1);
    let last = providers.len().saturating_sub(1);
    let retry = RetryPolicy::default().max_attempts(attempts.get());

    let mut links = Vec::new();
    for (index, provider) in providers.into_iter().enumerate() {
        let link = provider.validate(ValidatePolicy::default())?.retry(retry)?;
        links.push(if index == last {
            link.shared()
        } else {
            link.timeout(share)?.shared()
        });
    }
    match links.as_slice() {
        [only] => Ok(Arc::clone(only)),
        _ => Ok(Fallback::new(links)?.shared()),
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::core::{
        Drag, DragChallenge, ErrorKind, Point, Screenshot, Solution, SolveError,
    };
    use drag_solver_mock::{MockSolver, Outcome};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(120);

    fn answer(seconds: u64) -> Outcome {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        Outcome::answer(drag).after(Duration::from_secs(seconds))
    }

    async fn solve(mocks: &[&MockSolver], attempts: u32) -> Result<Solution, SolveError> {
        let providers = mocks
            .iter()
            .map(|mock| Arc::new((*mock).clone()) as _)
            .collect();
        let chain = build(providers, NonZeroU32::new(attempts).unwrap(), LIMIT).unwrap();
        let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec();
        let challenge = DragChallenge::new(Screenshot::from_bytes(gif).unwrap()).within(LIMIT);
        chain.solve(&challenge).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_is_out_of_order_is_asked_again_then_left() {
        let first = MockSolver::new("first").always(ErrorKind::Unavailable);
        let second = MockSolver::new("second").always(answer(1));
        let solution = solve(&[&first, &second], 3).await.unwrap();
        assert_eq!(solution.provider(), "second");
        assert_eq!((first.call_count(), second.call_count()), (3, 1));
        assert_eq!(solution.failed_attempts().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_never_answers_leaves_time_for_the_next() {
        let stalled = MockSolver::new("stalled").always(answer(100_000));
        let second = MockSolver::new("second").always(answer(30));
        let started = tokio::time::Instant::now();
        let solution = solve(&[&stalled, &second], 3).await.unwrap();
        assert_eq!(solution.provider(), "second");
        assert_eq!(started.elapsed(), Duration::from_secs(60 + 30));
        assert_eq!(
            stalled.purchases(),
            1,
            "a job that was paid for is not bought again"
        );
        assert_eq!(solution.failed_attempts()[0].kind, ErrorKind::Timeout);
    }

    #[tokio::test(start_paused = true)]
    async fn the_only_provider_has_all_the_time() {
        let slow = MockSolver::new("slow").always(answer(119));
        assert_eq!(solve(&[&slow], 3).await.unwrap().provider(), "slow");
        let slower = MockSolver::new("slower").always(answer(121));
        let error = solve(&[&slower], 3).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(error.provider(), Some("slower"));
        assert_eq!(error.unfinished_jobs().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_off_the_picture_is_not_passed_on() {
        let off = Drag::new(Point::new(1.0, 1.0), Point::new(591.0, 1.0));
        let mock = MockSolver::new("mock")
            .then(Outcome::answer(off))
            .always(answer(1));
        let error = solve(&[&mock], 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
        assert!(solve(&[&mock], 1).await.is_ok());
    }
}
