use drag_solver_core::{Billed, Drag, JobId, Point, Ratio};
use drag_solver_mock::MockSolver;

use super::*;
use crate::DragSolverExt as _;
use crate::tests::{Named, error, millis, secs};

fn answer(job: Option<u64>) -> Solution {
    let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
    let solution = Solution::new(drag, "a");
    job.map_or(solution.clone(), |id| solution.with_job(JobId::from(id)))
}

fn empty(policy: OrderPolicy, solvers: usize) -> Records {
    Records {
        policy,
        chance: Jitter::seeded(1),
        of: (0..solvers).map(|_| TrackRecord::default()).collect(),
    }
}

fn records(solvers: usize) -> Records {
    empty(
        OrderPolicy::default().min_samples(2).explore(Ratio::ZERO),
        solvers,
    )
}

/// Seconds for each good answer of the first.
fn per_answer(records: &Records) -> Duration {
    let expected = Expected::of(&records.of[0].figures(secs(600)));
    Duration::from_secs_f64(expected.seconds)
}

fn good(records: &Records, child: usize, took: u64) {
    records.add(child, &Named("a"), &Ok(answer(None)), secs(took));
}

fn bad(records: &Records, child: usize, took: u64) {
    let down = error(ErrorKind::Unavailable);
    records.add(child, &Named("a"), &Err(down), secs(took));
}

