//! What outlives the process: challenges by their id, what was paid for them, and budgets.
//!
//! | | |
//! |---|---|
//! | [`SqliteStore`] | keeps it in one file, which several processes can share |
//! | `PostgresStore` | keeps it in PostgreSQL, which several machines can share (feature `postgres`) |
//! | [`StoreExt::durable`] | solves each challenge once, also across crashes: [`Durable`] |
//! | [`StoreExt::stored_budget`] | spends from money that all processes share: [`StoredBudget`] |
//! | [`Store::accept`] | keeps a challenge with its picture, for a call to come: before a program says "accepted" |
//! | [`Store`] | what there is to know: what is open, what may be paid for, what was spent on which day |
//!
//! # What is guaranteed
//!
//! A purchase is on record before it is sent, and its job as soon as the provider names it. So whatever happens to
//! the process, each purchase is in one of three states afterwards: its answer is on record; or its job is,
//! and the next call with the same id fetches it; or it was sent, or about to be, and nothing was heard of it. Of
//! the last ones nobody can know whether they are on the bill. They are listed, and not bought again unless the
//! policy says so.

mod budget;
mod call_record;
mod clock;
mod codes;
#[cfg(feature = "contract")]
pub mod contract;
mod durable;
mod error;
mod ext;
mod fact;
#[cfg(test)]
mod failing_store;
mod forward;
mod handle;
mod key;
mod key_record;
mod keyed;
mod known;
mod money;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod record;
mod retention;
mod sqlite;
mod store;
mod undo;
#[cfg(test)]
mod wrapper_tests;

pub use jiff;

pub use crate::budget::{StoredBudget, StoredBudgetPolicy, StoredBudgeted};
pub use crate::call_record::CallRecord;
pub use crate::clock::Clock;
#[doc(hidden)]
pub use crate::durable::ANOTHER_CALL;
pub use crate::durable::{Durable, DurablePolicy, OtherPicture};
pub use crate::error::{StoreError, StoreErrorKind};
pub use crate::ext::StoreExt;
pub use crate::fact::{Ended, Fact, NewPurchase};
pub use crate::handle::StoreHandle;
pub use crate::key_record::{KeyHash, KeyLimits, KeyRate, KeyRecord, KeyRole, key_hash};
pub use crate::money::{
    BudgetState, BudgetSummary, Limit, Shortage, Spending, SpendingBy, SpendingQuery,
};
#[cfg(feature = "postgres")]
pub use crate::postgres::{PostgresOptions, PostgresStore};
pub use crate::query::{Query, StatusKind};
pub use crate::record::{
    Accepted, ChallengeRecord, Claim, Opening, PictureDigest, PurchaseRecord, PurchaseState,
    Reported, Status, TakenUp, picture_digest,
};
pub use crate::retention::{Pruned, Retention};
pub use crate::sqlite::{SqliteOptions, SqliteStore};
pub use crate::store::{Charge, Store};

/// What [`forward_store!`] names.
#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use drag_solver_core::{Usd, Verdict};
    pub use futures_util::future::BoxFuture;
}
