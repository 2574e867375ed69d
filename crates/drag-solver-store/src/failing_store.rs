//! A store of tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use drag_solver_core::async_trait;
use futures_util::future::BoxFuture;

use crate::{
    Charge, Fact, Limit, NewPurchase, Opening, Shortage, SqliteStore, Store, StoreError,
    StoreErrorKind, TakenUp, forward_store,
};

/// A store that fails as it is told, for the rest the one inside.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each fails by itself
pub(crate) struct Failing {
    pub(crate) inner: SqliteStore,
    pub(crate) take_up: bool,
    pub(crate) purchases: bool,
    /// Whether a claim that is on record is never said to be.
    pub(crate) hangs_at_claim: bool,
    /// Whether a purchase that is on record is never said to be.
    pub(crate) hangs: bool,
    pub(crate) money: bool,
    pub(crate) facts: Arc<AtomicU32>,
}

impl Failing {
    /// One that fails at nothing yet.
    pub(crate) fn new(inner: &SqliteStore) -> Self {
        Self {
            inner: inner.clone(),
            take_up: false,
            purchases: false,
            hangs_at_claim: false,
            hangs: false,
            money: false,
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
    async fn take_up(&self, opening: &Opening) -> Result<TakenUp, StoreError> {
        full(self.take_up)?;
        let taken = self.inner.take_up(opening).await;
        if self.hangs_at_claim {
            std::future::pending::<()>().await;
        }
        taken
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
    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        full(self.money)?;
        self.inner.charge(charge, limits).await
    }
    forward_store!(inner except take_up, begin_purchase, record, charge);
}
