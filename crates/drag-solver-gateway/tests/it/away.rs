//! The store is away: it is waited for, and then cannot be used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use drag_solver::async_trait;
use drag_solver::store::{
    KeyRecord, SqliteStore, Store, StoreError, StoreErrorKind, forward_store,
};
use drag_solver::testing::{MockSolver, fixtures};
use drag_solver_gateway::GatewayPolicy;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::house::{House, add_key, store};

/// How long a store waits for its server.
const PATIENCE: Duration = Duration::from_secs(10);

/// A store whose keys cannot be read while it is away.
#[derive(Clone, Debug)]
struct Away(SqliteStore, Arc<AtomicBool>);

#[async_trait]
impl Store for Away {
    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        if self.1.load(Ordering::SeqCst) {
            sleep(PATIENCE).await;
            return Err(StoreError::new(StoreErrorKind::Unavailable, "away"));
        }
        self.0.keys().await
    }
    forward_store!(0 except keys);
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_read_hold_up_no_key_that_is_known_and_others_once() {
    let (store, is_away) = (store(), Arc::new(AtomicBool::new(false)));
    let key = add_key(&store, "shop", |_| {}).await;
    let mock = MockSolver::new("house").always(fixtures::drag());
    let away = Away(store, Arc::clone(&is_away));
    let house = House::with(&mock, away, GatewayPolicy::default()).await;
    is_away.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(5)).await;
    let took = async |key: &str| {
        let begun = Instant::now();
        let asks =
            (0..20).map(async |_| house.post("/getBalance", &json!({"clientKey": key})).await);
        let answers = join_all(asks).await;
        (answers[19]["errorId"].as_i64(), begun.elapsed().as_secs())
    };
    assert_eq!(took(&key).await, (Some(0), 1));
    // Of these, the first may have to wait for what was asked before it.
    let (error, seconds) = took("unknown").await;
    assert!(error == Some(1) && seconds <= 20, "{seconds} s");

    is_away.store(false, Ordering::SeqCst);
    sleep(PATIENCE).await;
    assert_eq!(took(&key).await, (Some(0), 0));
}
