//! One connection, and what comes over it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;
use drag_solver_core::JobId;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_postgres::types::{FromSql, ToSql};

use super::problem::{Problem, Result};

/// A connection. Statements are prepared once for each.
pub(super) struct Db {
    client: Option<Object>,
    /// How long it is waited for an answer: a server that is cut off says nothing, and what is between may hide that.
    limit: Duration,
    /// Whether something would stay behind for the next user of the connection: a transaction, a lock, an answer. Then
    /// there is no next.
    is_busy: AtomicBool,
    is_silent: AtomicBool,
}

impl Drop for Db {
    fn drop(&mut self) {
        if self.is_busy.load(Ordering::Relaxed) {
            self.client.take().map(Object::take);
        }
    }
}

/// A value of a statement.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

impl Db {
    pub(super) fn new(client: Object, limit: Duration) -> Self {
        Self {
            client: Some(client),
            limit,
            is_busy: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
        }
    }

    pub(super) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    fn client(&self) -> Result<&Object> {
        let client = self.client.as_ref();
        client.ok_or_else(|| Problem::passing("the connection is closed"))
    }

    async fn within<T>(
        &self,
        answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        // A call that is dropped while it waits leaves an answer behind that the next one would get, or wait for.
        let was_busy = self.is_busy.swap(true, Ordering::Relaxed);
        let Ok(answer) = timeout(self.limit, answer).await else {
            self.is_silent.store(true, Ordering::Relaxed);
            return Err(Problem::passing("the server does not answer"));
        };
        self.set_busy(was_busy);
        Ok(answer?)
    }

    /// Whether the connection may not be used by another call as it is.
    pub(super) fn set_busy(&self, is_busy: bool) {
        self.is_busy.store(is_busy, Ordering::Relaxed);
    }

    /// Begins a transaction, with these statements.
    pub(super) async fn begin(&self, sql: &str) -> Result<()> {
        self.set_busy(true);
        self.batch(sql).await
    }

    pub(super) async fn commit(&self) -> Result<()> {
        self.batch("COMMIT").await?;
        self.set_busy(false);
        Ok(())
    }

    /// Where that cannot be done, the server does it when the connection is closed.
    pub(super) async fn roll_back(&self) {
        if !self.is_silent.load(Ordering::Relaxed) && self.batch("ROLLBACK").await.is_ok() {
            self.set_busy(false);
        }
    }

    /// Statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        self.within(self.client()?.batch_execute(sql)).await
    }

    /// Statements that take as long as they take.
    pub(super) async fn long_batch(&self, sql: &str) -> Result<()> {
        Ok(self.client()?.batch_execute(sql).await?)
    }

    pub(super) async fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let client = self.client()?;
        let rows = self.within(async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, values).await
        });
        Ok(rows.await?.into_iter().map(Row).collect())
    }

    pub(super) async fn maybe(&self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.pop())
    }

    pub(super) async fn row(&self, sql: &str, values: &[Value<'_>]) -> Result<Row> {
        let row = self.maybe(sql, values).await?;
        row.ok_or_else(|| Problem::unreadable("an answer without a row"))
    }

    /// How many rows it changed.
    pub(super) async fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        let client = self.client()?;
        let run = self.within(async {
            let statement = client.prepare_cached(sql).await?;
            client.execute(&statement, values).await
        });
        run.await
    }
}

/// A row, whose values are checked: others may have written them.
pub(super) struct Row(pub(super) tokio_postgres::Row);

impl Row {
    pub(super) fn get<'a, T: FromSql<'a>>(&'a self, column: usize) -> Result<T> {
        self.0.try_get(column).map_err(Problem::unreadable)
    }

    pub(super) fn time(&self, column: usize) -> Result<Timestamp> {
        Timestamp::from_millisecond(self.get(column)?).map_err(Problem::unreadable)
    }

    pub(super) fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>> {
        let millis: Option<i64> = self.get(column)?;
        millis
            .map(|millis| Timestamp::from_millisecond(millis).map_err(Problem::unreadable))
            .transpose()
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T> {
        let text: Option<&str> = self.get(column)?;
        serde_json::from_str(text.unwrap_or_default()).map_err(Problem::unreadable)
    }

    pub(super) fn maybe_json<T: DeserializeOwned>(&self, column: usize) -> Result<Option<T>> {
        let text: Option<&str> = self.get(column)?;
        text.map(|text| serde_json::from_str(text).map_err(Problem::unreadable))
            .transpose()
    }

    pub(super) fn job(&self, column: usize) -> Result<Option<JobId>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| JobId::new(text).map_err(Problem::unreadable))
            .transpose()
    }

    /// A number that stands for something.
    pub(super) fn code<T>(&self, column: usize, read: fn(i64) -> Option<T>) -> Result<T> {
        let number: i64 = self.get(column)?;
        read(number).ok_or_else(|| Problem::unreadable(format!("the number {number}")))
    }
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Problem::unreadable)
}
