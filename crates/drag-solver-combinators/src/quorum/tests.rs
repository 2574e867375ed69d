use drag_solver_core::{Billed, Drag, ErrorKind, Point, Recovery, Usd};
use drag_solver_mock::{CallStatus, MockSolver, Outcome};
use tokio::time::Instant;

use super::*;
use crate::tests::{Named, Script, challenge, error, job, secs};
use crate::{DragSolverExt, RetryPolicy};

pub(super) fn mock(name: &'static str) -> MockSolver {
    MockSolver::new(name)
}

pub(super) fn to(x: f64) -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(x, 560.0))
}

/// Says `x` after `seconds`.
pub(super) fn says(name: &'static str, x: f64, seconds: u64) -> MockSolver {
    mock(name).then(Outcome::answer(to(x)).after(secs(seconds)))
}

pub(super) fn quorum(solvers: &[&MockSolver], policy: QuorumPolicy) -> Quorum {
    let solvers = solvers
        .iter()
        .map(|&s| Arc::new(s.clone()) as Arc<dyn DragSolver>);
    Quorum::new(solvers, policy)
}

pub(super) fn two() -> QuorumPolicy {
    QuorumPolicy::default()
}

fn at_once() -> QuorumPolicy {
    two().all_at_once(true)
}

#[tokio::test(start_paused = true)]
async fn two_that_agree_answer_with_their_centre_and_nobody_else_is_asked() {
    let (a, b, c) = (says("a", 320.0, 3), says("b", 326.0, 9), mock("c"));
    let begun = Instant::now();
    let trio = quorum(&[&a, &b, &c], two());
    let solution = trio.solve(&challenge()).await.unwrap();
    assert_eq!(begun.elapsed(), secs(9), "side by side");
    assert_eq!(solution.elapsed(), secs(9));
    assert_eq!(solution.drag(), &to(323.0));
    assert_eq!(solution.solver(), "a|b");
    assert_eq!(solution.contributors().len(), 2);
    assert_eq!(c.call_count(), 0);
    assert!(solution.failed_attempts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_more_is_asked_the_moment_two_disagree() {
    let (a, b, c) = (says("a", 320.0, 3), says("b", 90.0, 9), says("c", 321.0, 4));
    let begun = Instant::now();
    let trio = quorum(&[&a, &b, &c], two());
    let solution = trio.solve(&challenge()).await.unwrap();
    assert_eq!(c.calls()[0].started - begun, secs(9));
    assert_eq!(begun.elapsed(), secs(13));
    assert_eq!(solution.solver(), "a|c");
    let [other] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(other.solver.as_deref(), Some("b"));
    assert_eq!(
        (other.kind, other.billed),
        (ErrorKind::InvalidAnswer, Billed::Yes)
    );
    assert_eq!(other.elapsed, secs(9));
    assert_eq!(
        other.message,
        "the answer 83,560 -> 90,560 was not confirmed"
    );
}

#[tokio::test(start_paused = true)]
async fn one_more_is_asked_the_moment_one_fails() {
    let a = mock("a").fails(secs(1), error(ErrorKind::Unavailable));
    let (b, c) = (says("b", 320.0, 9), says("c", 320.0, 2));
    let begun = Instant::now();
    let trio = quorum(&[&a, &b, &c], two());
    let solution = trio.solve(&challenge()).await.unwrap();
    assert_eq!(c.calls()[0].started - begun, secs(1));
    assert_eq!(begun.elapsed(), secs(9));
    assert_eq!(solution.failed_attempts()[0].kind, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn what_failed_before_an_answer_is_in_the_history() {
    let a = mock("a").then(ErrorKind::InvalidAnswer).then(to(320.0));
    let a = a.retry(RetryPolicy::default());
    let pair = a.quorum([says("b", 320.0, 1).into_arc()], two());
    let solution = pair.solve(&challenge()).await.unwrap();
    let [failed] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(
        (failed.kind, failed.billed),
        (ErrorKind::InvalidAnswer, Billed::Yes)
    );
}

#[tokio::test(start_paused = true)]
async fn it_stops_as_soon_as_enough_agree_and_drops_the_rest_at_once() {
    let price = Usd::from_micros(900);
    let (a, b) = (says("a", 320.0, 3), says("b", 320.0, 4));
    let c = mock("c").stalls().with_cost(price);
    let begun = Instant::now();
    let trio = quorum(&[&a, &b, &c], at_once());
    let solution = trio.solve(&challenge()).await.unwrap();
    assert_eq!(begun.elapsed(), secs(4));
    assert_eq!(c.calls()[0].status, CallStatus::Dropped);
    assert_eq!(c.in_flight(), 0);
    let expected = (1, price);
    assert_eq!((trio.abandoned().answers, trio.abandoned().cost), expected);
    let [lost] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(
        (lost.kind, lost.billed),
        (ErrorKind::Timeout, Billed::Maybe)
    );
    assert_eq!(lost.jobs, [job("c", 1)]);
    assert!(lost.message.contains("the others agreed"), "{lost:?}");
}

#[tokio::test(start_paused = true)]
async fn it_stops_as_soon_as_agreement_is_no_longer_possible() {
    let a = mock("a").fails(secs(1), error(ErrorKind::Unavailable));
    let b = mock("b").fails(secs(2), error(ErrorKind::Unauthorized));
    let c = mock("c").stalls();
    let begun = Instant::now();
    let trio = quorum(&[&a, &b, &c], at_once());
    let none = trio.solve(&challenge()).await.unwrap_err();
    assert_eq!(begun.elapsed(), secs(2));
    assert_eq!(none.kind(), ErrorKind::AllFailed);
    assert_eq!(none.billed(), Billed::Maybe, "c may send a bill");
    assert_eq!(none.unfinished_jobs(), [job("c", 1)]);
    let attempts = none.attempts();
    assert_eq!(attempts.len(), 3);
    let says = |why| attempts.iter().any(|attempt| attempt.message.contains(why));
    assert!(says("the others disagree"), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_disagreement_is_in_the_error() {
    let (a, b) = (says("a", 320.0, 1), says("b", 90.0, 2));
    let c = mock("c").fails(secs(3), error(ErrorKind::Unsolvable));
    let trio = quorum(&[&a, &b, &c], at_once());
    let none = trio.solve(&challenge()).await.unwrap_err();
    assert_eq!(
        none.to_string(),
        "2 of 3 must agree within 10 px, and they do not: a says 83,560 -> 320,560; \
         b says 83,560 -> 90,560; c failed (unsolvable) (all_failed; it cost money)"
    );
    assert_eq!(none.recovery(), Recovery::Retry);
    let kinds: Vec<_> = none.attempts().iter().map(|attempt| attempt.kind).collect();
    let invalid = ErrorKind::InvalidAnswer;
    assert_eq!(kinds, [ErrorKind::Unsolvable, invalid, invalid]);
}

#[tokio::test(start_paused = true)]
async fn near_to_both_is_not_an_agreement_of_three() {
    let (a, b, c) = (
        says("a", 300.0, 1),
        says("b", 308.0, 1),
        says("c", 316.0, 1),
    );
    let trio = quorum(&[&a, &b, &c], at_once().agree(3));
    let none = trio.solve(&challenge()).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::AllFailed);
}

#[tokio::test(start_paused = true)]
async fn stop_ends_all() {
    let a = mock("a").stalls();
    let b = mock("b").fails(secs(1), error(ErrorKind::InvalidChallenge));
    let c = mock("c");
    let begun = Instant::now();
    let stopped = quorum(&[&a, &b, &c], two()).solve(&challenge()).await;
    let stopped = stopped.unwrap_err();
    assert_eq!(begun.elapsed(), secs(1));
    assert_eq!(stopped.kind(), ErrorKind::InvalidChallenge);
    assert_eq!((a.in_flight(), c.call_count()), (0, 0));
    assert_eq!(stopped.unfinished_jobs().len(), 1);
    let attempts = stopped.attempts();
    let says = |why| attempts.iter().any(|attempt| attempt.message.contains(why));
    assert!(says("no solver can solve it"), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn when_two_fail_at_once_too_few_are_left_and_that_is_not_the_clocks_fault() {
    let fails = |name| mock(name).fails(secs(1), error(ErrorKind::Unavailable));
    let (a, b, c) = (fails("a"), fails("b"), says("c", 320.0, 5));
    let challenge = challenge().resume_job(job("stranger", 7));
    let failed = quorum(&[&a, &b, &c], two()).solve(&challenge).await;
    let failed = failed.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::AllFailed);
    assert_eq!(failed.recovery(), Recovery::Retry);
    assert_eq!(c.call_count(), 0);
    assert_eq!(failed.unfinished_jobs(), [job("stranger", 7)]);
}

#[tokio::test(start_paused = true)]
async fn an_agreement_at_the_deadline_beats_the_deadline() {
    let (a, b, c) = (says("a", 320.0, 5), mock("b").stalls(), says("c", 320.0, 9));
    let trio = quorum(&[&a, &b, &c], at_once());
    let solution = trio.solve(&challenge().within(secs(9))).await.unwrap();
    assert_eq!(solution.solver(), "a|c");
}

#[tokio::test(start_paused = true)]
async fn a_disagreement_at_the_deadline_is_still_one() {
    let (a, b) = (says("a", 320.0, 5), says("b", 90.0, 9));
    let pair = quorum(&[&a, &b], two());
    let none = pair.solve(&challenge().within(secs(9))).await.unwrap_err();
    assert!(none.message().contains("and they do not"), "{none}");
}

#[tokio::test(start_paused = true)]
async fn no_solver_is_asked_after_the_deadline() {
    let (a, b, c) = (says("a", 320.0, 5), says("b", 90.0, 9), mock("c"));
    let trio = quorum(&[&a, &b, &c], two());
    let late = trio.solve(&challenge().within(secs(9))).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(c.call_count(), 0);
    assert_eq!(
        (late.failed_attempts().len(), late.billed()),
        (2, Billed::Yes)
    );
    assert!(late.message().contains("left to ask c"), "{late}");
}

#[tokio::test(start_paused = true)]
async fn those_at_work_are_waited_for_even_past_the_deadline() {
    let late = |name, seconds| {
        let answer = Outcome::answer(to(320.0)).after(secs(seconds));
        mock(name).then(answer.ignoring_deadline())
    };
    let (a, b) = (late("a", 5), late("b", 9));
    let pair = quorum(&[&a, &b], two());
    let solution = pair.solve(&challenge().within(secs(3))).await.unwrap();
    assert_eq!(solution.solver(), "a|b");
    assert_eq!(solution.elapsed(), secs(9));
}

#[test]
fn the_worst_case_counts_every_solver() {
    let of = |name, seconds| {
        let worst = WorstCase::one_purchase().with_time(secs(seconds));
        mock(name).with_worst_case(worst.with_cost(Usd::from_micros(1_000)))
    };
    let (a, b, c) = (of("a", 10), of("b", 20), of("c", 30));
    let trio = |policy| {
        quorum(&[&a, &b, &c], policy)
            .profile()
            .worst_case
            .to_string()
    };
    assert_eq!(trio(at_once()), "3 answers, 30s, $0.003");
    assert_eq!(trio(two()), "3 answers, 60s, $0.003");
    assert_eq!(trio(two().agree(3)), "3 answers, 30s, $0.003");
    let unknown = quorum(&[&a, &mock("b")], two()).profile().worst_case;
    assert_eq!(unknown.time, None);
}

#[tokio::test(start_paused = true)]
async fn the_worst_case_is_not_exceeded() {
    let fails = |name, seconds| {
        let worst = WorstCase::one_purchase().with_time(secs(seconds));
        let mock = mock(name).with_worst_case(worst);
        mock.fails(secs(seconds), error(ErrorKind::Unavailable))
    };
    let solvers = [
        fails("a", 10),
        fails("b", 20),
        fails("c", 30),
        says("d", 1.0, 0),
    ];
    let [a, b, c, d] = &solvers;
    let d = d
        .clone()
        .with_worst_case(WorstCase::one_purchase().with_time(secs(0)));
    let four = quorum(&[a, b, c, &d], two());
    let begun = Instant::now();
    four.solve(&challenge()).await.unwrap_err();
    assert_eq!(begun.elapsed(), secs(40));
    assert!(four.profile().worst_case.time.unwrap() >= secs(40));
}

#[tokio::test(start_paused = true)]
async fn a_quorum_that_can_never_be_is_refused_and_nothing_is_sent() {
    let (a, b) = (says("a", 320.0, 1), says("b", 320.0, 1));
    let pair = quorum(&[&a, &b], two().agree(3));
    let brought = challenge().resume_job(job("a", 7));
    let refused = pair.solve(&brought).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(
        refused.message(),
        "nothing was sent: 3 answers must agree, of 2 solvers"
    );
    assert_eq!(refused.unfinished_jobs(), [job("a", 7)]);
    assert_eq!(a.call_count() + b.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_that_all_agree_are_compared_quickly() {
    let all: Vec<MockSolver> = (0..40).map(|_| says("a", 320.0, 1)).collect();
    let all: Vec<&MockSolver> = all.iter().collect();
    let many = quorum(&all, two().agree(40));
    assert_eq!(
        many.solve(&challenge()).await.unwrap().contributors().len(),
        40
    );
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let trio = |policy| {
        let others = [Named("b").into_arc(), Named("c").into_arc()];
        Named("a").quorum(others, policy)
    };
    assert_eq!(trio(two()).name(), "a|b|c");
    let printed = trio(two()).to_string();
    assert_eq!(printed, "quorum[a, b, c](agree: 2, tolerance: 10 px)");
    let printed = trio(at_once()).to_string();
    assert_eq!(
        printed,
        "quorum[a, b, c](agree: 2, tolerance: 10 px, all_at_once: true)"
    );
}

#[tokio::test(start_paused = true)]
async fn sixteen_answers_are_compared_in_no_time() {
    let all: Vec<_> = (0..16)
        .map(|i| says("a", 100.0 + f64::from(i) * 11.0, 0))
        .collect();
    let refs: Vec<&MockSolver> = all.iter().collect();
    let none = quorum(&refs, at_once().agree(16).tolerance(1_000.0));
    none.solve(&challenge()).await.unwrap();
}
