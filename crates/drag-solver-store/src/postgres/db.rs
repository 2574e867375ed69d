//! One connection, and what comes over it.

use deadpool_postgres::Object;
use drag_solver_core::JobId;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio_postgres::types::{FromSql, ToSql};

use super::problem::{Problem, Result};

/// A connection. Statements are prepared once for each.
pub(super) struct Db(Object);

/// A value of a statement.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

impl Db {
    pub(super) fn new(client: Object) -> Self {
        Self(client)
    }

    /// Statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.0.batch_execute(sql).await?)
    }

    pub(super) async fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = self.0.prepare_cached(sql).await?;
        let rows = self.0.query(&statement, values).await?;
        Ok(rows.into_iter().map(Row).collect())
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
        let statement = self.0.prepare_cached(sql).await?;
        Ok(self.0.execute(&statement, values).await?)
    }
}

/// A row, whose values are checked: somebody else may have written them.
pub(super) struct Row(tokio_postgres::Row);

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
