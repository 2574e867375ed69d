use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::{Clock, SqliteOptions, SqliteStore};

/// A clock that goes ahead by hand.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn clock(&self) -> Clock {
        let hands = self.clone();
        let start: Timestamp = "2026-11-26T20:00:00.123Z".parse().unwrap();
        Clock::from_fn(move || start + Duration::from_secs(hands.0.load(Ordering::SeqCst)))
    }

    async fn check(&self, store: &SqliteStore) {
        let advance = |by: Duration| {
            self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
        };
        let report = run(&StoreUnderTest::new(store, &advance)).await;
        assert!(report.passed(), "{report}");
        assert!(report.checks().count() >= 36, "{report}");
    }
}

#[tokio::test]
async fn a_store_in_memory_keeps_the_contract() {
    let hands = Hands::default();
    let store = SqliteStore::in_memory(hands.clock()).unwrap();
    hands.check(&store).await;
}

#[tokio::test]
async fn a_store_in_a_file_keeps_the_contract_twice() {
    let (hands, folder) = (Hands::default(), tempfile::tempdir().unwrap());
    let path = folder.path().join("drags.db");
    for _ in 0..2 {
        let options = SqliteOptions::default().clock(hands.clock());
        let store = SqliteStore::open_with(&path, options.retention(None)).unwrap();
        hands.check(&store).await;
    }
}
