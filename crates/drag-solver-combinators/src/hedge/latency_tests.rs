//! How long answers take, and what the quantile makes of it.

use drag_solver_core::{ErrorKind, Ratio};
use drag_solver_mock::Outcome;
use tokio::time::Instant;

use super::tests::{hedge, mock};
use super::*;
use crate::tests::{Script, challenge, drag, error, job, millis, secs};

#[tokio::test(start_paused = true)]
async fn the_quantile_counts_once_there_are_enough_samples() {
    let (a, b) = (mock("a"), mock("b"));
    let policy = HedgePolicy::from(secs(8))
        .quantile(Ratio::percent(90))
        .min_samples(10);
    let pair = hedge(&[&a, &b], policy);
    for seconds in 1..=9_u64 {
        a.push(Outcome::answer(drag()).after(millis(100 * seconds)));
        pair.solve(&challenge()).await.unwrap();
    }
    assert_eq!(pair.delays(), [secs(8), secs(8)]);
    a.push(Outcome::answer(drag()).after(millis(1_000)));
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(pair.delays(), [millis(900), secs(8)], "b was never asked");

    a.push(Outcome::hang());
    b.push(Outcome::answer(drag()));
    let begun = Instant::now();
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(begun.elapsed(), millis(900));
}

#[tokio::test(start_paused = true)]
async fn the_quantile_makes_no_longer_wait_than_allowed() {
    let a = mock("a").always(Outcome::answer(drag()).after(secs(50)));
    let b = mock("b").always(Outcome::answer(drag()).after(secs(60)));
    let policy = HedgePolicy::from(secs(8))
        .quantile(Ratio::percent(50))
        .min_samples(1);
    let pair = hedge(&[&a, &b], policy);
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(pair.delays()[0], secs(30));
}

#[tokio::test(start_paused = true)]
async fn losers_are_censored_samples_or_the_quantile_drifts_low() {
    // A answers after 1 s to 10 s in turn, B always at once: what takes A longer than the delay
    // is lost.
    let a = mock("a")
        .always_with(|_, call| Outcome::answer(drag()).after(secs(1 + (call as u64 * 7) % 10)));
    let b = mock("b").always(drag());
    let policy = HedgePolicy::from(secs(8)).quantile(Ratio::percent(80));
    let pair = hedge(&[&a, &b], policy);
    for _ in 0..1_000 {
        pair.solve(&challenge()).await.unwrap();
    }
    assert_eq!(
        pair.delays()[0],
        secs(8),
        "a true quantile of 0.8, after 1,000 races"
    );
    let stats = pair.stats();
    assert_eq!((stats.answered, stats.hedged), (1_000, 200));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_an_old_job_is_not_a_latency() {
    let (a, b) = (mock("a").answers(secs(1)), mock("b"));
    let policy = HedgePolicy::from(secs(8))
        .quantile(Ratio::percent(90))
        .min_samples(1);
    let pair = hedge(&[&a, &b], policy);
    let resuming = || challenge().resume_job(job("a", 7));
    pair.solve(&resuming()).await.unwrap();
    assert_eq!(pair.delays()[0], secs(8));

    // Nor is it one if the job loses, after 9 s: the only sample is the answer after that.
    a.push(Outcome::hang());
    b.push(Outcome::answer(drag()).after(secs(1)));
    pair.solve(&resuming()).await.unwrap();
    a.push(Outcome::answer(drag()).after(secs(2)));
    pair.solve(&challenge()).await.unwrap();
    assert_eq!(pair.delays()[0], secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ran_out_of_time_teaches_a_latency_and_one_that_failed_does_not() {
    let policy = HedgePolicy::default()
        .quantile(Ratio::percent(90))
        .min_samples(1);
    for &kind in ErrorKind::ALL {
        let a = mock("a").answers(secs(2)).fails(secs(7), error(kind));
        let alone = hedge(&[&a], policy);
        alone.solve(&challenge()).await.unwrap();
        alone.solve(&challenge()).await.unwrap_err();
        let learned = match kind {
            ErrorKind::Timeout | ErrorKind::DeadlineExceeded => secs(7),
            _ => secs(2),
        };
        assert_eq!(alone.delays(), [learned], "{kind}");
    }
}
