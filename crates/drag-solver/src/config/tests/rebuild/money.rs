//! Money and retries that were spent stay spent.

use super::*;

#[tokio::test(start_paused = true)]
async fn spent_money_stays_spent_and_what_is_under_way_is_booked_for_both_chains() {
    let a = answers("a", 10);
    let registry = registry(&a, &a);
    let file = |total: &str| {
        config(&format!(
            "[budget]\ntotal = \"{total}\"\n[[providers]]\nkind = \"a\"\nprice = \"0.001\"\n\
             budget = {{ per_period = \"{total}\", period = \"1h\" }}\n"
        ))
    };
    let old = file("0.003").build(&registry).unwrap();
    old.solve(&fixtures::challenge()).await.unwrap();
    let calls = spawn(&old, 1);
    settle().await;
    let new = old.rebuilt(&file("0.002"), &registry).unwrap();
    let budget = new.health().budget.unwrap();
    assert_eq!(
        (budget.spent, budget.reserved),
        (usd("0.001"), usd("0.001"))
    );
    assert_eq!(budget.policy, BudgetPolicy::default().total(usd("0.002")));
    // One is spent and one under way: by the new limits there is nothing left, for the old chain either.
    for chain in [&old, &new] {
        assert_eq!(failure(chain).await, ErrorKind::BudgetExhausted);
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), None);
    }
    let health = new.health();
    assert_eq!(health.budget.unwrap().spent, usd("0.002"));
    let own = health.providers[0].budget.unwrap();
    assert_eq!(
        (own.spent_in_period, own.reserved),
        (usd("0.002"), Usd::ZERO)
    );
    let richer = new.rebuilt(&file("0.003"), &registry).unwrap();
    richer.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(failure(&richer).await, ErrorKind::BudgetExhausted);
}

#[tokio::test(start_paused = true)]
async fn retries_that_were_taken_stay_taken() {
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let registry = registry(&a, &a);
    let file = |burst| {
        config(&format!(
            "retry_budget = {{ burst = {burst}, ratio = 0 }}\n[[providers]]\nkind = \"a\"\nretry = true\n"
        ))
    };
    let old = file(3).build(&registry).unwrap();
    failure(&old).await;
    let new = old.rebuilt(&file(4), &registry).unwrap();
    assert_eq!(new.health().retry_budget.unwrap().available, 2);
    failure(&new).await;
    failure(&new).await;
    assert_eq!(
        a.call_count(),
        3 + 4,
        "a call that is out of retries is made once"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_by_the_old_period_does_not_count_for_a_longer_one() {
    let a = answers("a", 0);
    let registry = registry(&a, &a);
    let file = |period: &str| {
        only_a(&format!(
            "price = \"0.001\"\nbudget = {{ per_period = \"1\", period = \"{period}\" }}"
        ))
    };
    let old = file("1h").build(&registry).unwrap();
    old.solve(&fixtures::challenge()).await.unwrap();
    advance(secs(1_800)).await;
    old.solve(&fixtures::challenge()).await.unwrap();
    advance(secs(1_800)).await;
    let new = old.rebuilt(&file("24h"), &registry).unwrap();
    let budget = new.health().providers[0].budget.unwrap();
    assert_eq!(
        (budget.spent, budget.spent_in_period),
        (usd("0.002"), usd("0.001"))
    );
}
