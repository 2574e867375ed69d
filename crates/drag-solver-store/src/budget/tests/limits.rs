//! Whether there is money.

use super::*;

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
