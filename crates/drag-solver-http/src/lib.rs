//! Plumbing that every HTTP provider shares.
//!
//! Every service of this kind works alike: create a job, then ask until it is done. A provider says
//! what its requests and answers look like by implementing [`JobApi`], a trait of pure functions.
//! [`HttpSolver`] does the rest: it sends, waits, asks again, keeps deadlines, limits and money in
//! view, and is a [`DragSolver`](drag_solver_core::DragSolver).
//!
//! - [`JobApi`], [`ApiRequest`], [`ApiResponse`]: the provider's side, without socket or clock.
//! - [`HttpSolver`]: the side that has both.
//! - [`HttpSettings`]: what the builders of all providers have in common.
//! - [`Transport`]: carries one request; [`ReqwestTransport`] does it over HTTP.
//! - [`task_api`]: the `createTask` protocol that several providers speak.
//! - [`Provider`]: what a registry must know, so that a configuration file can name a provider.
//! - `testing` (feature of the same name): a transport that answers from a script.

mod balance;
mod body;
mod config;
mod job;
mod message;
mod provider;
mod redact;
mod retry_after;
mod secret;
mod settings;
mod solver;
mod transport;

pub mod lenient;
pub mod task_api;
#[cfg(feature = "testing")]
pub mod testing;

pub use reqwest;
pub use secrecy;
pub use serde_json;

pub use crate::balance::Balance;
pub use crate::body::PICTURE;
pub use crate::config::{ConfigError, check_name, check_token};
pub use crate::job::{Answer, AnswerError, Created, JobApi, JobState, Pace};
pub use crate::message::{ApiRequest, ApiResponse};
pub use crate::provider::{Context, Provider, Variable};
pub use crate::secret::Secret;
pub use crate::settings::HttpSettings;
pub use crate::solver::{HttpSolver, HttpSolverBuilder};
pub use crate::transport::{ReqwestTransport, ReqwestTransportBuilder, Transport, TransportError};
