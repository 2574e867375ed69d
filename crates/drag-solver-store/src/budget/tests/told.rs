//! What people and programs are told of a budget.

use super::*;

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
