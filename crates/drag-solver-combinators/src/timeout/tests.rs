use drag_solver_core::{Billed, Recovery, Verdict};

use drag_solver_mock::MockSolver;

use super::*;
use crate::DragSolverExt;
use crate::tests::{Script, challenge, error, job, millis, secs};

#[tokio::test(start_paused = true)]
async fn the_solver_is_handed_the_nearer_deadline() {
    let begun = Instant::now();
    let a = (0..3).fold(MockSolver::new("a"), |a, _| a.answers(secs(1)));
    let limited = a.clone().timeout(secs(30));
    limited.solve(&challenge()).await.unwrap();
    limited.solve(&challenge().within(secs(5))).await.unwrap();
    limited.solve(&challenge().within(secs(50))).await.unwrap();
    let deadlines: Vec<_> = a
        .calls()
        .iter()
        .filter_map(|call| call.challenge.deadline())
        .collect();
    assert_eq!(
        deadlines,
        [begun + secs(30), begun + secs(6), begun + secs(32)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_attempt_is_a_timeout_and_names_its_paid_job() {
    let a = MockSolver::new("a").stalls();
    let begun = Instant::now();
    let late = a.timeout(secs(30)).solve(&challenge()).await;
    let late = late.unwrap_err();
    assert_eq!(begun.elapsed(), secs(30));
    assert_eq!(late.kind(), ErrorKind::Timeout);
    assert_eq!(late.message(), "no answer within 30s");
    assert_eq!(late.recovery(), Recovery::Switch);
    assert_eq!(late.unfinished_jobs(), [job("a", 1)]);
    assert_eq!(late.billed(), Billed::Maybe);
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_very_instant_counts() {
    for (takes, in_time) in [(millis(30_000), true), (millis(30_001), false)] {
        let a = MockSolver::new("a").answers(takes);
        let outcome = a.timeout(secs(30)).solve(&challenge()).await;
        assert_eq!(outcome.is_ok(), in_time, "{takes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_challenges_own_deadline_is_not_a_timeout() {
    for own in [millis(29_999), secs(30)] {
        let a = MockSolver::new("a").stalls();
        let begun = Instant::now();
        let late = a.timeout(secs(30));
        let late = late.solve(&challenge().within(own)).await.unwrap_err();
        assert_eq!(begun.elapsed(), own);
        assert_eq!(late.kind(), ErrorKind::DeadlineExceeded, "{own:?}");
        assert_eq!(late.unfinished_jobs(), [job("a", 1)]);
    }
    let a = MockSolver::new("a").stalls();
    let late = a.timeout(secs(30));
    let late = late.solve(&challenge().within(millis(30_001))).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_challenges_own_deadline_stays_one() {
    let refusal = || error(ErrorKind::DeadlineExceeded);
    let a = MockSolver::new("a").fails(secs(1), refusal());
    let own = a.timeout(secs(30));
    let own = own.solve(&challenge().within(secs(10))).await.unwrap_err();
    assert_eq!(own.kind(), ErrorKind::DeadlineExceeded);

    let a = MockSolver::new("a").fails(secs(1), refusal());
    let ours = a.timeout(secs(10));
    let ours = ours.solve(&challenge().within(secs(30))).await.unwrap_err();
    assert_eq!(
        ours.kind(),
        ErrorKind::Timeout,
        "the challenge is still good"
    );
}

#[tokio::test(start_paused = true)]
async fn a_solver_that_exceeds_its_deadline_is_dropped_and_its_job_kept() {
    let a = MockSolver::new("a").exceeds_deadline();
    let begun = Instant::now();
    let late = a.timeout(secs(30)).solve(&challenge()).await;
    let late = late.unwrap_err();
    assert_eq!(begun.elapsed(), secs(30));
    assert_eq!(late.kind(), ErrorKind::Timeout);
    assert_eq!(late.unfinished_jobs(), [job("a", 1)]);
    assert_eq!(
        late.to_string(),
        "a: no answer within 30s (timeout; it may have cost money; job 1 is unfinished and can be \
         resumed)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_solver_that_exceeds_its_deadline_may_have_cost_money() {
    let a = MockSolver::new("a").free().exceeds_deadline();
    let late = a.timeout(secs(30)).solve(&challenge()).await;
    assert_eq!(late.unwrap_err().billed(), Billed::Maybe);
}

#[tokio::test(start_paused = true)]
async fn every_job_inside_a_chain_that_exceeds_its_deadline_is_kept() {
    let a = MockSolver::new("a").stalls().exceeds_deadline();
    let b = MockSolver::new("b").exceeds_deadline();
    let a_limited = a.clone().timeout(secs(10));
    let chain = a_limited.or(b).timeout(secs(30));
    let late = chain.solve(&challenge()).await.unwrap_err();
    let jobs = ["a", "b"].map(|name| job(name, 1));
    assert_eq!(late.unfinished_jobs(), jobs);
}

#[tokio::test(start_paused = true)]
async fn huge_limits_do_not_panic() {
    let a = MockSolver::new("a").answers(secs(1));
    let limited = a.timeout(Duration::MAX);
    limited.solve(&challenge()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn with_a_limit_of_zero_nothing_is_sent_and_a_file_may_not_say_it() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let late = a.clone().timeout(Duration::ZERO).solve(&challenge()).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(a.call_count(), 0);
    let refused = TimeoutPolicy::from(Duration::ZERO).check().unwrap_err();
    assert_eq!(refused.to_string(), "limit: must be longer than zero");
    let unknown = serde_json::from_str::<TimeoutPolicy>(r#"{"limits": "1s"}"#);
    assert!(unknown.unwrap_err().to_string().contains("`limit`"));
}

#[tokio::test(start_paused = true)]
async fn two_jobs_of_one_solver_that_exceed_the_limit_are_both_named_and_so_is_what_was_brought() {
    let a = MockSolver::new("a").exceeds_deadline().exceeds_deadline();
    let twice = a.clone().hedge(a, secs(1)).timeout(secs(30));
    let brought = challenge().resume_job(job("b", 7));
    let late = twice.solve(&brought).await.unwrap_err();
    let mut jobs = late.unfinished_jobs();
    jobs.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(jobs, [job("a", 1), job("a", 2), job("b", 7)]);
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let limited = a.clone().timeout(secs(1));
    assert_eq!(limited.name(), "a");
    let solution = limited.solve(&challenge()).await.unwrap();
    limited.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}
