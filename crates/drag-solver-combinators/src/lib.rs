//! Wrappers that make a chain of drag solvers dependable. Each wraps solvers and is one.
//!
//! [`DragSolverExt`] puts them on every [`DragSolver`](drag_solver_core::DragSolver), as methods:
//!
//! | combinator | method | what it does |
//! |---|---|---|
//! | [`Retry`] | `.retry(..)` | asks the same solver again, and resumes jobs that were paid for |
//! | [`Fallback`] | `.or(..)` | asks another solver |
//! | [`Hedge`] | `.hedge(..)` | asks another solver as well when one takes long; the first answer wins |
//! | [`Timeout`] | `.timeout(..)` | limits one attempt |
//! | [`Deadline`] | `.deadline(..)` | gives the whole chain a limit |
//! | [`Budget`] | `.budget(..)` | limits what may be spent, together with others |
//! | [`Priced`] | `.priced(..)` | says what a provider costs, for [`worst_case`](drag_solver_core::DragSolver::worst_case) |
//! | [`Validate`] | `.validate(..)` | refuses answers that cannot be right |
//!
//! Settings are plain structs that serialise with serde; durations are text, like `"1m 30s"` (see
//! [`human_duration`]). Impossible settings are refused when the combinator is built, by an
//! [`InvalidPolicy`] that names the setting.
//!
//! A chain prints itself (`{chain}`, or `{chain:#}` on several lines) like the code that built it.

mod budget;
mod cutoff;
mod deadline;
mod describe;
mod ext;
mod fallback;
mod hedge;
mod invalid;
mod jitter;
mod names;
mod priced;
mod race;
mod report;
mod retry;
mod sync;
#[cfg(test)]
mod testing;
mod timeout;
mod validate;
mod watch;

pub use drag_solver_core::human_duration;

pub use crate::budget::{Budget, BudgetPolicy, Budgeted};
pub use crate::deadline::{Deadline, DeadlinePolicy};
pub use crate::ext::DragSolverExt;
pub use crate::fallback::Fallback;
pub use crate::hedge::{Hedge, HedgePolicy, HedgeStats};
pub use crate::invalid::InvalidPolicy;
pub use crate::priced::Priced;
pub use crate::race::Abandoned;
pub use crate::retry::{Retry, RetryBudget, RetryBudgetPolicy, RetryPolicy};
pub use crate::timeout::{Timeout, TimeoutPolicy};
pub use crate::validate::{Validate, ValidatePolicy};
