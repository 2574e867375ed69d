use std::time::Duration;

use drag_solver_core::{Billed, Drag, ErrorKind, JobId, Point, Recovery, Usd};
use drag_solver_mock::{CallStatus, MockSolver, Outcome};
use tokio::time::Instant;

use super::*;
use crate::tests::{Named, Script, challenge, error, job, secs};
use crate::{Budget, BudgetPolicy, DragSolverExt, RetryPolicy};

fn mock(name: &'static str) -> MockSolver {
    MockSolver::new(name)
}

fn to(x: f64) -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(x, 560.0))
}

/// Says `x` after `seconds`.
fn says(name: &'static str, x: f64, seconds: u64) -> MockSolver {
    mock(name).then(Outcome::answer(to(x)).after(secs(seconds)))
}

fn quorum(solvers: &[&MockSolver], policy: QuorumPolicy) -> Quorum {
    let solvers = solvers
        .iter()
        .map(|&s| Arc::new(s.clone()) as Arc<dyn DragSolver>);
    Quorum::new(solvers, policy)
}

fn two() -> QuorumPolicy {
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

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_not_confirmed_was_billed_unless_it_was_free() {
    for (micros, billed) in [(900, Billed::Yes), (0, Billed::No)] {
        let cost = Usd::from_micros(micros);
        let (a, c) = (says("a", 320.0, 1), says("c", 320.0, 1));
        let b = says("b", 90.0, 1).with_cost(cost);
        let trio = quorum(&[&a, &b, &c], two());
        let solution = trio.solve(&challenge()).await.unwrap();
        let [other] = solution.failed_attempts() else {
            panic!("{solution:?}")
        };
        assert_eq!(other.billed, billed, "${cost}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_cost_is_the_sum_over_those_that_agreed_if_all_are_known() {
    let price = Usd::from_micros;
    let a = says("a", 320.0, 1).with_cost(price(900));
    let b = says("b", 320.0, 1).with_cost(price(1_200));
    let solution = quorum(&[&a, &b], two()).solve(&challenge()).await.unwrap();
    assert_eq!(solution.cost(), Some(price(2_100)));

    let a = says("a", 320.0, 1).with_cost(price(900));
    let solution = quorum(&[&a, &says("b", 320.0, 1)], two());
    assert_eq!(solution.solve(&challenge()).await.unwrap().cost(), None);
}

#[tokio::test(start_paused = true)]
async fn a_budget_outside_books_every_answer_once() {
    let price = Usd::from_micros(1_000);
    for known in [false, true] {
        let solvers = [says("a", 320.0, 1), says("b", 90.0, 1), says("c", 320.0, 1)];
        let solvers = solvers.map(|s| if known { s.with_cost(price) } else { s });
        let [a, b, c] = &solvers;
        let outside = Budget::new(BudgetPolicy::default().total(price * 10));
        let trio = quorum(&[a, b, c], two()).budget(&outside, price);
        trio.solve(&challenge()).await.unwrap();
        assert_eq!(outside.spent(), price * 3, "cost known: {known}");
        assert_eq!(outside.reserved(), Usd::ZERO);
    }
    // Solvers that say nothing while they work.
    let (a, b) = (says("a", 320.0, 1).free(), says("b", 320.0, 1).free());
    let outside = Budget::new(BudgetPolicy::default().total(price * 10));
    let pair = quorum(&[&a, &b], two()).budget(&outside, price);
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(outside.spent(), price * 2);
}

#[tokio::test(start_paused = true)]
async fn a_report_goes_to_all_that_agreed_and_to_nobody_else() {
    let (a, b, c) = (says("a", 320.0, 1), says("b", 90.0, 1), says("c", 324.0, 1));
    let d = mock("d");
    let chain = mock("z")
        .fails(Duration::ZERO, error(ErrorKind::Unavailable))
        .or(quorum(&[&a, &b, &c], two()))
        .or(d.clone());
    let solution = chain.solve(&challenge()).await.unwrap();
    // It survives a restart of the program.
    let json = serde_json::to_string(&solution).unwrap();
    let solution: Solution = serde_json::from_str(&json).unwrap();
    chain.report(&solution, Verdict::Incorrect).await.unwrap();
    assert!(b.heard().is_empty() && d.heard().is_empty());
    for (solver, x) in [(&a, 320.0), (&c, 324.0)] {
        let [(told, Verdict::Incorrect)] = &solver.heard()[..] else {
            panic!("{solver:?}")
        };
        assert_eq!(told.drag(), &to(x), "its own answer, not the centre");
        assert_eq!(told.job(), Some(&JobId::from(1)));
        assert!(told.pop_route().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_fails_only_if_one_that_takes_reports_did_not_take_it() {
    let deaf = || says("a", 320.0, 1).without_reports();
    let hearing = || says("b", 320.0, 1);
    let broken = || {
        let down = |_: &Solution, _| Err(SolveError::new(ErrorKind::Unavailable, "down"));
        says("c", 320.0, 1).on_report(down)
    };
    for (one, other, expected) in [
        (deaf(), hearing(), None),
        (hearing(), deaf(), None),
        (deaf(), deaf(), Some(ErrorKind::Unsupported)),
        (broken(), hearing(), Some(ErrorKind::Unavailable)),
        (hearing(), broken(), Some(ErrorKind::Unavailable)),
        (broken(), deaf(), Some(ErrorKind::Unavailable)),
        (deaf(), broken(), Some(ErrorKind::Unavailable)),
    ] {
        let pair = quorum(&[&one, &other], two());
        let solution = pair.solve(&challenge()).await.unwrap();
        let told = pair.report(&solution, Verdict::Correct).await;
        assert_eq!(told.err().map(|error| error.kind()), expected);
        assert_eq!((one.heard().len(), other.heard().len()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_solution_made_by_hand_is_reported_by_name() {
    let (a, b) = (mock("a"), mock("b"));
    let pair = quorum(&[&a, &b], two());
    let by_hand = Solution::new(to(320.0), "b");
    pair.report(&by_hand, Verdict::Correct).await.unwrap();
    assert_eq!((a.heard().len(), b.heard().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_solver_with_a_paid_job_is_asked_first() {
    let (a, b) = (says("a", 320.0, 1), mock("b"));
    let c = says("c", 320.0, 1);
    let brought = job("c", 7);
    let trio = quorum(&[&a, &b, &c], two());
    trio.solve(&challenge().resume_job(brought)).await.unwrap();
    assert_eq!(c.resumed(), [Some(JobId::from(7))]);
    assert_eq!(b.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_job_that_is_resumed_twice_is_no_agreement() {
    let a = mock("a").then_times(2, to(320.0));
    let brought = job("a", 7);
    let twice = quorum(&[&a, &a], two());
    twice.solve(&challenge().resume_job(brought)).await.unwrap();
    assert_eq!(a.resumed(), [Some(JobId::from(7)), None]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_outside_hands_the_job_over_to_the_answer() {
    let lost = error(ErrorKind::Timeout)
        .with_billed(Billed::Maybe)
        .with_unfinished_jobs([job("b", 7)]);
    let a = says("a", 320.0, 1).then(to(320.0));
    let b = mock("b").fails(secs(2), lost).then(to(320.0));
    let chain = quorum(&[&a, &b], two()).retry(RetryPolicy::default());
    let solution = chain.solve(&challenge()).await.unwrap();
    assert_eq!(b.resumed(), [None, Some(JobId::from(7))]);
    let attempts = solution.failed_attempts().iter();
    let unfinished: Vec<_> = attempts
        .filter(|attempt| !attempt.jobs.is_empty())
        .collect();
    assert!(
        unfinished.is_empty(),
        "b's answer came of it: {unfinished:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn dropped_at_any_await_it_drops_every_solver() {
    for (dropped_after, at_work) in [(secs(0), 2), (secs(1), 2), (secs(4), 2)] {
        let a = mock("a").fails(secs(3), error(ErrorKind::Unavailable));
        let (b, c) = (mock("b").stalls(), mock("c").stalls());
        let trio = quorum(&[&a, &b, &c], two());
        let challenge = challenge();
        let call = tokio::time::timeout(dropped_after, trio.solve(&challenge));
        assert!(call.await.is_err());
        assert_eq!(a.in_flight() + b.in_flight() + c.in_flight(), 0);
        let ended = a.calls().iter().chain(&b.calls()).chain(&c.calls()).count();
        assert_eq!(ended, if dropped_after == secs(4) { 3 } else { at_work });
        let bought = b.purchases() + c.purchases();
        // `a` said that it was buying, and it is not known to have failed yet.
        let open = u64::from(dropped_after < secs(3));
        assert_eq!(trio.abandoned().answers, bought as u64 + open);
    }
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
