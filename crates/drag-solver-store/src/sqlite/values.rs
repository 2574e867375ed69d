//! Values as SQLite has them.

use drag_solver_core::{Billed, Usd, Verdict};
use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that no store writes: somebody else did, or the file is damaged.
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

pub(super) fn billed(number: i64) -> Result<Billed, FromSqlError> {
    match number {
        0 => Ok(Billed::No),
        1 => Ok(Billed::Maybe),
        2 => Ok(Billed::Yes),
        _ => Err(FromSqlError::OutOfRange(number)),
    }
}

pub(super) fn of_billed(billed: Billed) -> i64 {
    match billed {
        Billed::No => 0,
        Billed::Maybe => 1,
        Billed::Yes => 2,
    }
}

pub(super) fn verdict_of(number: i64) -> Result<Verdict, FromSqlError> {
    match number {
        0 => Ok(Verdict::Incorrect),
        1 => Ok(Verdict::Correct),
        _ => Err(FromSqlError::OutOfRange(number)),
    }
}

pub(super) fn of_verdict(verdict: Verdict) -> i64 {
    i64::from(verdict == Verdict::Correct)
}

/// Rounded up: what is spent is never understated.
pub(super) fn of_usd(amount: Usd) -> i64 {
    amount.to_nanos_ceil()
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
