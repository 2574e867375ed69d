//! Calls that are dropped or refused.

use super::*;

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
