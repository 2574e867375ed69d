//! Any chain of drag solvers behind the protocols that existing clients already speak.

mod caller;
mod gateway;
mod guard;
mod jobs;
mod keys;
pub mod listen;
mod measure;
mod policy;
mod routes;
mod task_id;
#[cfg(feature = "tls")]
pub mod tls;

pub use crate::gateway::{Gateway, GatewayBuilder, NoStore};
pub use crate::keys::{Keys, new_key};
pub use crate::measure::describe_metrics;
pub use crate::policy::GatewayPolicy;
