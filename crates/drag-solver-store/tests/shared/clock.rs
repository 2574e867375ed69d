//! A clock that jumps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use drag_solver_core::{
    DragChallenge, DragSolver as _, ErrorKind, Event, Solution, Usd, solver_fn,
};
use drag_solver_mock::fixtures;
use drag_solver_store::{
    Clock, Status, Store as _, StoreExt as _, StoredBudget, StoredBudgetPolicy, jiff::Timestamp,
};
use tokio::sync::Notify;

use crate::place::{LEASE, Place, TheStore};
use crate::process::{NEW, answering, challenge};

const DAY: i64 = 24 * 3_600;

/// A clock that stands at noon, and so many seconds from there.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        let noon: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        Clock::from_fn(move || {
            let seconds = hands.0.load(Ordering::SeqCst);
            Timestamp::from_second(noon.as_second() + seconds).unwrap()
        })
    }
}

/// When a lease has ended that is renewed now.
fn after_lease() -> i64 {
    LEASE.as_secs().cast_signed() + 1
}

fn price() -> Usd {
    Usd::from_micros(900)
}

fn daily(store: &TheStore, answers: u32) -> StoredBudget {
    let policy = StoredBudgetPolicy::default().per_day(price() * answers);
    StoredBudget::new(store, "daily", policy)
}

/// Buys when it is told to, and says that it has begun.
fn waiting(begun: &Arc<Notify>, go: &Arc<Notify>) -> impl drag_solver_core::DragSolver {
    let (begun, go) = (Arc::clone(begun), Arc::clone(go));
    solver_fn("a", move |challenge: DragChallenge| {
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        async move {
            challenge.notify(Event::Started { solver: "a" }).await?;
            begun.notify_one();
            go.notified().await;
            challenge.notify(Event::Buying { solver: "a" }).await?;
            Ok(Solution::new(fixtures::drag(), "a"))
        }
    })
}

#[tokio::test]
async fn nothing_is_paid_twice_by_a_clock_that_jumps_a_day_and_back() {
    let Some(place) = Place::new() else { return };
    let hands = Hands::default();
    let one = place.open_by(hands.clock()).await;
    let other = place.open_by(hands.clock()).await;
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = waiting(&begun, &go).stored_budget(daily(&one, 1), price());
    let first = first.durable(&one);
    let mock = answering();
    let second = mock.clone().stored_budget(daily(&other, 1), price());
    let second = second.durable(&other);
    let challenge = challenge(NEW);
    let late = tokio::spawn(async move {
        let challenge = crate::process::challenge(NEW);
        first.solve(&challenge).await
    });
    begun.notified().await;

    hands.set(DAY);
    second.solve(&challenge).await.unwrap(); // it has taken the challenge over
    go.notify_one();
    let error = late.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
    assert!(
        error.message().contains("taken the challenge over"),
        "{error}"
    );
    assert_eq!(mock.purchases(), 1);

    // What was spent tomorrow is spent today, too, and leaves nothing to spend twice.
    for seconds in [0, DAY] {
        hands.set(seconds);
        let state = daily(&one, 1).state(None).await.unwrap();
        assert_eq!((state.since[0], state.reserved), (price(), Usd::ZERO));
    }
    hands.set(2 * DAY);
    let state = daily(&one, 1).state(None).await.unwrap();
    assert_eq!((state.since[0], state.spent), (Usd::ZERO, price()));
    let next = mock.clone().stored_budget(daily(&other, 1), price());
    next.solve(&fixtures::challenge()).await.unwrap();
}

#[tokio::test]
async fn a_lease_is_right_again_as_soon_as_something_is_taken_up() {
    let Some(place) = Place::new() else { return };
    let hands = Hands::default();
    hands.set(DAY);
    let one = place.open_by(hands.clock()).await;
    let other = place.open_by(hands.clock()).await;
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    for seconds in [0, 2 * DAY] {
        hands.set(seconds);
        let id = format!("at {seconds}");
        let solver = waiting(&begun, &go).durable(&one);
        let held = challenge(&id);
        let call = tokio::spawn(async move { solver.solve(&held).await });
        begun.notified().await;
        let is_held = || async {
            let record = other.find(&id).await.unwrap().unwrap();
            matches!(record.status, Status::Open { held: true })
        };
        assert!(is_held().await, "{seconds}");
        hands.set(seconds + after_lease());
        assert!(!is_held().await, "{seconds}");
        go.notify_one();
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_was_set_aside_under_a_lease_that_ended_is_not_spent_twice() {
    let Some(place) = Place::new() else { return };
    let hands = Hands::default();
    let one = place.open_by(hands.clock()).await;
    let other = place.open_by(hands.clock()).await;
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hanging = waiting(&begun, &go).stored_budget(daily(&one, 1), price());
    let hanging = tokio::spawn(async move { hanging.solve(&fixtures::challenge()).await });
    begun.notified().await;

    hands.set(after_lease());
    let mock = answering();
    let quick = mock.clone().stored_budget(daily(&other, 1), price());
    quick.solve(&fixtures::challenge()).await.unwrap();
    // The lease of the first is renewed, and what it had set aside is gone.
    let again = answering().stored_budget(daily(&one, 1), price());
    let error = again.solve(&fixtures::challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
    go.notify_one();
    let error = hanging.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
    assert_eq!(daily(&one, 1).state(None).await.unwrap().spent, price());
}
