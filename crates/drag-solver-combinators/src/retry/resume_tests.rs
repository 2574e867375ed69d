//! Jobs that were paid for are resumed, and nothing is bought twice.

use drag_solver_core::{JobId, Ratio};

use drag_solver_mock::{MockSolver, Outcome};

use super::tests::{SEED, unavailable, waits};
use super::*;
use crate::DragSolverExt;
use crate::tests::{Script, challenge, error, job, secs};

#[tokio::test(start_paused = true)]
async fn a_possible_bill_is_not_repeated_by_default() {
    let unknown = || unavailable().with_billed(Billed::Maybe);
    let careful = MockSolver::new("a").fails(Duration::ZERO, unknown());
    let retry = careful.clone().retry(RetryPolicy::default());
    let error = retry.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.billed(), Billed::Maybe);
    assert!(error.is_exhausted());

    let bold = MockSolver::new("a")
        .fails(Duration::ZERO, unknown())
        .answers(Duration::ZERO);
    let policy = RetryPolicy::default().retry_maybe_billed(true);
    let retry = bold.clone().retry(policy);
    retry.solve(&challenge()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_given_up_is_asked_for_again_whether_or_not_it_was_billed() {
    for billed in [Billed::No, Billed::Maybe, Billed::Yes] {
        let gave_up = error(ErrorKind::Unsolvable).with_billed(billed);
        let a = MockSolver::new("a")
            .fails(Duration::ZERO, gave_up)
            .answers(Duration::ZERO);
        let retry = a.clone().retry(RetryPolicy::default());
        let solution = retry.solve(&challenge()).await.unwrap();
        assert_eq!(solution.failed_attempts()[0].billed, billed);
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_billed_and_is_hidden_in_a_chain_is_not_repeated_either() {
    let a = MockSolver::new("a").fails(
        Duration::ZERO,
        error(ErrorKind::Protocol).with_billed(Billed::Maybe),
    );
    let b = MockSolver::new("b").fails(Duration::ZERO, unavailable());
    let chain = a.or(b).retry(RetryPolicy::default());
    let error = chain.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.attempts().len(), 2, "no solver was asked twice");
}

#[tokio::test(start_paused = true)]
async fn a_timed_out_job_is_resumed_and_not_bought_again() {
    let a = MockSolver::new("a").stalls().answers(secs(10));
    let chain = a.clone().timeout(secs(60)).retry(RetryPolicy::default());
    let begun = Instant::now();
    let solution = chain.solve(&challenge().within(secs(120))).await.unwrap();
    assert_eq!(
        begun.elapsed(),
        secs(70),
        "there is no backoff before resuming"
    );
    let resumed: Vec<_> = a.resumed();
    assert_eq!(resumed, [None, Some(JobId::from(1))]);
    let [timed_out] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(timed_out.kind, ErrorKind::Timeout);
    assert!(timed_out.jobs.is_empty(), "the job is finished");
    assert_eq!(timed_out.billed, Billed::No, "the answer has the bill");
}

#[tokio::test(start_paused = true)]
async fn a_job_is_resumed_while_the_deadline_allows_and_named_when_it_does_not() {
    let a = MockSolver::new("a").stalls().stalls().stalls();
    let chain = a
        .clone()
        .timeout(secs(60))
        .retry(RetryPolicy::default().max_attempts(9));
    let begun = Instant::now();
    let error = chain
        .solve(&challenge().within(secs(150)))
        .await
        .unwrap_err();
    assert_eq!(begun.elapsed(), secs(150));
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.unfinished_jobs(), [job("a", 1)]);
    assert_eq!(error.unfinished_jobs(), [job("a", 1)]);
    assert_eq!(a.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_failed_is_not_resumed_again() {
    let a = MockSolver::new("a")
        .stalls()
        .then(Outcome::error(ErrorKind::Unsolvable, "gave up").after(secs(1)))
        .answers(secs(1));
    let chain = a.clone().timeout(secs(60)).retry(RetryPolicy::default());
    let solution = chain.solve(&challenge()).await.unwrap();
    let resumed: Vec<_> = a.resumed();
    assert_eq!(resumed, [None, Some(JobId::from(1)), None]);
    assert!(solution.failed_attempts().iter().all(|a| a.jobs.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_between_does_not_lose_the_job() {
    let a = MockSolver::new("a")
        .stalls()
        .fails(Duration::ZERO, error(ErrorKind::CircuitOpen))
        .fails(Duration::ZERO, error(ErrorKind::CircuitOpen));
    let chain = a.clone().timeout(secs(60)).retry(RetryPolicy::default());
    let error = chain.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert_eq!(error.unfinished_jobs(), [job("a", 1)]);
    assert_eq!(error.billed(), Billed::Maybe);
}

#[tokio::test(start_paused = true)]
async fn jobs_inside_a_failed_chain_are_resumed_before_anything_is_bought() {
    let a = MockSolver::new("a").fails(secs(1), error(ErrorKind::Unsolvable));
    let b = MockSolver::new("b").stalls().answers(secs(5));
    let b_limited = b.clone().timeout(secs(30));
    let chain = a.clone().or(b_limited).retry(RetryPolicy::default());
    let solution = chain.solve(&challenge()).await.unwrap();
    assert_eq!(solution.solver(), "b");
    assert_eq!(a.calls().len(), 1, "a must not be paid for a second answer");
    assert_eq!(b.resumed()[1], Some(JobId::from(1)));
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_paid_job_is_kept_for_later_attempts() {
    let a = MockSolver::new("a")
        .fails(secs(1), unavailable().with_unfinished_jobs([job("a", 1)]))
        .answers(secs(1));
    let retry = a.clone().retry(RetryPolicy::default());
    let brought = job("a", 1);
    retry.solve(&challenge().resume_job(brought)).await.unwrap();
    let resumed: Vec<_> = a.resumed();
    assert_eq!(resumed, [Some(JobId::from(1)), Some(JobId::from(1))]);
}

#[tokio::test(start_paused = true)]
async fn abandoning_jobs_must_be_asked_for() {
    let a = MockSolver::new("a").stalls().answers(secs(1));
    let policy = RetryPolicy::default().resume_paid_jobs(false);
    let chain = a.clone().timeout(secs(60)).retry(policy);
    let solution = chain.solve(&challenge()).await.unwrap();
    assert_eq!(a.resumed()[1], None);
    assert_eq!(
        solution.failed_attempts()[0].jobs,
        [job("a", 1)],
        "what was abandoned is still named"
    );
}

#[tokio::test(start_paused = true)]
async fn only_a_resume_after_a_timeout_is_made_without_backoff() {
    let policy = RetryPolicy::default();
    let [backoff] = waits(policy, 1)[..] else {
        unreachable!()
    };
    // After another error, a resume comes too soon like any attempt.
    let unreachable = unavailable().with_unfinished_jobs([job("a", 1)]);
    let a = MockSolver::new("a")
        .fails(secs(1), unreachable)
        .answers(Duration::ZERO);
    let begun = Instant::now();
    let retry = a.clone().retry(policy).with_seed(SEED);
    retry.solve(&challenge()).await.unwrap();
    assert_eq!(a.resumed()[1], Some(JobId::from(1)));
    assert_eq!(begun.elapsed(), secs(1) + backoff);

    // After a timeout, so does another purchase.
    let a = MockSolver::new("a").stalls().answers(Duration::ZERO);
    let begun = Instant::now();
    let retry = a.clone().timeout(secs(60));
    let retry = retry.retry(policy.resume_paid_jobs(false)).with_seed(SEED);
    retry.solve(&challenge()).await.unwrap();
    assert_eq!(a.resumed()[1], None);
    assert_eq!(begun.elapsed(), secs(60) + backoff);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_the_caller_brought_is_resumed_before_it_is_abandoned() {
    let a = MockSolver::new("a").stalls().answers(secs(1));
    let policy = RetryPolicy::default().resume_paid_jobs(false);
    let chain = a.clone().timeout(secs(60)).retry(policy);
    let brought = challenge().resume_job(job("a", 7));
    chain.solve(&brought).await.unwrap();
    assert_eq!(a.resumed(), [Some(JobId::from(7)), None]);
}

#[tokio::test(start_paused = true)]
async fn what_a_retry_inside_gave_up_is_not_taken_up_even_with_a_paid_job() {
    let unfinished = error(ErrorKind::Timeout).with_unfinished_jobs([job("a", 7)]);
    let a = MockSolver::new("a").always(unfinished);
    let policy = RetryPolicy::default();
    let nested = a
        .clone()
        .retry(policy.max_attempts(2))
        .retry(policy.max_attempts(5));
    let given_up = nested.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.call_count(), 2);
    assert_eq!(given_up.unfinished_jobs(), [job("a", 7)]);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_a_solver_outside_resumes_nothing_here() {
    let a = MockSolver::new("a").always(ErrorKind::Unauthorized);
    let challenge = challenge().resume_job(job("stranger", 7));
    let retried = a.clone().retry(RetryPolicy::default());
    let error = retried.solve(&challenge).await.unwrap_err();
    assert_eq!(a.call_count(), 1);
    assert_eq!(error.unfinished_jobs(), [job("stranger", 7)]);
}

#[tokio::test(start_paused = true)]
async fn resuming_takes_no_token() {
    let policy = RetryBudgetPolicy::default().burst(1).ratio(Ratio::ZERO);
    let budget = RetryBudget::new(policy);
    let a = MockSolver::new("a").stalls().answers(secs(1));
    let limited = a.timeout(secs(30));
    let retry = limited.retry(RetryPolicy::default());
    let retry = retry.with_retry_budget(budget.clone());
    retry.solve(&challenge()).await.unwrap();
    assert_eq!(budget.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_one_solver_is_not_ended_by_the_answer_of_another_that_has_the_same_id() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let silent = drag_solver_core::solver_fn("chain", move |_| {
        let is_first = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        async move {
            if is_first {
                let late = error(ErrorKind::Unavailable).with_solver("a");
                return Err(late.with_unfinished_jobs([job("a", 7)]));
            }
            Ok(Solution::new(drag_solver_mock::fixtures::drag(), "b").with_job(JobId::from(7)))
        }
    });
    let policy = RetryPolicy::default().retry_maybe_billed(true);
    let solution = silent.retry(policy).solve(&challenge()).await.unwrap();
    let failed = &solution.failed_attempts()[0];
    assert_eq!(
        (failed.billed, &failed.jobs[..]),
        (Billed::Maybe, &[job("a", 7)][..])
    );
}
