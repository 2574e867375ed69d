use std::error::Error;

use drag_solver_core::{Billed, ErrorKind, Recovery};

use drag_solver_mock::MockSolver;

use super::*;
use crate::tests::{Named, Script, challenge, error, job, secs};
use crate::{DragSolverExt, RetryPolicy};

fn fails(name: &'static str, error: SolveError) -> MockSolver {
    MockSolver::new(name).fails(secs(1), error)
}

fn answers(name: &'static str) -> MockSolver {
    MockSolver::new(name).answers(secs(1))
}

fn chain(solvers: &[&MockSolver]) -> Fallback {
    let solvers = solvers
        .iter()
        .map(|&s| Arc::new(s.clone()) as Arc<dyn DragSolver>);
    Fallback::new(solvers)
}

#[tokio::test(start_paused = true)]
async fn stop_ends_the_chain_at_once_and_everything_else_moves_on() {
    for &kind in ErrorKind::ALL {
        let (a, b) = (fails("a", error(kind)), answers("b"));
        let outcome = chain(&[&a, &b]).solve(&challenge()).await;
        if kind.recovery() == Recovery::Stop {
            assert_eq!(outcome.unwrap_err().kind(), kind);
            assert!(b.calls().is_empty(), "{kind}");
        } else {
            assert_eq!(outcome.unwrap().solver(), "b", "{kind}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_retry_moves_on() {
    let a = fails("a", error(ErrorKind::Unavailable).mark_exhausted());
    let solution = chain(&[&a, &answers("b")]).solve(&challenge()).await;
    let solution = solution.unwrap();
    assert_eq!(solution.elapsed(), secs(2), "failures are included");
    let [failed] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(failed.solver.as_deref(), Some("a"));
    assert_eq!(failed.kind, ErrorKind::Unavailable);
    assert_eq!(failed.elapsed, secs(1));
}

#[tokio::test(start_paused = true)]
async fn all_failed_keeps_every_attempt_in_order() {
    let a = fails(
        "a",
        error(ErrorKind::InvalidAnswer).with_billed(Billed::Yes),
    );
    let b = fails("b", error(ErrorKind::Unauthorized));
    let all = chain(&[&a, &b]).solve(&challenge()).await.unwrap_err();
    assert_eq!(all.kind(), ErrorKind::AllFailed);
    assert_eq!(all.recovery(), Recovery::Retry, "the mildest of its parts");
    assert_eq!(all.billed(), Billed::Yes);
    assert!(all.source().unwrap().to_string().contains("unauthorized"));
    let attempts = all.attempts();
    let attempts: Vec<_> = attempts
        .iter()
        .map(|a| (a.solver.as_deref(), a.kind, a.elapsed, a.billed))
        .collect();
    assert_eq!(
        attempts,
        [
            (Some("a"), ErrorKind::InvalidAnswer, secs(1), Billed::Yes),
            (Some("b"), ErrorKind::Unauthorized, secs(1), Billed::No),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_that_ends_the_chain_keeps_the_attempts_before_it() {
    let lost = error(ErrorKind::Timeout)
        .with_billed(Billed::Maybe)
        .with_unfinished_jobs([job("a", 1)]);
    let a = fails("a", lost);
    let b = fails("b", error(ErrorKind::InvalidChallenge));
    let stopped = chain(&[&a, &b, &answers("c")])
        .solve(&challenge())
        .await
        .unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::InvalidChallenge);
    assert_eq!(stopped.attempts().len(), 2);
    assert_eq!(stopped.billed(), Billed::Maybe);
    assert_eq!(stopped.unfinished_jobs(), [job("a", 1)]);
}

#[tokio::test(start_paused = true)]
async fn no_solver_is_asked_after_the_deadline() {
    let a = fails("a", error(ErrorKind::Unavailable));
    let b = answers("b");
    let late = chain(&[&a, &b])
        .solve(&challenge().within(secs(1)))
        .await
        .unwrap_err();
    assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
    assert!(b.calls().is_empty());
    assert_eq!(late.failed_attempts().len(), 1, "b made no attempt");
    assert!(late.message().contains("left to ask b"), "{late}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_is_for_the_first_solver_to_refuse() {
    let (a, b) = (answers("a"), answers("b"));
    let expired = challenge().within(secs(0));
    let refused = chain(&[&a, &b]).solve(&expired).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!((a.call_count(), b.call_count()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_solver_with_a_paid_job_is_asked_first() {
    let (a, b) = (answers("a"), answers("b"));
    let nested = chain(&[&a]).or(chain(&[&b]));
    let brought = job("b", 1);
    let solution = nested
        .solve(&challenge().resume_job(brought))
        .await
        .unwrap();
    assert_eq!(solution.solver(), "b");
    assert!(a.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_report_goes_to_whoever_answered_and_nowhere_else() {
    let a = fails("a", error(ErrorKind::Unavailable));
    let (b, c) = (answers("b"), answers("c"));
    let nested = chain(&[&a]).or(chain(&[&b, &c]));
    let solution = nested.solve(&challenge()).await.unwrap();
    nested.report(&solution, Verdict::Incorrect).await.unwrap();
    assert_eq!(b.heard().len(), 1);
    assert!(a.heard().is_empty() && c.heard().is_empty());
    assert!(
        b.heard()[0].0.pop_route().is_none(),
        "b sees its own answer"
    );
}

#[tokio::test(start_paused = true)]
async fn two_solvers_of_one_name_are_told_apart_by_the_route() {
    let first = fails("a", error(ErrorKind::InsufficientBalance));
    let second = answers("a");
    let both = chain(&[&first, &second]);
    assert_eq!(both.name(), "a");
    let solution = both.solve(&challenge()).await.unwrap();
    both.report(&solution, Verdict::Incorrect).await.unwrap();
    assert!(first.heard().is_empty());
    assert_eq!(second.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_solution_without_a_route_is_reported_by_name() {
    let (a, b) = (answers("a"), answers("b"));
    let nested = chain(&[&a]).or(chain(&[&b]).retry(RetryPolicy::default()));
    let restored = Solution::new(crate::tests::drag(), "b");
    nested.report(&restored, Verdict::Correct).await.unwrap();
    assert!(a.heard().is_empty());
    assert_eq!(b.heard().len(), 1);

    let stranger = Solution::new(crate::tests::drag(), "c");
    let refused = nested.report(&stranger, Verdict::Correct).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn a_report_survives_a_chain_that_was_reordered_since() {
    let (a, b) = (answers("a"), answers("b"));
    let solution = chain(&[&a, &b]).solve(&challenge()).await.unwrap();
    let reordered = chain(&[&b, &a]);
    reordered.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard().len(), 1);
    assert!(b.heard().is_empty());
}

#[tokio::test(start_paused = true)]
async fn among_equal_names_the_first_that_accepts_a_report_gets_it() {
    let deaf = MockSolver::new("a").without_reports();
    let a = answers("a");
    let restored = Solution::new(crate::tests::drag(), "a");
    let both = chain(&[&deaf, &a, &a]);
    both.report(&restored, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_has_no_solver_to_ask() {
    let none = Fallback::new([]).solve(&challenge()).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::AllFailed);
    assert_eq!(none.message(), "there is no solver to ask");
    assert_eq!(none.billed(), Billed::No);
}

#[tokio::test(start_paused = true)]
async fn two_open_jobs_of_one_solver_stay_two_around_and_inside_a_retry() {
    let a = (0..9).fold(MockSolver::new("a"), |a, _| a.stalls());
    let limited = || a.clone().timeout(secs(10));
    let chain = limited()
        .or(limited())
        .retry(RetryPolicy::default().max_attempts(2));
    let error = chain.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.purchases(), 2, "no third was bought");
    let mut jobs = error.unfinished_jobs();
    jobs.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(jobs, [job("a", 1), job("a", 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_stops_hands_back_the_jobs_of_those_it_did_not_ask() {
    let stop = error(ErrorKind::InvalidChallenge);
    let a = MockSolver::new("a").fails(secs(1), stop);
    let chain = a.or(MockSolver::new("b"));
    let brought = challenge().resume_job(job("a", 7)).resume_job(job("b", 8));
    let stopped = chain.solve(&brought).await.unwrap_err();
    assert!(stopped.unfinished_jobs().contains(&job("b", 8)));
}

#[test]
fn or_makes_one_flat_list() {
    let chain = Named("a").or(Named("b")).or(Named("c"));
    assert_eq!(chain.name(), "a|b|c");
    assert_eq!(chain.to_string(), "fallback[a, b, c]");
}
