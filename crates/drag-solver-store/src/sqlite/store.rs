//! What a [`Store`] is asked for, by the statements that do it.

use std::path::Path;

use bytes::Bytes;
use drag_solver_core::{Usd, Verdict, async_trait};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::Connection;

use super::budgets::{self, Account};
use super::{SqliteStore, calls, challenges, keys, purchases, records, upkeep};
use crate::{
    Accepted, BudgetState, CallRecord, ChallengeRecord, Charge, Fact, KeyLimits, KeyRecord, Limit,
    NewPurchase, Opening, Pruned, Query, Reported, Retention, Shortage, Spending, SpendingQuery,
    Store, StoreError, TakenUp,
};

#[async_trait]
impl Store for SqliteStore {
    async fn take_up(&self, opening: &Opening) -> Result<TakenUp, StoreError> {
        let (opening, here) = (opening.clone(), self.0.here());
        let taken = self.0.write(false, move |db| {
            here.keep(db)?;
            let taken = challenges::take_up(db, &opening, here.owner, here.now)?;
            if matches!(taken, TakenUp::Held) && here.sweep(db)? {
                return challenges::take_up(db, &opening, here.owner, here.now);
            }
            Ok(taken)
        });
        taken.await
    }

    async fn accept(
        &self,
        opening: &Opening,
        picture: &Bytes,
        limits: &KeyLimits,
    ) -> Result<Accepted, StoreError> {
        let (opening, picture, now) = (opening.clone(), picture.clone(), self.0.now());
        let limits = *limits;
        let accepted = self.0.write(true, move |db| {
            challenges::accept(db, &opening, &picture, &limits, now)
        });
        accepted.await
    }

    async fn begin_purchase(&self, purchase: NewPurchase) -> Result<(), StoreError> {
        let now = self.0.now();
        let begun = self.0.write(true, move |db| {
            purchases::begin_purchase(db, &purchase, now)
        });
        StoreError::unless_lost(begun.await?)
    }

    fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>> {
        let now = self.0.now();
        let durable = matches!(fact, Fact::Bought { .. } | Fact::Found { .. });
        let recorded = self.0.submit(durable, true, move |db| {
            let had_claim = purchases::record(db, &fact, now)?;
            budgets::record(db, &fact, now)?;
            calls::record(db, &fact)?;
            Ok(had_claim)
        });
        async move { StoreError::unless_lost(recorded.await?) }.boxed()
    }

    async fn find(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let (id, now) = (id.to_owned(), self.0.now());
        let find = move |db: &Connection| records::find(db, &id, false, now);
        self.0.read(find).await
    }

    async fn find_with_picture(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let (id, now) = (id.to_owned(), self.0.now());
        let find = move |db: &Connection| records::find(db, &id, true, now);
        self.0.read(find).await
    }

    async fn report(&self, id: &str, verdict: Verdict) -> Result<Reported, StoreError> {
        let id = id.to_owned();
        let report = move |db: &Connection| challenges::report(db, &id, verdict);
        self.0.write(true, report).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<ChallengeRecord>, StoreError> {
        let (query, now) = (query.clone(), self.0.now());
        self.0.read(move |db| records::list(db, &query, now)).await
    }

    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        let (budget, limits, here) = (budget.to_owned(), limits.to_vec(), self.0.here());
        let reserved = self.0.write(false, move |db| {
            here.keep(db)?;
            let (budget, now) = (&budget, here.now);
            let account = Account { db, budget, now };
            let shortage = account.reserve(key, here.owner, amount, &limits)?;
            let is_reserved = |short: &Shortage| short.reserved != Usd::ZERO;
            if shortage.as_ref().is_some_and(is_reserved) && here.sweep(db)? {
                return account.reserve(key, here.owner, amount, &limits);
            }
            Ok(shortage)
        });
        Ok(reserved.await?.map_or(Ok(()), Err))
    }

    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError> {
        let (charge, limits, now) = (charge.clone(), limits.to_vec(), self.0.now());
        let charged = self.0.write(true, move |db| {
            let budget = &charge.budget;
            Account { db, budget, now }.charge(&charge, &limits)
        });
        Ok(charged.await?.map_or(Ok(()), Err))
    }

    async fn budget(&self, budget: &str, since: &[Timestamp]) -> Result<BudgetState, StoreError> {
        let (budget, since, now) = (budget.to_owned(), since.to_vec(), self.0.now());
        let state = move |db: &Connection| {
            let budget = &budget;
            Account { db, budget, now }.state(&since)
        };
        self.0.read(state).await
    }

    async fn spending(&self, query: &SpendingQuery) -> Result<Vec<Spending>, StoreError> {
        let query = query.clone();
        self.0.read(move |db| budgets::spending(db, &query)).await
    }

    async fn calls(
        &self,
        solver: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<CallRecord>, StoreError> {
        let (solver, now) = (solver.to_owned(), self.0.now());
        let last = move |db: &Connection| calls::last(db, &solver, since, now, limit);
        self.0.read(last).await
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<bool, StoreError> {
        let (key, now) = (key.clone(), self.0.now());
        let add = move |db: &Connection| keys::add(db, &key, now);
        self.0.write(true, add).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.0.read(keys::all).await
    }

    async fn revoke_key(&self, name: &str) -> Result<bool, StoreError> {
        let (name, now) = (name.to_owned(), self.0.now());
        let revoke = move |db: &Connection| keys::revoke(db, &name, now);
        self.0.write(true, revoke).await
    }

    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        let (retention, now) = (*retention, self.0.now());
        let before = self.0.read(upkeep::file_size).await?;
        let forget = move |db: &Connection| upkeep::forget(db, &retention, now);
        let mut pruned = self.0.write(false, forget).await?;
        self.0.shrink().await?;
        let after = self.0.read(upkeep::file_size).await?;
        pruned.bytes = before.saturating_sub(after);
        Ok(pruned)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let here = self.0.here();
        // Something is written, too: on a full disk, an empty transaction would succeed.
        self.0.write(true, move |db| here.renew(db)).await
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn path(&self) -> Option<&Path> {
        self.0.path()
    }
}
