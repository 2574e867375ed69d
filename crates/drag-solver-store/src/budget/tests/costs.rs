//! What purchases come to.

use super::*;

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
