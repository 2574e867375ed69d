pub(crate) mod book;

use std::collections::BTreeSet;
use std::time::Duration;

use ::metrics::set_default_local_recorder;
use drag_solver_core::{Billed, DragSolver, ErrorKind, Solution, Usd, Verdict, solver_fn};
use drag_solver_mock::{MockSolver, Outcome};

use self::book::{Book, kind};
use super::*;
use crate::tests::{Script, challenge, drag, error, millis, secs};
use crate::{
    Budget, BudgetPolicy, CircuitBreakerPolicy, ConcurrencyLimitPolicy, DragSolverExt, HedgePolicy,
    InstrumentPolicy, MetricLabels, RateLimitPolicy, RetryPolicy,
};

fn price() -> Usd {
    Usd::from_micros(900)
}

fn one_at_a_time() -> ConcurrencyLimitPolicy {
    ConcurrencyLimitPolicy::default().max_in_flight(1)
}

#[test]
fn the_page_lists_every_metric_with_its_labels_and_each_is_described() {
    let page = include_str!("metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let on_page: Vec<_> = rows.map(str::to_owned).collect();
    let row = |metric: &&Metric| {
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (kind, labels) = (kind(metric.kind), labels.join(", "));
        format!(
            "| `{}` | {kind} | {labels} | {} |",
            metric.name, metric.about
        )
    };
    let in_code: Vec<_> = METRICS.iter().map(row).collect();
    assert_eq!(on_page, in_code);

    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    describe_metrics();
    let described = book.described();
    assert_eq!(described.len(), METRICS.len());
    for metric in METRICS {
        let (described_as, unit) = described[metric.name];
        assert_eq!(described_as, kind(metric.kind), "{}", metric.name);
        let expected = match metric.unit {
            Unit::Count => Some(::metrics::Unit::Count),
            Unit::Seconds => Some(::metrics::Unit::Seconds),
            Unit::UsDollars | Unit::State => None,
        };
        assert_eq!(unit, expected, "{}", metric.name);
        let suffix = match (metric.kind, metric.unit) {
            (Kind::Counter, _) => "_total",
            (_, Unit::Seconds) => "_seconds",
            (_, Unit::UsDollars) => "_usd",
            _ => "",
        };
        assert!(metric.name.ends_with(suffix), "{}", metric.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_metric_of_the_table_is_recorded_and_no_other() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .then(ErrorKind::Unavailable)
        .always(Outcome::answer(drag()).after(secs(9)));
    let budget = Budget::new(BudgetPolicy::default().total(price()));
    let a = a
        .priced(price())
        .budget(&budget, price())
        .circuit_breaker(CircuitBreakerPolicy::default().min_samples(2))
        .concurrency_limit(one_at_a_time())
        .rate_limit(RateLimitPolicy::default().max_calls(600).burst(1))
        .retry(RetryPolicy::default().max_attempts(2));
    let b = MockSolver::new("b").always(Outcome::answer(drag()).after(secs(1)));
    let chain = a
        .hedge(b.priced(price()), HedgePolicy::default().delay(secs(3)))
        .instrumented("challenge");
    let challenge = challenge();
    chain.solve(&challenge).await.unwrap();
    tokio::time::sleep(secs(40)).await;
    let (one, other) = tokio::join!(chain.solve(&challenge), chain.solve(&challenge));
    one.unwrap();
    chain
        .report(&other.unwrap(), Verdict::Correct)
        .await
        .unwrap();
    chain.solve(&challenge).await.unwrap(); // the budget is spent
    let listed: BTreeSet<_> = METRICS
        .iter()
        .map(|metric| {
            let labels = metric
                .labels
                .iter()
                .map(|&label| label.to_owned())
                .collect();
            (metric.name.to_owned(), kind(metric.kind), labels)
        })
        .collect();
    assert_eq!(book.seen(), listed);
    // What is under way or waits comes back to nothing.
    for line in [
        "drag_solver_calls_in_flight challenge a|b",
        "drag_solver_permits_in_flight a",
        "drag_solver_waiting a permit",
        "drag_solver_waiting a turn",
    ] {
        assert!(!book.of(line).is_empty(), "{line}");
        assert_eq!(book.total(line).to_bits(), 0.0_f64.to_bits(), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn hedges_are_asked_and_win_or_lose_and_losers_may_be_billed() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let answer = |seconds| Outcome::answer(drag()).after(secs(seconds));
    let a = MockSolver::new("a")
        .then(answer(9))
        .then(answer(4))
        .then(answer(1));
    let b = MockSolver::new("b").always(answer(3));
    let chain = a.priced(price()).hedge(b.priced(price() * 2), secs(2));
    for _ in 0..3 {
        chain.solve(&challenge()).await.unwrap();
    }
    let expected = [
        ("drag_solver_abandoned_answers_total a", vec![1.0]),
        ("drag_solver_abandoned_answers_total b", vec![1.0]),
        ("drag_solver_abandoned_cost_usd a", vec![0.0009]),
        ("drag_solver_abandoned_cost_usd b", vec![0.0018]),
        ("drag_solver_hedges_total b asked", vec![1.0, 1.0]),
        ("drag_solver_hedges_total b lost", vec![1.0]),
        ("drag_solver_hedges_total b won", vec![1.0]),
    ];
    let expected = expected.map(|(line, values)| (line.to_owned(), values));
    assert_eq!(book.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_says_its_state_and_how_it_came_to_it() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .always(drag());
    let policy = CircuitBreakerPolicy::default().min_samples(1).probes(1);
    let guarded = a.circuit_breaker(policy);
    guarded.solve(&challenge()).await.unwrap_err();
    guarded.solve(&challenge()).await.unwrap_err();
    tokio::time::sleep(secs(30)).await;
    guarded.solve(&challenge()).await.unwrap();
    let states = book.of("drag_solver_circuit_state a");
    assert_eq!(states, [0.0, 2.0, 2.0, 1.0, 0.0]);
    for (to, times) in [("open", 1.0), ("half_open", 1.0), ("closed", 1.0)] {
        let line = format!("drag_solver_circuit_transitions_total a {to}");
        assert_eq!(book.of(&line), [times], "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_are_counted_and_timed_also_those_that_are_dropped() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let a = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(5)));
    let limited = a.concurrency_limit(one_at_a_time());
    let challenge = challenge();
    let dropped = tokio::time::timeout(millis(1_500), limited.solve(&challenge));
    let (first, second, dropped) = tokio::join!(
        limited.solve(&challenge),
        limited.solve(&challenge),
        dropped
    );
    first.unwrap();
    second.unwrap();
    assert!(dropped.is_err());
    let waits = book.of("drag_solver_wait_duration_seconds a permit");
    assert_eq!(waits, [1.5, 5.0]);
    let gauge = book.of("drag_solver_waiting a permit");
    assert_eq!(gauge, [1.0, 1.0, -1.0, -1.0]);
    assert_eq!(
        book.of("drag_solver_permits_in_flight a"),
        [1.0, -1.0, 1.0, -1.0]
    );
}

#[tokio::test(start_paused = true)]
async fn retries_tell_buying_again_from_fetching_and_those_not_made_do_not_count() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .then(ErrorKind::Unavailable)
        .then(Outcome::hang())
        .then(Outcome::answer(drag()).after(secs(20)))
        .always(ErrorKind::Unauthorized);
    let retried = a
        .timeout(secs(30))
        .retry(RetryPolicy::default().max_attempts(5));
    retried.solve(&challenge()).await.unwrap();
    retried.solve(&challenge()).await.unwrap_err();
    assert_eq!(book.of("drag_solver_retries_total a false"), [1.0; 2]);
    assert_eq!(book.of("drag_solver_retries_total a true"), [1.0]);
}

#[tokio::test(start_paused = true)]
async fn money_is_spent_once_by_the_call_that_bought_and_its_end_is_told_where_it_comes() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let answer = Outcome::answer(drag()).after(secs(20));
    let a = MockSolver::new("a").then(Outcome::hang()).then(answer);
    let chain = a
        .priced(price())
        .timeout(secs(30))
        .instrumented("attempt")
        .retry(RetryPolicy::default())
        .instrumented("challenge");
    chain.solve(&challenge()).await.unwrap();
    let steps = |scope: &str| {
        [
            "bought",
            "unfinished",
            "billed",
            "maybe_billed",
            "not_billed",
        ]
        .map(|step| {
            let line = format!("drag_solver_purchases_total {scope} a {step}");
            book.of(&line).len()
        })
    };
    assert_eq!(steps("attempt"), [1, 1, 1, 0, 0]);
    assert_eq!(steps("challenge"), [1, 0, 1, 0, 0]);
    for scope in ["attempt", "challenge"] {
        let spent = book.of(&format!("drag_solver_spent_usd {scope} a"));
        assert_eq!(spent, [0.0009], "{scope}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_solver_of_a_chain_has_its_own_money_and_what_was_not_billed_costs_nothing() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let wrong = error(ErrorKind::InvalidAnswer).with_billed(Billed::Yes);
    let lost = error(ErrorKind::Unavailable).with_billed(Billed::Maybe);
    let a = MockSolver::new("a")
        .fails(secs(1), wrong)
        .fails(secs(1), lost)
        .then(ErrorKind::Unsolvable)
        .then(Outcome::hang());
    let b = MockSolver::new("b")
        .with_cost(Usd::from_micros(7))
        .always(drag());
    let chain = a.priced(price()).or(b).instrumented("x");
    for _ in 0..3 {
        chain.solve(&challenge()).await.unwrap();
    }
    assert_eq!(book.of("drag_solver_spent_usd x b"), [0.000_007; 3]);
    assert_eq!(book.of("drag_solver_spent_usd x a"), [0.0009; 2]);
    let a_after = |step: &str| {
        book.of(&format!("drag_solver_purchases_total x a {step}"))
            .len()
    };
    let steps = ["billed", "maybe_billed", "unfinished"].map(a_after);
    assert_eq!(steps, [1, 1, 0]);
    // Dropped after it bought: it has no end, and all that is known is the price of an answer on average.
    let challenge = challenge();
    let dropped = tokio::time::timeout(Duration::from_secs(5), chain.solve(&challenge));
    assert!(dropped.await.is_err());
    assert_eq!(a_after("unfinished"), 1);
    assert_eq!(book.of("drag_solver_spent_usd x a")[2..], [0.000_453_5]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_dropped_is_spent_at_its_price() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let a = MockSolver::new("a").then(Outcome::hang());
    let seen = a.priced(price()).instrumented("x");
    let challenge = challenge();
    let dropped = tokio::time::timeout(Duration::from_secs(5), seen.solve(&challenge));
    assert!(dropped.await.is_err());
    assert_eq!(book.of("drag_solver_spent_usd x a"), [0.0009]);
    assert_eq!(book.of("drag_solver_purchases_total x a unfinished"), [1.0]);
}

#[tokio::test(start_paused = true)]
async fn of_solvers_that_say_nothing_the_outcome_tells_and_one_that_is_dropped_may_have_bought() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let silent = solver_fn("a", |challenge| async move {
        match challenge.instruction() {
            Some("answer") => Ok(Solution::new(drag(), "a")),
            Some(_) => Err(error(ErrorKind::InvalidAnswer).with_billed(Billed::Yes)),
            None => std::future::pending().await,
        }
    });
    let seen = silent.priced(price()).instrumented("x");
    seen.solve(&challenge().with_instruction("answer"))
        .await
        .unwrap();
    seen.solve(&challenge().with_instruction("fail"))
        .await
        .unwrap_err();
    let challenge = challenge();
    let dropped = tokio::time::timeout(secs(5), seen.solve(&challenge));
    assert!(dropped.await.is_err());
    assert_eq!(book.of("drag_solver_spent_usd x a"), [0.0009; 3]);
    let steps = ["bought", "billed", "unfinished"].map(|step| {
        let line = format!("drag_solver_purchases_total x a {step}");
        book.of(&line).len()
    });
    assert_eq!(steps, [3, 2, 1]);
}

/// A chain of two places that knows two labels, and what it recorded of challenges of these.
async fn recorded(by_label: bool, labels: [Option<&'static str>; 6]) -> Vec<(String, Vec<f64>)> {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let known = MetricLabels::default();
    let policy = |scope: &str| {
        InstrumentPolicy::from(scope)
            .by_label(by_label)
            .max_labels(2)
    };
    let a = MockSolver::new("a").always(drag());
    let chain = a
        .priced(price())
        .instrumented(policy("attempt"))
        .with_labels(&known)
        .or(MockSolver::new("b"))
        .instrumented(policy("challenge"))
        .with_labels(&known);
    for label in labels {
        let challenge = match label {
            Some(label) => challenge().with_label(label),
            None => challenge(),
        };
        let solution = chain.solve(&challenge).await.unwrap();
        chain.report(&solution, Verdict::Correct).await.unwrap();
    }
    book.lines()
}

#[tokio::test(start_paused = true)]
async fn calls_and_money_are_told_apart_by_label_where_the_policy_says_so_up_to_the_most() {
    let labels = ["shop", "bank", "third", "shop", "fourth"].map(Some);
    let labels: Vec<_> = labels.into_iter().chain([None]).collect();
    let lines = recorded(true, labels.try_into().unwrap()).await;
    let of = |line: &str| {
        let found = lines.iter().find(|(name, _)| name == line);
        found.map_or_else(Vec::new, |(_, values)| values.clone())
    };
    for (label, times) in [("shop", 2), ("bank", 1), ("other", 2), ("", 1)] {
        for (line, value) in [
            ("drag_solver_calls_total attempt a solved", 1.0),
            ("drag_solver_calls_total challenge a solved", 1.0),
            ("drag_solver_call_duration_seconds challenge a solved", 0.0),
            ("drag_solver_answer_cost_usd attempt a", 0.0009),
            ("drag_solver_spent_usd attempt a", 0.0009),
            ("drag_solver_spent_usd challenge a", 0.0009),
            ("drag_solver_purchases_total challenge a bought", 1.0),
            ("drag_solver_purchases_total challenge a billed", 1.0),
        ] {
            assert_eq!(of(&format!("{line} {label}")), vec![value; times], "{line}");
        }
        let in_flight = of(&format!(
            "drag_solver_calls_in_flight challenge a|b {label}"
        ));
        assert_eq!(in_flight, [1.0, -1.0].repeat(times));
    }
    // Of a report nothing says whose challenge it was.
    let reports = of("drag_solver_reports_total attempt a correct accepted");
    assert_eq!(reports.len(), 6);
    let all = [" shop", " bank", " other", " ", " accepted"];
    for (line, _) in &lines {
        assert!(all.iter().any(|end| line.ends_with(end)), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_policy_no_metric_has_a_label_of_the_challenge() {
    let labels = ["shop", "bank", "shop", "shop", "shop", "shop"].map(Some);
    let lines = recorded(false, labels).await;
    assert_eq!(lines, recorded(false, [None; 6]).await);
    assert!(lines.iter().all(|(line, _)| !line.ends_with(' ')));
}

#[tokio::test(start_paused = true)]
async fn labels_that_are_known_stay_known_when_fewer_are_wanted() {
    let book = Book::default();
    let _guard = set_default_local_recorder(&book);
    let known = MetricLabels::default();
    for (most, label) in [(2, "x"), (2, "y"), (1, "y"), (1, "z"), (3, "z")] {
        let policy = InstrumentPolicy::from("s").by_label(true).max_labels(most);
        let a = MockSolver::new("a").always(drag());
        let seen = a.instrumented(policy).with_labels(&known);
        seen.solve(&challenge().with_label(label)).await.unwrap();
    }
    let times = |label| book.total(&format!("drag_solver_calls_total s a solved {label}"));
    let times: Vec<_> = ["x", "y", "z", "other"].map(times).into();
    assert_eq!(times, [1.0, 2.0, 1.0, 1.0]);
}
