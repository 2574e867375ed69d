//! What is on record of a purchase, whatever its solver says of it.

use drag_solver_core::{Drag, JobId, Point, Usd, solver_fn};
use drag_solver_mock::{MockSolver, fixtures};
use jiff::Timestamp;
use tokio::time::timeout;

use super::*;
use crate::failing_store::Failing;
use crate::{Clock, PurchaseRecord, PurchaseState, SqliteStore, Store as _, StoreExt as _};

fn store() -> SqliteStore {
    SqliteStore::in_memory(Clock::tokio(Timestamp::UNIX_EPOCH)).unwrap()
}

fn order() -> DragChallenge {
    fixtures::challenge().with_id("order")
}

async fn purchases(store: &SqliteStore) -> Vec<PurchaseRecord> {
    store.find("order").await.unwrap().unwrap().purchases
}

fn answer(job: u64, cost: &str) -> Solution {
    let drag = Drag::new(Point::new(1.0, 2.0), Point::new(30.0, 4.0));
    let answer = Solution::new(drag, "a").with_job(JobId::from(job));
    answer.with_cost(cost.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn one_that_nothing_was_said_of_has_ended_with_its_call() {
    let store = store();
    let silent = solver_fn("a", |_| async { Ok(answer(1, "0.001")) });
    silent.durable(&store).solve(&order()).await.unwrap();
    let purchase = purchases(&store).await.remove(0);
    assert_eq!(purchase.state, PurchaseState::Settled);
    assert!(purchase.ended.is_some(), "{purchase:?}");
}

#[tokio::test(start_paused = true)]
async fn each_of_one_solvers_jobs_has_its_own_cost() {
    let store = store();
    let twice = solver_fn("a", |challenge: DragChallenge| async move {
        for job in [1, 2] {
            let (solver, job) = ("a", &JobId::from(job));
            challenge.notify(Event::Buying { solver }).await?;
            challenge.notify(Event::Bought { solver, job }).await?;
            let settled = Event::Settled {
                solver,
                job: Some(job),
                billed: Billed::Yes,
                cost: None,
            };
            challenge.notify(settled).await?;
        }
        let both = vec![answer(1, "0.001"), answer(2, "0.002")];
        Ok(answer(1, "0.001").with_contributors(both))
    });
    twice.durable(&store).solve(&order()).await.unwrap();
    for purchase in purchases(&store).await {
        let job = purchase.job.unwrap();
        let cost: Usd = format!("0.00{job}").parse().unwrap();
        assert_eq!(purchase.cost, Some(cost), "of {job}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_while_its_purchase_is_put_on_record_has_bought_nothing() {
    let store = store();
    let mut hanging = Failing::new(&store);
    hanging.hangs = true;
    let mock = MockSolver::new("a").always(fixtures::drag());
    let solver = mock.clone().durable(&hanging);
    let dropped = timeout(Duration::from_secs(1), solver.solve(&order())).await;
    assert!(dropped.is_err());
    assert_eq!(mock.purchases(), 0, "it was not sent");
    assert_eq!(purchases(&store).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_frame_that_a_picture_was_sent_in_is_on_record() {
    let store = store();
    let mut frame = Frame::whole(order().screenshot());
    (frame.top, frame.height) = (100, 400);
    let fitting = solver_fn("a", move |challenge: DragChallenge| async move {
        let (solver, job) = ("a", &JobId::from(1));
        challenge.notify(Event::Fitted { solver, frame }).await?;
        challenge.notify(Event::Buying { solver }).await?;
        challenge.notify(Event::Bought { solver, job }).await?;
        Ok(answer(1, "0.001"))
    });
    fitting.durable(&store).solve(&order()).await.unwrap();
    assert_eq!(purchases(&store).await[0].frame, Some(frame));
}
