use std::time::Duration;

use drag_solver_combinators::{DragSolverExt as _, RetryPolicy};
use drag_solver_core::{Billed, CheckSettings as _, Event, JobId, Observer, PaidJob, solver_fn};
use drag_solver_mock::{MockSolver, Outcome, contract, fixtures};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::failing_store::Failing;
use crate::{Charge, Clock, SqliteStore, Store as _, StoreExt as _};

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn price() -> Usd {
    usd("0.0009")
}

fn store() -> SqliteStore {
    let start: Timestamp = "2026-11-26T20:00:00Z".parse().unwrap();
    SqliteStore::in_memory(Clock::tokio(start)).unwrap()
}

fn budget(store: &SqliteStore, total: &str) -> StoredBudget {
    StoredBudget::new(
        store,
        "all",
        StoredBudgetPolicy::default().total(usd(total)),
    )
}

fn answering(seconds: u64) -> MockSolver {
    let after = Duration::from_secs(seconds);
    MockSolver::new("a").always(Outcome::answer(fixtures::drag()).after(after))
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_on_money_for_fifty_buy_exactly_fifty() {
    let (store, mock) = (store(), answering(3));
    let budget = budget(&store, "0.045");
    let solver = mock.clone().stored_budget(&budget, price());
    let challenge = fixtures::challenge();
    let calls = (0..200).map(|_| solver.solve(&challenge));
    let outcomes = futures_util::future::join_all(calls).await;
    assert_eq!(mock.purchases(), 50);
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
        assert!(
            error
                .message()
                .contains(r#"the budget "all", $0.045 in all"#),
            "{error}"
        );
    }
    let state = budget.state(None).await.unwrap();
    assert_eq!((state.spent, state.reserved), (usd("0.045"), Usd::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_it_really_cost_replaces_the_price() {
    let store = store();
    let budget = budget(&store, "1");
    let cheap = answering(1).with_cost(usd("0.0004"));
    cheap
        .stored_budget(&budget, price())
        .solve(&fixtures::challenge())
        .await
        .unwrap();
    assert_eq!(budget.state(None).await.unwrap().spent, usd("0.0004"));
    let free = MockSolver::new("b").always(ErrorKind::Unsolvable);
    free.stored_budget(&budget, price())
        .solve(&fixtures::challenge())
        .await
        .unwrap_err();
    assert_eq!(budget.state(None).await.unwrap().spent, usd("0.0004"));
    let dear = answering(1).with_cost(usd("2"));
    dear.stored_budget(&budget, price())
        .solve(&fixtures::challenge())
        .await
        .unwrap();
    assert_eq!(
        budget.state(None).await.unwrap().spent,
        usd("2.0004"),
        "in full"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_back_what_it_set_aside_and_pays_for_what_it_bought() {
    let store = store();
    let budget = budget(&store, "0.001");
    let waiting = solver_fn("a", |challenge: DragChallenge| async move {
        challenge.notify(Event::Started { solver: "a" }).await?;
        std::future::pending().await
    });
    let second = Duration::from_secs(1);
    let challenge = fixtures::challenge();
    let waiting = waiting.stored_budget(&budget, price());
    {
        let call = tokio::time::timeout(second, waiting.solve(&challenge));
        let mut call = std::pin::pin!(call);
        assert!(
            call.as_mut()
                .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
                .is_pending()
        );
        assert_eq!(budget.state(None).await.unwrap().reserved, price());
    }
    let state = budget.state(None).await.unwrap();
    assert_eq!((state.spent, state.reserved), (Usd::ZERO, Usd::ZERO));

    let bought = answering(60).stored_budget(&budget, price());
    assert!(
        tokio::time::timeout(second, bought.solve(&challenge))
            .await
            .is_err()
    );
    let state = budget.state(None).await.unwrap();
    assert_eq!((state.spent, state.reserved), (price(), Usd::ZERO));

    let silent = solver_fn("silent", |_| std::future::pending());
    let rich = StoredBudget::new(
        &store,
        "rich",
        StoredBudgetPolicy::default().total(usd("1")),
    );
    let silent = silent.stored_budget(&rich, price());
    assert!(
        tokio::time::timeout(second, silent.solve(&challenge))
            .await
            .is_err()
    );
    assert_eq!(rich.state(None).await.unwrap().spent, price());
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_leaves_nothing_to_be_written() {
    let (store, challenge) = (store(), fixtures::challenge());
    let policy = StoredBudgetPolicy::default();
    let full = Failing {
        money: true,
        ..Failing::new(&store)
    };
    let error = answering(1)
        .stored_budget(
            StoredBudget::new(&full, "all", policy.clone().total(price())),
            price(),
        )
        .solve(&challenge)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
    assert_eq!(full.facts(), 1, "it was set aside, and is given back");

    let working = Failing::new(&store);
    let poor = StoredBudget::new(&working, "poor", policy.total(usd("0.0001")));
    let solver = answering(1).stored_budget(poor, price());
    solver.solve(&challenge).await.unwrap_err();
    assert_eq!(working.facts(), 0, "it was never set aside");
}

/// Waits for ever when it hears of a purchase.
#[derive(Debug)]
struct Stuck;

#[async_trait]
impl Observer for Stuck {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if matches!(event, Event::Buying { .. }) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_its_purchase_is_sent_costs_nothing() {
    let store = store();
    let budget = budget(&store, "1");
    let mock = answering(1);
    let inside = solver_fn("chain", move |challenge: DragChallenge| {
        let (mock, challenge) = (mock.clone(), challenge.with_observer(Arc::new(Stuck)));
        async move { mock.solve(&challenge).await }
    });
    let solver = inside.stored_budget(&budget, price());
    let second = Duration::from_secs(1);
    let challenge = fixtures::challenge();
    let ended = tokio::time::timeout(second, solver.solve(&challenge)).await;
    assert!(ended.is_err());
    let state = budget.state(None).await.unwrap();
    assert_eq!((state.spent, state.reserved), (Usd::ZERO, Usd::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_fetched_later_costs_nothing_and_corrects_what_was_charged() {
    let store = store();
    let budget = budget(&store, "0.0009");
    let hasty = fixtures::challenge().within(Duration::from_secs(5));
    let slow = answering(60).stored_budget(&budget, price());
    let job = slow
        .solve(&hasty)
        .await
        .unwrap_err()
        .unfinished_jobs()
        .remove(0);
    assert_eq!(budget.state(None).await.unwrap().spent, price());
    let later = answering(1)
        .with_cost(usd("0.0002"))
        .stored_budget(&budget, price());
    let resumed = fixtures::challenge().resume_job(job.clone());
    later.solve(&resumed).await.unwrap();
    assert_eq!(budget.state(None).await.unwrap().spent, usd("0.0002"));
    // Once: what was corrected is closed.
    later.solve(&resumed).await.unwrap();
    assert_eq!(budget.state(None).await.unwrap().spent, usd("0.0002"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_resumes_and_then_buys_needs_money_for_that() {
    let store = store();
    let budget = budget(&store, "0.0001");
    let buying = solver_fn("a", |challenge: DragChallenge| async move {
        let job = &JobId::from(1);
        challenge
            .notify(Event::Resumed { solver: "a", job })
            .await?;
        challenge.notify(Event::Buying { solver: "a" }).await?;
        Ok(Solution::new(fixtures::drag(), "a"))
    });
    let resumed = fixtures::challenge().resume_job(PaidJob::new("a", JobId::from(1)));
    let error = buying
        .stored_budget(&budget, price())
        .solve(&resumed)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
    assert!(error.unfinished_jobs().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_limit_counts_its_own_time_and_says_when_there_is_money_again() {
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let store = store(); // 20:00 UTC, 03:00 in Ho Chi Minh City
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let one = usd("0.0009");
    for (name, policy, wait) in [
        ("day", StoredBudgetPolicy::default().per_day(one), hours(4)),
        (
            "zone",
            StoredBudgetPolicy::default().per_day(one).time_zone(zone),
            hours(21),
        ),
        (
            "hour",
            StoredBudgetPolicy::default()
                .per_period(one)
                .period(hours(1)),
            hours(1),
        ),
    ] {
        let begun = tokio::time::Instant::now();
        let budget = StoredBudget::new(&store, name, policy);
        let solver = answering(0).stored_budget(&budget, one);
        let challenge = fixtures::challenge();
        solver.solve(&challenge).await.unwrap();
        let error = solver.solve(&challenge).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(wait), "{name}");
        tokio::time::advance(wait.saturating_sub(Duration::from_millis(1))).await;
        assert!(solver.solve(&challenge).await.is_err(), "{name}");
        tokio::time::advance(Duration::from_millis(1)).await;
        solver.solve(&challenge).await.unwrap();
        // Back to 20:00, a day or two later.
        tokio::time::advance(hours(48).saturating_sub(begun.elapsed())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_by_label_is_one_for_each() {
    let (store, mock) = (store(), answering(1));
    let limits = |label: &str| {
        let total = if label == "rich" { "1" } else { "0.0009" };
        StoredBudgetPolicy::default().total(usd(total))
    };
    let budget = StoredBudget::by_label(&store, "tenants", limits);
    let solver = mock.stored_budget(&budget, price());
    let of = |label: &str| fixtures::challenge().with_label(label);
    for label in ["rich", "rich", "poor"] {
        solver.solve(&of(label)).await.unwrap();
    }
    let error = solver.solve(&of("poor")).await.unwrap_err();
    assert!(error.message().contains(r#""tenants/poor""#), "{error}");
    assert_eq!(
        budget.state(Some("rich")).await.unwrap().spent,
        usd("0.0018")
    );
}

#[tokio::test(start_paused = true)]
async fn settings_are_checked_and_go_both_ways() {
    let read = serde_json::from_str::<StoredBudgetPolicy>;
    let policy = read(r#"{"per_day": "5", "time_zone": "Europe/Berlin"}"#).unwrap();
    let written = serde_json::to_string(&policy).unwrap();
    assert_eq!(read(&written).unwrap(), policy);
    assert!(policy.check().is_ok());
    let error = read(r#"{"time_zone": "Moon/Crater"}"#)
        .unwrap_err()
        .to_string();
    assert!(error.contains("Asia/Ho_Chi_Minh"), "{error}");
    for (wrong, path) in [
        (StoredBudgetPolicy::default(), "total"),
        (StoredBudgetPolicy::default().per_day(Usd::ZERO), "per_day"),
        (
            StoredBudgetPolicy::default()
                .total(price())
                .period(Duration::ZERO),
            "period",
        ),
    ] {
        assert_eq!(wrong.check().unwrap_err().path(), path);
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_to_nothing_is_free_again_while_the_call_goes_on() {
    let budget = budget(&store(), "0.0009");
    let second_try = solver_fn("a", |challenge: DragChallenge| async move {
        let solver = "a";
        challenge.notify(Event::Buying { solver }).await?;
        challenge.notify(Event::NotBought { solver }).await?;
        challenge.notify(Event::Buying { solver }).await?;
        Ok(Solution::new(fixtures::drag(), solver))
    });
    let solver = second_try.stored_budget(&budget, price());
    solver.solve(&fixtures::challenge()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_is_that_of_its_charge_as_soon_as_it_is_named() {
    let budget = budget(&store(), "1");
    let hangs = solver_fn("a", |challenge: DragChallenge| async move {
        let (solver, job) = ("a", &JobId::from(7));
        challenge.notify(Event::Buying { solver }).await?;
        challenge.notify(Event::Bought { solver, job }).await?;
        std::future::pending().await
    });
    let hangs = hangs.stored_budget(&budget, price());
    let challenge = fixtures::challenge();
    let mut call = hangs.solve(&challenge);
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(context).is_pending());
    assert_eq!(budget.state(None).await.unwrap().spent, price());

    let fetched = answering(1).with_cost(usd("0.0002"));
    let fetched = fetched.stored_budget(&budget, price());
    let resumed = fixtures::challenge().resume_job(PaidJob::new("a", JobId::from(7)));
    fetched.solve(&resumed).await.unwrap();
    assert_eq!(budget.state(None).await.unwrap().spent, usd("0.0002"));
}

#[tokio::test(start_paused = true)]
async fn of_a_solver_that_says_nothing_of_money_its_answer_says_the_cost_or_it_is_the_price() {
    let budget = budget(&store(), "1");
    for (cost, spent) in [
        (Some("0.0002"), "0.0002"),
        (Some("-5"), "0.0011"), // no money is made
        (None, "0.002"),
    ] {
        let silent = solver_fn("silent", move |_| async move {
            let solution = Solution::new(fixtures::drag(), "silent");
            Ok(match cost {
                Some(cost) => solution.with_cost(usd(cost)),
                None => solution,
            })
        });
        let silent = silent.stored_budget(&budget, price());
        silent.solve(&fixtures::challenge()).await.unwrap();
        assert_eq!(budget.state(None).await.unwrap().spent, usd(spent));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_solver_fetches_of_a_job_that_was_brought_costs_nothing_also_if_it_is_dropped()
 {
    let budget = budget(&store(), "1");
    let resumed = fixtures::challenge().resume_job(PaidJob::new("silent", JobId::from(7)));
    let answer = |job: u64| {
        let silent = solver_fn("silent", move |_| async move {
            Ok(Solution::new(fixtures::drag(), "silent").with_job(JobId::from(job)))
        });
        silent.stored_budget(&budget, price())
    };
    answer(7).solve(&resumed).await.unwrap();
    let silent = solver_fn("silent", |_| std::future::pending());
    let silent = silent.stored_budget(&budget, price());
    let dropped = tokio::time::timeout(Duration::from_secs(1), silent.solve(&resumed));
    assert!(dropped.await.is_err());
    assert_eq!(budget.state(None).await.unwrap().spent, Usd::ZERO);
    answer(8).solve(&resumed).await.unwrap();
    assert_eq!(budget.state(None).await.unwrap().spent, price());
}

#[tokio::test(start_paused = true)]
async fn a_silent_solver_that_fails_is_charged_for_what_may_be_billed_and_was_not_brought() {
    let budget = budget(&store(), "1");
    let job = |id: u64| PaidJob::new("silent", JobId::from(id));
    let resumed = fixtures::challenge().resume_job(job(7));
    let failed = || SolveError::new(ErrorKind::Unavailable, "lost");
    for (error, spent) in [
        (failed(), "0"),
        (failed().with_billed(Billed::Maybe), "0.0009"),
        (
            failed()
                .with_billed(Billed::Yes)
                .with_unfinished_jobs([job(7)]),
            "0.0009",
        ),
        (
            failed()
                .with_billed(Billed::Yes)
                .with_unfinished_jobs([job(8)]),
            "0.0018",
        ),
    ] {
        let silent = solver_fn("silent", move |_| {
            let error = error.clone();
            async move { Err(error) }
        });
        let silent = silent.stored_budget(&budget, price());
        silent.solve(&resumed).await.unwrap_err();
        assert_eq!(budget.state(None).await.unwrap().spent, usd(spent));
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    let store = store();
    let solver = answering(3).stored_budget(budget(&store, "100"), price());
    let subject = contract::SolverUnderTest::new(&solver, fixtures::challenge())
        .expecting(fixtures::drag(), 1.0)
        .on_paused_clock()
        // Of 1,000 at once, each dropped at each of its awaits, SQLite in a debug build takes 20 s.
        .with_calls_at_once(50)
        .without(
            contract::Check::ErrorsAreSensible,
            "it solves every picture",
        );
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
    assert_eq!(store.budget("all", &[]).await.unwrap().reserved, Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_summary_tells_all_today_and_the_period_without_limits_for_them() {
    let store = store(); // it is 03:00 of the next day in Ho Chi Minh City, and 20:00 in UTC
    let policy = StoredBudgetPolicy::default()
        .total(usd("1"))
        .period(Duration::from_secs(2 * 60 * 60))
        .time_zone(TimeZone::get("Asia/Ho_Chi_Minh").unwrap());
    let budget = StoredBudget::new(&store, "all", policy.clone());
    let spend = async |seconds| {
        let solver = answering(1).stored_budget(&budget, price());
        solver.solve(&fixtures::challenge()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    };
    spend(3 * 60 * 60).await; // of the day, and not of the period
    spend(0).await;
    store
        .reserve(7, "all", usd("0.5"), &[])
        .await
        .unwrap()
        .unwrap();
    let summary = budget.summary(None).await.unwrap();
    let expected = BudgetSummary {
        spent: usd("0.0018"),
        spent_today: usd("0.0018"),
        spent_in_period: usd("0.0009"),
        reserved: usd("0.5"),
    };
    assert_eq!(summary, expected);
    tokio::time::sleep(Duration::from_secs(19 * 60 * 60)).await; // a day later there
    let summary = budget.summary(None).await.unwrap();
    assert_eq!(
        (summary.spent, summary.spent_today, summary.spent_in_period),
        (usd("0.0018"), Usd::ZERO, Usd::ZERO)
    );
    assert_eq!((budget.name(), budget.policy(None)), ("all", policy));
    assert!(!budget.is_by_label());
}

#[tokio::test(start_paused = true)]
async fn a_summary_by_label_is_that_of_the_label() {
    let store = store();
    let limits = |label: &str| {
        StoredBudgetPolicy::default().total(usd(if label == "rich" { "9" } else { "1" }))
    };
    let budget = StoredBudget::by_label(&store, "all", limits);
    let challenge = fixtures::challenge().with_label("rich");
    let solver = answering(1).stored_budget(&budget, price());
    solver.solve(&challenge).await.unwrap();
    assert_eq!(budget.summary(Some("rich")).await.unwrap().spent, price());
    assert_eq!(budget.summary(None).await.unwrap().spent, Usd::ZERO);
    assert_eq!(budget.policy(Some("rich")).total, Some(usd("9")));
    assert_eq!(budget.policy(None).total, Some(usd("1")));
    assert!(budget.is_by_label());
}

#[test]
fn what_it_costs_at_most_is_the_price_of_each_answer_unless_the_solver_knows_better() {
    let budget = budget(&store(), "1");
    let cost = |solver: &dyn DragSolver| solver.profile().worst_case.cost;
    let one = answering(1).stored_budget(&budget, price());
    assert_eq!(cost(&one), Some(price()));
    let knows = answering(1).priced(usd("0.5"));
    assert_eq!(
        cost(&knows.stored_budget(&budget, price())),
        Some(usd("0.5"))
    );
    let twice = answering(1).retry(RetryPolicy::default().max_attempts(2));
    assert_eq!(
        cost(&twice.stored_budget(&budget, price())),
        Some(price() * 2)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_what_the_nearest_limit_leaves() {
    let store = store();
    let hour = Duration::from_secs(60 * 60);
    let policy = || StoredBudgetPolicy::default().total(usd("1"));
    let left = async |policy| StoredBudget::new(&store, "all", policy).left(None).await;
    let spend = async |amount: &str| {
        let charge = Charge {
            key: new_key(),
            reservation: None,
            budget: "all".to_owned(),
            solver: "a".to_owned(),
            amount: usd(amount),
        };
        store.charge(&charge, &[]).await.unwrap().unwrap();
    };
    assert_eq!(left(StoredBudgetPolicy::default()).await.unwrap(), None);
    assert_eq!(left(policy()).await.unwrap(), Some(usd("1")));

    // 20:00 UTC: of the day, and not of the last hour.
    spend("0.3").await;
    tokio::time::advance(2 * hour).await;
    spend("0.1").await;
    assert_eq!(left(policy()).await.unwrap(), Some(usd("0.6")));
    let daily = || policy().per_day(usd("0.5"));
    assert_eq!(left(daily()).await.unwrap(), Some(usd("0.1")));
    let all = |hourly| daily().per_period(usd(hourly)).period(hour);
    assert_eq!(left(all("0.15")).await.unwrap(), Some(usd("0.05")));
    assert_eq!(left(all("0.25")).await.unwrap(), Some(usd("0.1")));

    let reserved = store.reserve(7, "all", usd("0.08"), &[]).await;
    reserved.unwrap().unwrap();
    assert_eq!(left(daily()).await.unwrap(), Some(usd("0.02")));
    assert_eq!(left(all("0.15")).await.unwrap(), Some(usd("-0.03")));
    assert_eq!(left(StoredBudgetPolicy::default()).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_by_label_is_that_of_the_label() {
    let store = store();
    let budget = StoredBudget::by_label(&store, "all", |label| match label {
        "rich" => StoredBudgetPolicy::default().total(usd("9")),
        "free" => StoredBudgetPolicy::default(),
        _ => StoredBudgetPolicy::default().total(usd("1")),
    });
    let challenge = fixtures::challenge().with_label("rich");
    let solver = answering(1).stored_budget(&budget, price());
    solver.solve(&challenge).await.unwrap();
    let left = async |label| budget.left(label).await.unwrap();
    assert_eq!(left(Some("rich")).await, Some(usd("8.9991")));
    assert_eq!(left(Some("free")).await, None);
    assert_eq!(left(Some("poor")).await, Some(usd("1")));
    assert_eq!(left(None).await, Some(usd("1")));
}
