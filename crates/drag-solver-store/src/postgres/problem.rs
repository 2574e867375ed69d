//! What an error of the server means for the user of a store.

use std::error::Error;
use std::fmt;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::WrongType;

use crate::{StoreError, StoreErrorKind};

/// Why something was not done.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) error: StoreError,
    /// Whether the same may well succeed in a while: the server cannot be reached, starts, stops, or had two ask for the
    /// same in an order that cannot be.
    pub(super) passes: bool,
}

pub(super) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub(super) fn lasting(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            error: StoreError::new(kind, message),
            passes: false,
        }
    }

    pub(super) fn of(error: StoreError) -> Self {
        Self {
            error,
            passes: false,
        }
    }

    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self {
            error: StoreError::new(StoreErrorKind::Unavailable, message),
            passes: true,
        }
    }

    /// Whether it is a value that can never be kept.
    pub(super) fn is_of_value(&self) -> bool {
        let kind = self.error.kind();
        matches!(kind, StoreErrorKind::Invalid | StoreErrorKind::Corrupt)
    }

    /// A value that no store writes: another program did, or it is damaged.
    pub(super) fn unreadable(what: impl fmt::Display) -> Self {
        Self::lasting(
            StoreErrorKind::Corrupt,
            format!("it holds what no store writes: {what}"),
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(state) = error.code() else {
            // Not the server's word: the connection is gone, or a column has another type than ours.
            let why = error.source().map(ToString::to_string);
            let why = why.unwrap_or_else(|| error.to_string());
            let is_of_value = error.source().is_some_and(<dyn Error>::is::<WrongType>);
            let problem = if is_of_value {
                Self::unreadable(why)
            } else {
                Self::passing(format!("the server cannot be reached: {why}"))
            };
            return problem.with_source(error);
        };
        let said = error
            .as_db_error()
            .map_or_else(|| error.to_string(), |error| error.message().to_owned());
        let problem = match state.code().get(..2).unwrap_or_default() {
            // Connections, resources (but for a full disk and what no time helps), the operator, deadlocks.
            "08" | "40" | "55" | "57" => Self::passing(format!("the server says {said:?}")),
            "53" => Self::passing(format!("the server has no room: it says {said:?}")),
            "25" if *state == SqlState::READ_ONLY_SQL_TRANSACTION => Self {
                // As on a server that waits to take over.
                error: StoreError::new(StoreErrorKind::ReadOnly, "the server only reads"),
                passes: true,
            },
            "25" => Self::passing(format!(
                "the server ended the transaction: it says {said:?}"
            )),
            "28" => Self::lasting(
                StoreErrorKind::Unavailable,
                format!(
                    "the server refuses the user: it says {said:?}. Look at the name and the password in the address"
                ),
            ),
            "3D" => Self::lasting(
                StoreErrorKind::Unavailable,
                format!(
                    "the server says {said:?}: create the database, or name another one in the address"
                ),
            ),
            "42" if *state == SqlState::UNDEFINED_TABLE => Self::lasting(
                StoreErrorKind::Unavailable,
                format!(
                    "the server says {said:?}: the tables are gone, or their schema is another user's, and this one may not \
                     use it"
                ),
            ),
            "42" if *state == SqlState::INSUFFICIENT_PRIVILEGE => Self::lasting(
                StoreErrorKind::ReadOnly,
                format!("the user may not do that: the server says {said:?}"),
            ),
            "22" | "23" | "54" => Self::lasting(
                StoreErrorKind::Invalid,
                format!("it cannot be kept as it is: the server says {said:?}"),
            ),
            _ => Self::lasting(
                StoreErrorKind::Unavailable,
                format!("the server says {said:?}"),
            ),
        };
        problem.with_source(error)
    }
}

impl Problem {
    fn with_source(mut self, source: tokio_postgres::Error) -> Self {
        self.error = self.error.with_source(source);
        self
    }
}

impl From<PoolError> for Problem {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => {
                Self::passing("no connection to the server was free or made in time")
            }
            other => Self::passing(other.to_string()),
        }
    }
}
