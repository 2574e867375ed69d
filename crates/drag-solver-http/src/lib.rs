//! Plumbing that every HTTP provider shares.
//!
//! Every service of this kind works alike: create a job, then ask until it is done. A provider says
//! what its requests and responses look like by implementing [`JobApi`], a trait of pure functions.
//! [`HttpSolver`] does the rest: it sends, waits, asks again, keeps deadlines, limits and money in
//! view, and is a [`DragSolver`](drag_solver_core::DragSolver).
//!
//! - [`JobApi`], [`ApiRequest`], [`ApiResponse`]: the provider's side, without socket or clock.
//! - [`HttpSolver`]: the side that has both.
//! - [`HttpOptions`]: the settings that all providers have in common.
//! - [`CallbackReceiver`]: takes the calls of providers that say that an answer is there.
//! - [`Transport`]: carries one request; [`ReqwestTransport`] does it over HTTP.
//! - [`task_api`]: the `createTask` protocol that several providers speak.
//! - [`json`]: members that services write now as a number, now as a string.
//! - [`Provider`]: what a registry must know, so that a configuration file can name a provider.
//! - `Recorder`, `ReplayTransport` (feature `record`): what went over the wire, in a file, and played back.
//! - Serde's traits for settings are behind the feature `serde`.
//! - `testing` (feature of the same name): a transport that answers from a script.

mod answer;
mod balance;
mod body;
mod callbacks;
#[macro_use] // its setters
mod config;
mod context;
mod endpoint;
mod error;
mod job_api;
mod one_call;
mod provider;
mod proxy;
#[cfg(feature = "record")]
mod record;
#[cfg(not(feature = "record"))]
#[path = "record/off.rs"]
mod record;
mod redact;
mod request;
mod reqwest_transport;
mod response;
mod retry_after;
mod secret;
mod service;
mod solver;
mod times;
mod transport;

pub mod json;
pub mod points;
pub mod task_api;
#[cfg(feature = "testing")]
pub mod testing;

/// What settings are made of, under the names that they have in `HttpOptions`.
#[doc(hidden)]
pub mod __setting_types {
    pub use std::primitive::bool;
    pub use std::string::String;
    pub use std::time::Duration;

    pub use drag_solver_core::Usd;

    pub use crate::{PollInterval, Recorder, Secret};
}

pub use reqwest;
pub use secrecy;
pub use serde_json;

pub use crate::answer::{Answer, Created, Found, JobState, Unit};
pub use crate::balance::Balance;
pub use crate::body::Picture;
pub use crate::callbacks::{CallbackReceiver, NoCallbacks};
pub use crate::config::HttpOptions;
#[doc(hidden)]
pub use crate::config::{check_base_url, check_name};
pub use crate::context::Context;
pub use crate::error::ResponseError;
pub use crate::job_api::JobApi;
pub use crate::one_call::{AnswerApi, OneCall};
pub use crate::provider::{EnvVar, NoConfig, Provider};
#[cfg(not(feature = "record"))]
#[doc(hidden)]
pub use crate::record::Recorder;
#[cfg(feature = "record")]
pub use crate::record::{
    RecordedAnswer, RecordedCall, RecordedQuestion, Recorder, Recording, RecordingError,
    RecordingSummary, RecordingTransport, ReplayTransport,
};
pub use crate::request::ApiRequest;
#[doc(hidden)]
pub use crate::reqwest_transport::Carrier;
pub use crate::reqwest_transport::{ProxyRefused, ReqwestTransport};
pub use crate::response::ApiResponse;
pub use crate::secret::Secret;
pub use crate::service::Service;
#[doc(hidden)]
pub use crate::service::base_url_variable;
pub use crate::solver::{HttpSolver, HttpSolverBuilder};
pub use crate::times::PollInterval;
pub use crate::transport::{Transport, TransportError};
