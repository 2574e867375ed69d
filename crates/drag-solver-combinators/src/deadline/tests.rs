use drag_solver_core::{JobId, PaidJob};
use drag_solver_mock::MockSolver;

use super::*;
use crate::DragSolverExt;
use crate::testing::{Named, Script, challenge, millis, secs};

#[tokio::test(start_paused = true)]
async fn only_a_challenge_without_a_deadline_gets_one() {
    let begun = Instant::now();
    let a = (0..3).fold(MockSolver::new("a"), |a, _| a.answers(Duration::ZERO));
    let due = a.clone().deadline(secs(120)).unwrap();
    due.solve(&challenge()).await.unwrap();
    due.solve(&challenge().within(secs(5))).await.unwrap();
    due.solve(&challenge().within(secs(500))).await.unwrap();
    let deadlines: Vec<_> = a.calls().iter().filter_map(|call| call.deadline).collect();
    let expected = [120, 5, 500].map(|seconds| begun + secs(seconds));
    assert_eq!(deadlines, expected);
}

#[tokio::test(start_paused = true)]
async fn an_expired_challenge_is_refused_before_anybody_is_asked() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let due = a.clone().deadline(secs(120)).unwrap();
    let late = due.solve(&challenge().within(Duration::ZERO)).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(a.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_overstays_is_dropped_at_the_instant_and_its_jobs_are_kept() {
    for (own, expected) in [(None, secs(120)), (Some(millis(7_001)), millis(7_001))] {
        let a = MockSolver::new("a").overstays();
        let due = a.clone().deadline(secs(120)).unwrap();
        let challenge = own.map_or(challenge(), |own| challenge().within(own));
        let begun = Instant::now();
        let late = due.solve(&challenge).await.unwrap_err();
        assert_eq!(begun.elapsed(), expected);
        assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(late.unfinished_jobs(), [PaidJob::new("a", JobId::from(1))]);
        assert_eq!(a.in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_very_instant_counts() {
    for (takes, in_time) in [(millis(120_000), true), (millis(120_001), false)] {
        let due = MockSolver::new("a").answers(takes).deadline(secs(120));
        let outcome = due.unwrap().solve(&challenge()).await;
        assert_eq!(outcome.is_ok(), in_time, "{takes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn huge_limits_do_not_panic_and_zero_is_refused() {
    let endless = Named("a").deadline(Duration::MAX).unwrap();
    endless.solve(&challenge()).await.unwrap();
    let refused = Named("a").deadline(Duration::ZERO).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "deadline.limit must be longer than zero"
    );
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let due = a.clone().deadline(secs(1)).unwrap();
    assert_eq!(due.name(), "a");
    let solution = due.solve(&challenge()).await.unwrap();
    due.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let due = Named("a").deadline(secs(120)).unwrap();
    assert_eq!(due.to_string(), "a.deadline(120s)");
    assert_eq!(due.worst_case().time, Some(secs(120)));
}
