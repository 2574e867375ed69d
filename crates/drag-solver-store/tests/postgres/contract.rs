use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use drag_solver_store::contract::{self, StoreUnderTest};
use drag_solver_store::jiff::Timestamp;
use drag_solver_store::{Clock, PostgresOptions};

use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_postgres_keeps_the_contract_twice() {
    let Some(place) = Place::new() else { return };
    let seconds = Arc::new(AtomicU64::new(0));
    let hands = Arc::clone(&seconds);
    let start: Timestamp = "2026-11-26T20:00:00.123Z".parse().unwrap();
    let clock = Clock::from_fn(move || start + Duration::from_secs(hands.load(Ordering::SeqCst)));
    let advance = |by: Duration| {
        seconds.fetch_add(by.as_secs(), Ordering::SeqCst);
    };
    for _ in 0..2 {
        let options = PostgresOptions::default().retention(None);
        let store = place.open_with(options.clock(clock.clone()));
        let report = contract::run(&StoreUnderTest::new(&store, &advance)).await;
        assert!(report.passed(), "{report}");
        assert!(report.checks().count() >= 36, "{report}");
    }
}
