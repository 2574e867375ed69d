//! The process that is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver::http::PollInterval;
use drag_solver::prelude::*;
use drag_solver::store::{
    Charge, Fact, Limit, NewPurchase, Opening, Shortage, SqliteStore, Store, StoreError,
    StoredBudget, StoredBudgetPolicy, TakenUp, forward_store,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use serde::{Deserialize, Serialize};

use super::ROLE;
use super::place::Address;
use super::provider::{self, price};
use crate::support::{TOKEN, quick_retries};

pub(super) const AT_BOUNDARY: &str = "crash-child: at the boundary";
pub(super) const DONE: &str = "crash-child: done ";

/// How many challenges it works on at once.
const CONCURRENCY: usize = 6;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) url: String,
    pub(super) store: Address,
    pub(super) seeds: Vec<u64>,
    /// The number of the call of the store before or after which it stands still: two for each call.
    pub(super) boundary: Option<usize>,
}

pub(super) const BUDGET: &str = "all";

/// Not a test by itself: what the tests beside start as a process of its own.
#[test]
#[ignore = "it is started by the tests of crashes"]
fn solves() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let role: Role = serde_json::from_str(&role).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let solved = match &role.store {
        Address::File(path) => runtime.block_on(work(SqliteStore::open(path).unwrap(), &role)),
        #[cfg(unix)]
        Address::Schema(schema) => runtime.block_on(work(schema.open(), &role)),
    };
    println!("{DONE}{solved}");
}

async fn work<S: Store + Clone>(inner: S, role: &Role) -> usize {
    let store = Standing {
        inner,
        calls: Arc::default(),
        boundary: role.boundary,
    };
    let policy = StoredBudgetPolicy::default().total("1000".parse().unwrap());
    let budget = StoredBudget::new(&store, BUDGET, policy);
    let soon = Duration::from_millis(1);
    let account = Omocaptcha::builder()
        .token(TOKEN)
        .base_url(&role.url)
        .poll(PollInterval::new(soon, soon));
    let solver = account
        .build()
        .unwrap()
        .stored_budget(&budget, price())
        .retry(quick_retries())
        .durable(&store);
    let permits = Arc::new(tokio::sync::Semaphore::new(CONCURRENCY));
    let calls = role.seeds.iter().map(|&seed| {
        let (solver, permits) = (solver.clone(), Arc::clone(&permits));
        async move {
            let _permit = permits.acquire().await.unwrap();
            let challenge = provider::challenge(seed).within(Duration::from_secs(60));
            loop {
                match solver.solve(&challenge).await {
                    Ok(_) => return 1,
                    // On a busy machine another may have taken it for dead, and over.
                    Err(error) if error.kind() == ErrorKind::NotRecorded => {}
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Unconfirmed, "{error:?}");
                        return 0;
                    }
                }
            }
        }
    });
    let count = join_all(calls).await.into_iter().sum();
    store.flush().await.unwrap();
    count
}

/// A store that stands still before or after one of its calls: there its process is killed.
#[derive(Clone, Debug)]
struct Standing<S> {
    inner: S,
    calls: Arc<AtomicUsize>,
    boundary: Option<usize>,
}

impl<S> Standing<S> {
    /// The next boundary.
    fn pass(&self) {
        if self.boundary == Some(self.calls.fetch_add(1, Ordering::SeqCst)) {
            println!("{AT_BOUNDARY}");
            loop {
                std::thread::park();
            }
        }
    }
}

#[async_trait]
impl<S: Store + Clone> Store for Standing<S> {
    async fn take_up(&self, opening: &Opening) -> Result<TakenUp, StoreError> {
        self.pass();
        let taken = self.inner.take_up(opening).await;
        self.pass();
        taken
    }

    async fn begin_purchase(&self, purchase: NewPurchase) -> Result<(), StoreError> {
        self.pass();
        let begun = self.inner.begin_purchase(purchase).await;
        self.pass();
        begun
    }

    fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>> {
        self.pass();
        let recorded = self.inner.record(fact);
        let store = self.clone();
        async move {
            let recorded = recorded.await;
            store.pass();
            recorded
        }
        .boxed()
    }

    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        self.pass();
        let reserved = self.inner.reserve(key, budget, amount, limits).await;
        self.pass();
        reserved
    }

    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        self.pass();
        let charged = self.inner.charge(charge, limits).await;
        self.pass();
        charged
    }

    forward_store!(inner except take_up, begin_purchase, record, reserve, charge);
}
