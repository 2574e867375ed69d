//! Values as SQLite has them.

use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that no store writes: another program did, or the file is damaged.
pub(super) fn unreadable(
    column: usize,
    kind: Type,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, why.into())
}

pub(super) fn time(millis: i64) -> Result<Timestamp, FromSqlError> {
    Timestamp::from_millisecond(millis).map_err(|_| FromSqlError::OutOfRange(millis))
}

/// What a number stands for.
pub(super) fn code<T>(number: i64, read: fn(i64) -> Option<T>) -> Result<T, FromSqlError> {
    read(number).ok_or(FromSqlError::OutOfRange(number))
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, rusqlite::Error> {
    let failed = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
    serde_json::to_string(value).map_err(failed)
}

pub(super) fn from_json<T: DeserializeOwned>(
    column: usize,
    text: &str,
) -> Result<T, rusqlite::Error> {
    serde_json::from_str(text).map_err(|error| unreadable(column, Type::Text, error))
}
