//! Wrappers that make a chain of drag solvers dependable. Each wraps solvers and is one.
//!
//! [`DragSolverExt`] puts them on every [`DragSolver`](drag_solver_core::DragSolver), as methods:
//!
//! | combinator | method | what it does |
//! |---|---|---|
//! | [`Retry`] | `.retry(..)` | asks the same solver again, and resumes jobs that were paid for |
//! | [`Fallback`] | `.or(..)` | asks another solver |
//! | [`Hedge`] | `.hedge(..)` | asks another solver as well when one takes long; the first answer wins |
//! | [`Quorum`] | `.quorum(..)` | asks several solvers and answers what enough of them agree on |
//! | [`Timeout`] | `.timeout(..)` | limits one attempt |
//! | [`Deadline`] | `.deadline(..)` | gives the whole chain a limit |
//! | [`CircuitBreaker`] | `.circuit_breaker(..)` | leaves a solver alone that failed too often recently |
//! | [`ConcurrencyLimit`] | `.concurrency_limit(..)` | limits the calls under way at once |
//! | [`RateLimit`] | `.rate_limit(..)` | limits the calls in a stretch of time |
//! | [`Budget`] | `.budget(..)` | limits what may be spent, together with others |
//! | [`Priced`] | `.priced(..)` | says what a provider costs, for answers, errors and the [profile](drag_solver_core::DragSolver::profile) |
//! | [`Instrument`] | `.instrumented(..)` | puts calls into tracing spans, and counts them and their money (feature `metrics`) |
//! | [`Inspect`] | `.inspect(..)` | shows every call to a closure |
//! | [`Validate`] | `.validate(..)` | refuses answers that cannot be right |
//!
//! Settings are plain structs, which implement serde's traits with the feature `serde`; durations are text there,
//! like `"1m 30s"` (see [`human_duration`](drag_solver_core::human_duration)). A chain cannot fail to be built: each setting
//! documents what its less sensible values do.
//!
//! What is shared (a [`Budget`], a [`Circuit`], [`Permits`], a [`RateLimiter`], a [`RetryBudget`]) is a
//! policy's other form: where a policy is taken, so is a reference to what was made of one. Each takes new
//! settings while calls are under way (`set_policy`), and keeps what it knows.
//!
//! [`composing`] says in which order they belong, and what a chain can cost.
//!
//! A chain prints itself (`{chain}`, or `{chain:#}` on several lines) like the code that built it.

mod abandoned;
mod budget;
mod candidates;
mod circuit_breaker;
pub mod composing;
mod concurrency_limit;
mod ext;
mod failures;
mod fallback;
mod hedge;
mod in_flight;
mod inspect;
mod instrument;
mod jitter;
mod measure;
mod priced;
mod quorum;
mod rate_limit;
mod resume;
mod retry;
mod settings;
mod sync;
#[cfg(test)]
mod tests;
mod timeout;
mod validate;
mod waiting;

use drag_solver_core::chain_debug;

pub use crate::abandoned::Abandoned;
pub use crate::budget::{Budget, BudgetPolicy, Budgeted};
pub use crate::circuit_breaker::{Circuit, CircuitBreaker, CircuitBreakerPolicy, CircuitState};
pub use crate::concurrency_limit::{ConcurrencyLimit, ConcurrencyLimitPolicy, Permits};
pub use crate::ext::DragSolverExt;
pub use crate::fallback::{CallObserver, Fallback, OrderPolicy, PastCall, TrackRecord};
pub use crate::hedge::{Hedge, HedgePolicy, HedgeStats, Latencies};
pub use crate::inspect::{CallInfo, CallOutcome, Inspect, Inspector};
pub use crate::instrument::{Instrument, InstrumentPolicy, MetricLabels};
#[cfg(feature = "metrics")]
pub use crate::measure::describe_metrics;
/// Whether calls are counted: a guard of what that costs has to know whether it measures it.
#[doc(hidden)]
pub const COUNTS_CALLS: bool = cfg!(feature = "metrics");
pub use crate::priced::Priced;
pub use crate::quorum::{Quorum, QuorumPolicy};
pub use crate::rate_limit::{RateLimit, RateLimitPolicy, RateLimiter};
pub use crate::retry::{Retry, RetryBudget, RetryBudgetPolicy, RetryPolicy};
pub use crate::timeout::{Deadline, DeadlinePolicy, Timeout, TimeoutPolicy};
pub use crate::validate::{Validate, ValidatePolicy};
