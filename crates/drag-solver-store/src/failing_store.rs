//! A store of tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use drag_solver_core::{Usd, Verdict, async_trait};
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    Accepted, BudgetState, ChallengeRecord, Charge, Fact, KeyRecord, Limit, NewPurchase, Opening,
    Pruned, Query, Reported, Retention, Shortage, Spending, SpendingQuery, SqliteStore, Store,
    StoreError, StoreErrorKind, TakenUp,
};

/// A store that fails as it is told, for the rest the one inside.
#[derive(Clone, Debug)]
pub(crate) struct Failing {
    pub(crate) inner: SqliteStore,
    pub(crate) take_up: bool,
    pub(crate) purchases: bool,
    pub(crate) money: bool,
    /// Purchases are put on record, and it is never said.
    pub(crate) hangs: bool,
    pub(crate) facts: Arc<AtomicU32>,
}

impl Failing {
    /// One that fails at nothing yet.
    pub(crate) fn new(inner: &SqliteStore) -> Self {
        Self {
            inner: inner.clone(),
            take_up: false,
            purchases: false,
            money: false,
            hangs: false,
            facts: Arc::default(),
        }
    }

    /// How many facts it was told.
    pub(crate) fn facts(&self) -> u32 {
        self.facts.load(Ordering::Relaxed)
    }
}

fn full(fails: bool) -> Result<(), StoreError> {
    if fails {
        return Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the disk is full",
        ));
    }
    Ok(())
}

#[async_trait]
impl Store for Failing {
    async fn accept(&self, opening: &Opening, picture: &Bytes) -> Result<Accepted, StoreError> {
        self.inner.accept(opening, picture).await
    }

    async fn take_up(&self, opening: &Opening) -> Result<TakenUp, StoreError> {
        full(self.take_up)?;
        self.inner.take_up(opening).await
    }
    async fn begin_purchase(&self, purchase: NewPurchase) -> Result<(), StoreError> {
        full(self.purchases)?;
        self.inner.begin_purchase(purchase).await?;
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>> {
        self.facts.fetch_add(1, Ordering::Relaxed);
        self.inner.record(fact)
    }
    async fn find(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        self.inner.find(id).await
    }
    async fn find_with_picture(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        self.inner.find_with_picture(id).await
    }
    async fn report(&self, id: &str, verdict: Verdict) -> Result<Reported, StoreError> {
        self.inner.report(id, verdict).await
    }
    async fn add_key(&self, key: &KeyRecord) -> Result<bool, StoreError> {
        self.inner.add_key(key).await
    }
    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.inner.keys().await
    }
    async fn revoke_key(&self, name: &str) -> Result<bool, StoreError> {
        self.inner.revoke_key(name).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<ChallengeRecord>, StoreError> {
        self.inner.list(query).await
    }
    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        self.inner.reserve(key, budget, amount, limits).await
    }
    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        full(self.money)?;
        self.inner.charge(charge, limits).await
    }
    async fn budget(&self, budget: &str, since: &[Timestamp]) -> Result<BudgetState, StoreError> {
        self.inner.budget(budget, since).await
    }
    async fn spending(&self, query: &SpendingQuery) -> Result<Vec<Spending>, StoreError> {
        self.inner.spending(query).await
    }
    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        self.inner.prune(retention).await
    }
    async fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush().await
    }
    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}
