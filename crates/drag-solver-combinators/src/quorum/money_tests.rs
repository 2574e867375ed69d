//! What answers cost, who is told of a verdict, and jobs that were paid for.

use std::time::Duration;

use drag_solver_core::{Billed, ErrorKind, JobId, Usd};

use super::tests::{mock, quorum, says, to, two};
use super::*;
use crate::tests::{Script, challenge, error, job, secs};
use crate::{Budget, BudgetPolicy, DragSolverExt, RetryPolicy};

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
