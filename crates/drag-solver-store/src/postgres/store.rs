//! What a [`Store`] is asked for, by the statements that do it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use drag_solver_core::{Usd, Verdict, async_trait};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::sleep;

use super::db::Db;
use super::owners::Owner;
use super::problem::Result;
use super::writer::Write;
use super::{
    PostgresStore, Told, budgets, calls, challenges, facts, keeper, keys, purchases, records,
};
use crate::{
    Accepted, BudgetState, CallRecord, ChallengeRecord, Charge, Fact, KeyLimits, KeyRecord, Limit,
    NewPurchase, Opening, Pruned, Query, Reported, Retention, Shortage, Spending, SpendingQuery,
    Store, StoreError, TakenUp,
};

/// How long until what could not be read is read again.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// Reads something, also when the server is not there for a while.
macro_rules! read {
    ($store:ident, |$db:ident, $now:ident| $read:expr) => {{
        let session = Arc::clone(&$store.0.session);
        let reading = $store.0.runtime.spawn(async move {
            let begun = Instant::now();
            loop {
                let read = match session.db().await {
                    Ok($db) => {
                        let $now = session.now();
                        $read.await
                    }
                    Err(problem) => Err(problem),
                };
                match read {
                    Ok(value) => return Ok(value),
                    Err(problem)
                        if problem.passes && begun.elapsed() < session.options.patience => {}
                    Err(problem) => return Err(session.of_server(problem.error)),
                }
                sleep(READ_AGAIN).await;
            }
        });
        Reading(reading).await
    }};
}

/// Ends when its caller is dropped.
struct Reading<T>(tokio::task::JoinHandle<Told<T>>);

impl<T> Future for Reading<T> {
    type Output = Told<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Told<T>> {
        let read = Pin::new(&mut self.0).poll(cx);
        read.map(|read| read.unwrap_or_else(|_| Err(StoreError::closed())))
    }
}

impl<T> Drop for Reading<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Finds out that the store can be written, after all that was to be written before.
struct Flush;

#[async_trait]
impl Write for Flush {
    type Told = ();

    fn is_flush(&self) -> bool {
        true
    }

    async fn write(&self, db: &Db, _here: &Owner) -> Result<()> {
        // Into the log alone, which locks nothing: a transaction that writes nothing would need no disk.
        let message = "SELECT pg_logical_emit_message(true, 'drag_solver', 'flush')";
        db.rows(message, &[]).await.map(drop)
    }
}

impl PostgresStore {
    async fn find_on_record(&self, id: &str, with_picture: bool) -> Told<Option<ChallengeRecord>> {
        let id = id.to_owned();
        read!(self, |db, now| records::find(&db, &id, with_picture, now))
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn take_up(&self, opening: &Opening) -> Told<TakenUp> {
        let take_up = challenges::TakeUp {
            opening: opening.clone(),
        };
        self.write(take_up).await
    }

    async fn accept(
        &self,
        opening: &Opening,
        picture: &Bytes,
        limits: &KeyLimits,
    ) -> Told<Accepted> {
        let accept = challenges::Accept {
            opening: opening.clone(),
            picture: picture.clone(),
            limits: *limits,
        };
        self.write(accept).await
    }

    async fn begin_purchase(&self, purchase: NewPurchase) -> Told<()> {
        StoreError::unless_lost(self.write(purchases::Begin { purchase }).await?)
    }

    fn record(&self, fact: Fact) -> BoxFuture<'static, Told<()>> {
        let recorded = facts::op(fact, self.now());
        let Some(writer) = &self.0.writer else {
            return async { Err(StoreError::closed()) }.boxed();
        };
        let written = writer.write(recorded);
        async move { StoreError::unless_lost(written.await?.had_claim) }.boxed()
    }

    async fn find(&self, id: &str) -> Told<Option<ChallengeRecord>> {
        self.find_on_record(id, false).await
    }

    async fn find_with_picture(&self, id: &str) -> Told<Option<ChallengeRecord>> {
        self.find_on_record(id, true).await
    }

    async fn report(&self, id: &str, verdict: Verdict) -> Told<Reported> {
        let id = id.to_owned();
        self.write(challenges::Report { id, verdict }).await
    }

    fn changed(&self, id: &str) -> BoxFuture<'static, ()> {
        self.0.session.changes.of(id)
    }

    async fn list(&self, query: &Query) -> Told<Vec<ChallengeRecord>> {
        let query = query.clone();
        read!(self, |db, now| records::list(&db, &query, now))
    }

    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Told<std::result::Result<(), Shortage>> {
        let reserve = budgets::Reserve {
            key,
            budget: budget.to_owned(),
            amount,
            limits: limits.to_vec(),
        };
        Ok(self.write(reserve).await?.map_or(Ok(()), Err))
    }

    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Told<std::result::Result<(), Shortage>> {
        let spend = budgets::Spend {
            charge: charge.clone(),
            limits: limits.to_vec(),
        };
        Ok(self.write(spend).await?.map_or(Ok(()), Err))
    }

    async fn budget(&self, budget: &str, since: &[Timestamp]) -> Told<BudgetState> {
        let (budget, since) = (budget.to_owned(), since.to_vec());
        read!(self, |db, now| async {
            let account = budgets::account(&db, &budget, now);
            account.state(&since).await
        })
    }

    async fn spending(&self, query: &SpendingQuery) -> Told<Vec<Spending>> {
        let query = query.clone();
        read!(self, |db, _now| budgets::spending(&db, &query))
    }

    async fn calls(&self, solver: &str, since: Timestamp, limit: u32) -> Told<Vec<CallRecord>> {
        let solver = solver.to_owned();
        read!(self, |db, now| {
            calls::last(&db, &solver, since, now, limit)
        })
    }

    async fn add_key(&self, key: &KeyRecord) -> Told<bool> {
        let key = key.clone();
        self.write(keys::Add { key }).await
    }

    async fn keys(&self) -> Told<Vec<KeyRecord>> {
        read!(self, |db, _now| keys::all(&db))
    }

    async fn revoke_key(&self, name: &str) -> Told<bool> {
        let name = name.to_owned();
        self.write(keys::Revoke { name }).await
    }

    async fn prune(&self, retention: &Retention) -> Told<Pruned> {
        let retention = *retention;
        // A call that is dropped does not stop it half-way.
        let session = Arc::clone(&self.0.session);
        let forgotten = self.0.runtime.spawn(async move {
            let forgotten = keeper::forget(&session, &retention).await;
            forgotten.map_err(|problem| session.of_server(problem.error))
        });
        forgotten
            .await
            .unwrap_or_else(|_| Err(StoreError::closed()))
    }

    async fn flush(&self) -> Told<()> {
        self.write(Flush).await
    }

    fn now(&self) -> Timestamp {
        self.0.session.now()
    }
}
