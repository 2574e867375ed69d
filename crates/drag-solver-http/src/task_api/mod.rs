//! The `createTask` protocol, shared by several providers: `createTask`, `getTaskResult`,
//! `getBalance`, a `clientKey` in every body, an `errorId` in every response.
//!
//! A provider brings its task (a JSON object) and a function that reads a drag out of its `solution`:
//! that is a [`TaskService`]. [`TaskApi`] is the protocol around it, and
//! [`HttpSolver<TaskApi<S>>`](crate::HttpSolver) the solver, with builder, environment and balance. What
//! services are known to do differently is tolerated: ids and costs as numbers or strings, `idle` for
//! "not yet", results in the response to `createTask` itself.

mod api;
#[doc(hidden)]
pub mod codes;
mod provider;
mod service;

pub use self::api::TaskApi;
pub use self::service::{TWO_CLICKS, TaskService};
