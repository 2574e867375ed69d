use drag_solver_core::Verdict;
use drag_solver_mock::MockSolver;

use super::*;
use crate::DragSolverExt;
use crate::tests::{Named, Script, challenge, job, millis, secs};

#[tokio::test(start_paused = true)]
async fn only_a_challenge_without_a_deadline_gets_one() {
    let begun = Instant::now();
    let a = (0..3).fold(MockSolver::new("a"), |a, _| a.answers(Duration::ZERO));
    let due = a.clone().deadline(secs(120));
    due.solve(&challenge()).await.unwrap();
    due.solve(&challenge().within(secs(5))).await.unwrap();
    due.solve(&challenge().within(secs(500))).await.unwrap();
    let deadlines: Vec<_> = a
        .calls()
        .iter()
        .filter_map(|call| call.challenge.deadline())
        .collect();
    let expected = [120, 5, 500].map(|seconds| begun + secs(seconds));
    assert_eq!(deadlines, expected);
}

#[tokio::test(start_paused = true)]
async fn an_expired_challenge_is_refused_before_any_solver_is_asked() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let due = a.clone().deadline(secs(120));
    let late = due.solve(&challenge().within(Duration::ZERO)).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(a.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_exceeds_its_deadline_is_dropped_at_the_instant_and_its_jobs_are_kept() {
    for (own, expected) in [(None, secs(120)), (Some(millis(7_001)), millis(7_001))] {
        let a = MockSolver::new("a").exceeds_deadline();
        let due = a.clone().deadline(secs(120));
        let challenge = own.map_or(challenge(), |own| challenge().within(own));
        let begun = Instant::now();
        let late = due.solve(&challenge).await.unwrap_err();
        assert_eq!(begun.elapsed(), expected);
        assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(late.unfinished_jobs(), [job("a", 1)]);
        assert_eq!(a.in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_very_instant_counts() {
    for (takes, in_time) in [(millis(120_000), true), (millis(120_001), false)] {
        let due = MockSolver::new("a").answers(takes).deadline(secs(120));
        let outcome = due.solve(&challenge()).await;
        assert_eq!(outcome.is_ok(), in_time, "{takes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn huge_limits_do_not_panic_and_with_zero_nothing_is_sent() {
    let endless = Named("a").deadline(Duration::MAX);
    endless.solve(&challenge()).await.unwrap();
    let refused = Named("a")
        .deadline(Duration::ZERO)
        .solve(&challenge())
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    let refused = DeadlinePolicy::from(Duration::ZERO).check().unwrap_err();
    assert_eq!(refused.path(), "limit");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_hands_back_the_jobs_that_the_challenge_brought() {
    let due = Named("a").deadline(secs(120));
    let expired = challenge().within(Duration::ZERO).resume_job(job("a", 7));
    let refused = due.solve(&expired).await.unwrap_err();
    assert_eq!(refused.unfinished_jobs(), [job("a", 7)]);
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let due = a.clone().deadline(secs(1));
    assert_eq!(due.name(), "a");
    let solution = due.solve(&challenge()).await.unwrap();
    due.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let due = Named("a").deadline(secs(120));
    assert_eq!(due.to_string(), "a.deadline(2m)");
    assert_eq!(due.profile().worst_case.time, Some(secs(120)));
}