#[tokio::test(start_paused = true)]
async fn the_least_time_per_answer_goes_first() {
    let records = records(3);
    for _ in 0..4 {
        good(&records, 0, 10); // 10 s an answer
        good(&records, 1, 3);
        bad(&records, 1, 3); // 6 s an answer
        good(&records, 2, 7); // 7 s an answer
    }
    assert_eq!(records.order(), [1, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn too_few_calls_change_nothing() {
    let records = records(2);
    good(&records, 1, 1);
    bad(&records, 0, 60);
    assert_eq!(records.order(), [0, 1]);
    // The unknown stays behind the one that is known to be good.
    good(&records, 0, 3);
    assert_eq!(records.order(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn whoever_never_answers_goes_last() {
    let records = records(2);
    for _ in 0..2 {
        bad(&records, 0, 0);
        good(&records, 1, 60);
    }
    assert_eq!(records.order(), [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_solvers_fault_does_not_count() {
    let records = records(2);
    for _ in 0..2 {
        good(&records, 0, 3);
        good(&records, 1, 4);
    }
    for &kind in ErrorKind::ALL {
        let ours = kind.is_local_refusal() || kind.recovery() == Recovery::Stop;
        assert_eq!(is_its_fault(&error(kind)), !ours, "{kind}");
        if ours {
            for _ in 0..10 {
                records.add(0, &Named("a"), &Err(error(kind)), secs(60));
            }
        }
    }
    let nested = vec![error(ErrorKind::CircuitOpen)];
    assert!(!is_its_fault(&SolveError::all_failed(nested)));
    assert_eq!(records.order(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_is_none_and_is_counted_once() {
    let records = records(1);
    for job in 1..=3 {
        records.add(0, &Named("a"), &Ok(answer(Some(job))), secs(6));
    }
    assert_eq!(per_answer(&records), secs(6));
    for _ in 0..2 {
        records.was_wrong(0, &answer(Some(2)));
        assert_eq!(per_answer(&records), secs(9));
    }
    records.was_wrong(0, &answer(Some(77)));
    assert_eq!(per_answer(&records), secs(9), "a stranger");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_without_a_job_is_the_latest_answer_and_no_failure() {
    let records = records(1);
    good(&records, 0, 6);
    good(&records, 0, 6);
    bad(&records, 0, 6);
    records.was_wrong(0, &answer(None));
    assert_eq!(per_answer(&records), secs(18));
}

#[tokio::test(start_paused = true)]
async fn old_calls_are_forgotten_at_the_very_instant() {
    let records = records(2);
    for _ in 0..2 {
        bad(&records, 0, 1);
        good(&records, 1, 5);
    }
    tokio::time::advance(millis(599_999)).await;
    assert_eq!(records.order(), [1, 0]);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(records.order(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn only_a_solver_that_was_put_back_is_explored_and_as_often_as_said() {
    let policy = OrderPolicy::default()
        .min_samples(2)
        .explore(Ratio::percent(25));
    let records = empty(policy, 3);
    for _ in 0..1_000 {
        assert_eq!(records.order(), [0, 1, 2], "none was put back");
    }
    for _ in 0..2 {
        bad(&records, 0, 1);
        good(&records, 1, 5);
        good(&records, 2, 9);
    }
    let orders: Vec<_> = (0..1_000).map(|_| records.order()).collect();
    let explored = orders.iter().filter(|order| **order == [0, 1, 2]).count();
    assert!((200..300).contains(&explored), "{explored}");
    let rest = orders.iter().filter(|order| **order == [1, 2, 0]).count();
    assert_eq!(explored + rest, 1_000);
}

#[tokio::test(start_paused = true)]
async fn each_solver_that_was_put_back_is_explored_as_often_as_the_other() {
    let policy = OrderPolicy::default().min_samples(1).explore(Ratio::ONE);
    let records = empty(policy, 3);
    for (child, took) in [(0, 9), (1, 7), (2, 5)] {
        good(&records, child, took);
    }
    let orders: Vec<_> = (0..1_000).map(|_| records.order()).collect();
    let second = orders.iter().filter(|order| **order == [1, 2, 0]).count();
    let third = orders.iter().filter(|order| **order == [0, 2, 1]).count();
    assert_eq!(second + third, 1_000);
    assert!((400..600).contains(&second), "{second}");
}
fn priced_records(solvers: usize, second_worth: &str) -> Records {
    let worth = second_worth.parse().unwrap();
    let policy = OrderPolicy::default().min_samples(2).second_worth(worth);
    empty(policy.explore(Ratio::ZERO), solvers)
}

/// Calls of `child` that take `took` seconds and cost `dollars` each: so many are good.
fn calls(records: &Records, child: usize, took: u64, dollars: &str, good: [bool; 2]) {
    let cost: Usd = dollars.parse().unwrap();
    for is_good in good {
        let down = error(ErrorKind::InvalidAnswer);
        let down = down.with_billed(Billed::Yes).with_cost(cost);
        let solution = answer(None).with_cost(cost);
        let outcome = if is_good { Ok(solution) } else { Err(down) };
        records.add(child, &Named("a"), &outcome, secs(took));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_second_is_worth_says_whether_the_quick_or_the_cheap_one_goes_first() {
    let both = [true, true];
    for (worth, first) in [("0", 0), ("0.0009", 0), ("0.0011", 1), ("1", 1)] {
        let records = priced_records(2, worth);
        calls(&records, 0, 5, "0.001", both);
        calls(&records, 1, 3, "0.003", both); // $0.002 for 2 s
        assert_eq!(records.order()[0], first, "{worth}");
    }
    // Without it, time alone.
    let records = records(2);
    calls(&records, 0, 5, "0.001", both);
    calls(&records, 1, 3, "9", both);
    assert_eq!(records.order(), [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn money_counts_for_each_right_answer() {
    let records = priced_records(2, "0");
    calls(&records, 0, 1, "0.001", [true, false]); // $0.002 for each that is right
    calls(&records, 1, 9, "0.0019", [true, true]);
    assert_eq!(records.order(), [1, 0]);
    records.was_wrong(1, &answer(None));
    assert_eq!(records.order(), [0, 1], "$0.0038 for each that is right");
}

#[tokio::test(start_paused = true)]
async fn who_is_slower_and_dearer_than_another_goes_last_however_good() {
    let both = [true, true];
    let records = priced_records(4, "0.001");
    calls(&records, 0, 2, "0.002", both); // worth 0.004; beaten by 1
    calls(&records, 1, 1, "0.001", both); // worth 0.002
    calls(&records, 2, 20, "0.0005", both); // worth 0.0205; the cheapest
    assert_eq!(
        records.order(),
        [1, 3, 2, 0],
        "nothing is known of the last"
    );
    // Slower alone, or more expensive alone, is not enough.
    let records = priced_records(3, "0.001");
    calls(&records, 0, 2, "0.001", both);
    calls(&records, 1, 1, "0.001", both);
    calls(&records, 2, 1, "0.002", both);
    assert_eq!(records.order(), [1, 0, 2]);
    // One that never answers is behind all.
    calls(&records, 1, 0, "0", [false, false]);
    records.of[1].was_wrong(None);
    records.of[1].was_wrong(None);
    assert_eq!(records.order(), [0, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn where_no_cost_is_named_it_is_the_price_if_there_is_one() {
    let price: Usd = "0.002".parse().unwrap();
    let priced = MockSolver::new("a").priced(price).into_arc();
    let records = priced_records(1, "0");
    let retried = crate::Retry::new(priced.clone(), crate::RetryPolicy::default());
    records.add(0, &priced, &Ok(answer(None)), secs(1));
    records.add(0, &retried, &Ok(answer(None)), secs(1));
    let wrong = error(ErrorKind::InvalidAnswer).with_billed(Billed::Yes);
    records.add(0, &priced, &Err(wrong), secs(1));
    records.add(0, &priced, &Err(error(ErrorKind::Unavailable)), secs(1));
    records.add(0, &Named("b"), &Ok(answer(None)), secs(1));
    let named = answer(None).with_cost(Usd::from_micros(7));
    records.add(0, &priced, &Ok(named), secs(1));
    let spent: Vec<_> = records.of[0]
        .calls()
        .iter()
        .map(|call| call.spent)
        .collect();
    let expected = [
        Some(price),
        Some(price),
        Some(price),
        Some(Usd::ZERO),
        None,
        Some(Usd::from_micros(7)),
    ];
    assert_eq!(spent, expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_no_cost_is_known_costs_as_much_as_the_others() {
    let records = priced_records(2, "0");
    calls(&records, 0, 1, "0.001", [true, true]);
    calls(&records, 1, 1, "0.0011", [true, true]);
    (0..8).for_each(|_| good(&records, 1, 1));
    assert_eq!(records.order(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn where_prices_count_all_are_explored_that_could_win() {
    let policy = OrderPolicy::default().min_samples(2).explore(Ratio::ONE);
    let policy = policy.second_worth("0.001".parse().unwrap());
    let records = empty(policy, 3);
    let firsts = |records: &Records| {
        let mut count = [0; 3];
        (0..300).for_each(|_| count[records.order()[0]] += 1);
        count
    };
    let [a, b, c] = firsts(&records);
    assert!(
        a == 0 && b > 100 && c > 100,
        "nothing is known yet: {b}, {c}"
    );
    calls(&records, 0, 1, "0.001", [true, true]); // worth 0.002
    calls(&records, 1, 1, "0.0021", [true, true]); // more than that, even if it took no time
    calls(&records, 2, 9, "0.0019", [true, false]); // if it were quick and always right, it would be ahead
    assert_eq!(firsts(&records), [0, 0, 300]);
}
