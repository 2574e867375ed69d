//! What losers bought, what is booked for them, and jobs that were paid for.

use drag_solver_core::{Billed, ErrorKind, JobId, Ratio, Usd};
use drag_solver_mock::{MockSolver, Outcome};

use super::tests::{hedge, mock};
use super::*;
use crate::tests::{Script, challenge, drag, error, job, secs};
use crate::{Budget, BudgetPolicy, ConcurrencyLimitPolicy, DragSolverExt, Permits, RetryPolicy};

#[tokio::test(start_paused = true)]
async fn the_loser_is_dropped_at_once_and_counted() {
    let a = mock("a").stalls().with_cost(Usd::from_micros(900));
    let b = mock("b").answers(secs(4));
    let pair = hedge(&[&a, &b], secs(8));
    let solution = pair.solve(&challenge()).await.unwrap();
    assert_eq!(a.in_flight(), 0, "before the call returns");
    let abandoned = pair.stats().abandoned;
    assert_eq!(abandoned.answers, 1);
    assert_eq!(abandoned.cost, Usd::from_micros(900));
    let [lost] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(
        (lost.kind, lost.billed),
        (ErrorKind::Timeout, Billed::Maybe)
    );
    assert_eq!(lost.solver.as_deref(), Some("a"));
    assert_eq!(lost.jobs, [job("a", 1)]);
    assert_eq!(lost.elapsed, secs(12));
    assert_eq!(lost.message, "dropped: b answered first");
}

#[tokio::test(start_paused = true)]
async fn a_loser_that_had_bought_nothing_costs_nothing() {
    // Waits for a minute before it would buy.
    let a = mock("a")
        .fails(
            Duration::ZERO,
            error(ErrorKind::RateLimited).with_retry_after(secs(60)),
        )
        .answers(secs(1));
    let patient = a.clone().retry(RetryPolicy::default());
    let b = mock("b").answers(secs(4));
    let pair = patient.hedge(b, secs(8));
    let solution = pair.solve(&challenge()).await.unwrap();
    // The mock says `Buying` before it is refused, and never that it was not bought.
    assert_eq!(solution.failed_attempts().len(), 1);
    assert_eq!(a.purchases(), 0);

    let expired = mock("a")
        .fails(Duration::ZERO, error(ErrorKind::Unavailable))
        .answers(secs(1));
    let policy = RetryPolicy::default().base_backoff(secs(10));
    let patient = expired.clone().retry(policy).with_seed(3);
    let pair = patient.hedge(mock("b").answers(Duration::ZERO), Duration::ZERO);
    let solution = pair.solve(&challenge()).await.unwrap();
    let lost = &solution.failed_attempts()[0];
    assert_eq!((lost.billed, lost.jobs.len()), (Billed::No, 0));
    assert_eq!(pair.stats().abandoned, Abandoned::default());
}

