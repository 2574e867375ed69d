//! Which calls use up a slot, and which give it back.

use std::time::Duration;

use drag_solver_mock::{MockSolver, Outcome};

use super::tests::{answers, enters, slow, times};
use super::*;
use crate::tests::{Named, challenge, drag, job, secs};
use crate::{CircuitBreakerPolicy, ConcurrencyLimitPolicy, DragSolverExt};

#[tokio::test(start_paused = true)]
async fn when_a_waiter_is_dropped_those_behind_it_move_up() {
    for dropped in [1, 2] {
        let a = answers();
        let limited = a.clone().rate_limit(slow());
        let challenge = challenge();
        let begun = Instant::now();
        limited.solve(&challenge).await.unwrap();
        let mut waiting: Vec<_> = (0..3).map(|_| limited.solve(&challenge)).collect();
        for call in &mut waiting {
            enters(call).await;
        }
        assert_eq!(limited.limiter().waiting(), 3);
        tokio::time::advance(secs(3)).await;
        drop(waiting.remove(dropped - 1));
        assert_eq!(limited.limiter().waiting(), 2);
        for call in waiting {
            call.await.unwrap();
        }
        assert_eq!(times(&a, begun), [0, 10, 20].map(secs), "number {dropped}");
        assert_eq!(limited.limiter().waiting(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_waiter_leaves_no_trace() {
    let a = answers();
    let limited = a.clone().rate_limit(slow());
    let challenge = challenge();
    let begun = Instant::now();
    limited.solve(&challenge).await.unwrap();
    let mut second = limited.solve(&challenge);
    enters(&mut second).await;
    drop(second);
    drop(limited.solve(&challenge)); // never polled
    limited.solve(&challenge).await.unwrap();
    assert_eq!(times(&a, begun), [0, 10].map(secs));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_further_in_gives_its_slot_back() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .always(drag());
    let policy = CircuitBreakerPolicy::default().min_samples(1);
    let open = a.clone().circuit_breaker(policy);
    let limited = open.rate_limit(slow());
    let challenge = challenge();
    let begun = Instant::now();
    limited.solve(&challenge).await.unwrap_err();
    for _ in 0..2 {
        let refused = limited.solve(&challenge).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
        assert_eq!(begun.elapsed(), secs(10), "the slot was not used up");
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_challenge_takes_no_slot() {
    let a = answers();
    let limited = a.clone().rate_limit(slow());
    let late = limited.solve(&challenge().within(Duration::ZERO)).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(a.call_count(), 0);
    let begun = Instant::now();
    limited.solve(&challenge()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_resume_takes_no_slot_and_a_refusal_hands_back_the_jobs_of_others() {
    let limited = answers().or(Named("b")).rate_limit(slow());
    let begun = Instant::now();
    limited.solve(&challenge()).await.unwrap();
    for resumed in [job("a", 1), job("b", 2)] {
        let resuming = challenge().resume_job(resumed);
        limited.solve(&resuming).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
    let elsewhere = challenge().resume_job(job("c", 3));
    let refused = limited.solve(&elsewhere.clone().within(secs(5))).await;
    assert_eq!(refused.unwrap_err().unfinished_jobs(), [job("c", 3)]);
    let late = limited
        .solve(&elsewhere.clone().within(Duration::ZERO))
        .await;
    assert_eq!(late.unwrap_err().unfinished_jobs(), [job("c", 3)]);
    limited.solve(&elsewhere).await.unwrap();
    assert_eq!(begun.elapsed(), secs(10), "it is another solver's job");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_its_provider_was_asked_gives_its_slot_back() {
    let a = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(60)));
    let one_at_a_time = ConcurrencyLimitPolicy::default().max_in_flight(1);
    let inner = a.clone().concurrency_limit(one_at_a_time);
    let permits = inner.permits().clone();
    let limited = inner.rate_limit(slow().burst(3));
    let challenge = challenge();
    let begun = Instant::now();
    let mut first = limited.solve(&challenge); // has the permit, and asks
    enters(&mut first).await;
    let mut second = limited.solve(&challenge); // has a slot, and waits for the permit
    let mut third = limited.solve(&challenge);
    enters(&mut second).await;
    enters(&mut third).await;
    drop(second);
    drop(third);
    assert_eq!(permits.waiting(), 0);
    drop(first);
    let mut calls: Vec<_> = (0..3).map(|_| limited.solve(&challenge)).collect();
    for call in &mut calls {
        enters(call).await;
    }
    assert_eq!(
        limited.limiter().waiting(),
        1,
        "the first was asked; two slots are back"
    );
    drop(calls);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_back_wakes_the_call_that_waits_for_the_next() {
    let a = answers();
    let one_at_a_time = ConcurrencyLimitPolicy::default().max_in_flight(1);
    let inner = a.clone().concurrency_limit(one_at_a_time);
    let permits = inner.permits().clone();
    let limited = inner.rate_limit(slow());
    let busy = permits.free().unwrap();
    let challenge = challenge();
    let begun = Instant::now();
    let mut first = limited.solve(&challenge);
    enters(&mut first).await;
    let (second, ()) = tokio::join!(limited.solve(&challenge), async {
        tokio::time::sleep(secs(3)).await;
        drop(busy);
        drop(first);
    });
    second.unwrap();
    assert_eq!(times(&a, begun), [secs(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_solver_keeps_its_slot_unless_it_was_refused_here() {
    let begun = Instant::now();
    for (kind, expected) in [
        (ErrorKind::Unavailable, 10),
        (ErrorKind::Overloaded, 0),
        (ErrorKind::DeadlineExceeded, 0),
    ] {
        let silent = MockSolver::new("a").free().always(kind);
        let limited = silent.rate_limit(slow());
        let begun_here = Instant::now();
        limited.solve(&challenge()).await.unwrap_err();
        limited.solve(&challenge()).await.unwrap_err();
        assert_eq!(begun_here.elapsed(), secs(expected), "{kind}");
    }
    assert_eq!(begun.elapsed(), secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_was_asked_uses_up_its_slot_even_if_it_refuses() {
    let busy = MockSolver::new("a").always(ErrorKind::Overloaded);
    let limited = busy.rate_limit(slow());
    let begun = Instant::now();
    limited.solve(&challenge()).await.unwrap_err();
    limited.solve(&challenge()).await.unwrap_err();
    assert_eq!(begun.elapsed(), secs(10));
}