#[tokio::test(start_paused = true)]
async fn a_solver_that_says_nothing_may_have_bought() {
    let (a, b) = (mock("a").free().stalls(), mock("b").answers(secs(4)));
    let pair = hedge(&[&a, &b], secs(8));
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(pair.stats().abandoned.answers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_budget_books_the_loser_wherever_it_is() {
    let price = Usd::from_micros(1_000);
    let budget = || Budget::new(BudgetPolicy::default().total(price * 10));
    let (a, b) = (|| mock("a").stalls(), || mock("b").answers(secs(4)));

    let inside = budget();
    let (a_paid, b_paid) = (a().budget(&inside, price), b().budget(&inside, price));
    let pair = a_paid.hedge(b_paid, secs(8));
    pair.solve(&challenge()).await.unwrap();
    assert_eq!((inside.spent(), inside.reserved()), (price * 2, Usd::ZERO));
    assert_eq!(pair.stats().abandoned.cost, price);

    let outside = budget();
    let pair = hedge(&[&a(), &b()], secs(8)).budget(&outside, price);
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(
        (outside.spent(), outside.reserved()),
        (price * 2, Usd::ZERO)
    );

    // Dropped while it is unknown whether the purchase arrived.
    let slow = mock("a").then(
        Outcome::answer(drag())
            .after(secs(60))
            .accepted_after(secs(30)),
    );
    let outside = budget();
    let pair = hedge(&[&slow, &b()], secs(8)).budget(&outside, price);
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(outside.spent(), price * 2);
}

#[tokio::test(start_paused = true)]
async fn a_loser_that_was_billed_before_it_lost_is_booked_outside() {
    let price = Usd::from_micros(1_000);
    let outside = Budget::new(BudgetPolicy::default().total(price * 10));
    // The first answer is bad and billed; the second never comes.
    let a = mock("a").then(ErrorKind::InvalidAnswer).stalls();
    let again = a.clone().retry(RetryPolicy::default());
    let b = mock("b").answers(secs(4));
    let pair = again.hedge(b, secs(8)).budget(&outside, price);
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(a.purchases(), 2);
    assert_eq!(outside.spent(), price * 3);
}

#[tokio::test(start_paused = true)]
async fn dropped_at_any_await_it_drops_every_solver_and_keeps_no_trace_but_the_cost() {
    let policy = HedgePolicy::from(secs(8))
        .quantile(Ratio::percent(50))
        .min_samples(1);
    for (dropped_after, at_work) in [(secs(0), 1), (secs(7), 1), (secs(9), 2), (secs(17), 3)] {
        let mocks = [mock("a").stalls(), mock("b").stalls(), mock("c").stalls()];
        let three = hedge(&[&mocks[0], &mocks[1], &mocks[2]], policy);
        let challenge = challenge();
        let call = tokio::time::timeout(dropped_after, three.solve(&challenge));
        assert!(call.await.is_err());
        let in_flight: usize = mocks.iter().map(MockSolver::in_flight).sum();
        assert_eq!(in_flight, 0);
        let bought: usize = mocks.iter().map(MockSolver::purchases).sum();
        assert_eq!(bought, at_work, "{dropped_after:?}");
        let stats = three.stats();
        assert_eq!(stats.abandoned.answers, at_work as u64);
        assert_eq!((stats.answered, stats.hedged), (0, 0));
        assert_eq!(three.delays(), [secs(8); 3], "no latency was learned");
    }
}

#[tokio::test(start_paused = true)]
async fn a_solver_with_a_paid_job_is_asked_first() {
    let (a, b) = (mock("a"), mock("b").answers(secs(1)));
    let pair = hedge(&[&a, &b], secs(8));
    let brought = job("b", 7);
    let solution = pair.solve(&challenge().resume_job(brought)).await.unwrap();
    assert_eq!(solution.solver(), "b");
    assert_eq!(b.resumed(), [Some(JobId::from(7))]);
    assert_eq!(a.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_job_that_loses_is_no_new_cost_and_can_be_resumed_again() {
    let (a, b) = (mock("a").stalls(), mock("b").answers(secs(1)));
    let pair = hedge(&[&a, &b], secs(8));
    let brought = job("a", 7);
    let solution = pair.solve(&challenge().resume_job(brought)).await.unwrap();
    assert_eq!(pair.stats().abandoned, Abandoned::default());
    assert_eq!(solution.failed_attempts()[0].jobs, [job("a", 7)]);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_resumed_by_one_solver_only() {
    let a = mock("a").stalls().answers(secs(3));
    let twice = hedge(&[&a, &a], secs(8));
    let brought = job("a", 7);
    twice.solve(&challenge().resume_job(brought)).await.unwrap();
    assert_eq!(a.resumed(), [Some(JobId::from(7)), None]);
}

#[tokio::test(start_paused = true)]
async fn a_loser_is_not_polled_again_once_there_is_an_answer() {
    // At 3 s A answers and B would buy again.
    let a = mock("a").answers(secs(3));
    let busy = error(ErrorKind::RateLimited).with_retry_after(secs(2));
    let b = mock("b").fails(Duration::ZERO, busy).answers(secs(1));
    let policy = RetryPolicy::default().base_backoff(Duration::ZERO);
    let pair = a.hedge(b.clone().retry(policy), secs(1));
    assert_eq!(pair.solve(&challenge()).await.unwrap().solver(), "a");
    assert_eq!(b.call_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_loser_that_waited_for_a_permit_is_not_counted_as_abandoned() {
    let a = mock("a").always(Outcome::answer(drag()).after(secs(60)));
    let permits = Permits::new(ConcurrencyLimitPolicy::default().max_in_flight(1));
    let limited = || a.clone().concurrency_limit(&permits);
    let (limited_a, challenge) = (limited(), challenge());
    let mut holder = limited_a.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut holder).await.is_err());
    let b = mock("b").fails(secs(1), error(ErrorKind::Unavailable));
    let pair = b.hedge(limited(), secs(8));
    let call = tokio::time::timeout(secs(20), pair.solve(&challenge));
    assert!(call.await.is_err());
    assert_eq!(pair.stats().abandoned, Abandoned::default());
}

#[tokio::test(start_paused = true)]
async fn two_open_jobs_of_one_solver_are_both_named_and_both_resumed() {
    let a = mock("a").stalls().stalls().stalls().answers(secs(1));
    let twice = hedge(&[&a, &a], secs(8));
    let late = twice
        .solve(&challenge().within(secs(30)))
        .await
        .unwrap_err();
    assert_eq!(late.unfinished_jobs(), [job("a", 1), job("a", 2)]);
    let resumed = late.unfinished_jobs().into_iter();
    let again = resumed.fold(challenge(), DragChallenge::resume_job);
    twice.solve(&again).await.unwrap();
    assert_eq!(a.purchases(), 2, "no third was bought");
    assert_eq!(
        a.resumed()[2..],
        [Some(JobId::from(1)), Some(JobId::from(2))]
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_around_two_of_one_solver_buys_no_third_and_loses_none() {
    let a = (0..9).fold(mock("a"), |a, _| a.stalls());
    let limited = || a.clone().timeout(secs(20));
    let chain = limited()
        .hedge(limited(), secs(8))
        .retry(RetryPolicy::default());
    let error = chain.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.purchases(), 2);
    let mut jobs = error.unfinished_jobs();
    jobs.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(jobs, [job("a", 1), job("a", 2)]);
    assert_eq!(error.billed(), Billed::Maybe);
}
