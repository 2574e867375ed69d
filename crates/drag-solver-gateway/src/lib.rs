//! Any chain of drag solvers behind the protocols that existing clients already speak.
//!
//! | | |
//! |---|---|
//! | [`Gateway`] | jobs, and all routes: a chain behind 2Captcha's, Anti-Captcha's and omocaptcha's protocols at one root, and an API of its own |
//! | [`Keys`] | who may use it: keys of the chain's store, each with its own budget |
//! | [`listen::serve`] | HTTP/1.1 and HTTP/2 for any router, with a limit on all that a client can take up |
#![cfg_attr(
    feature = "tls",
    doc = "| [`tls::Certificates`] | certificates of files, or made here |"
)]
//!
//! The command `drag-solver serve` is made of these; a program of yours can be, too:
//!
//! ```no_run
//! use drag_solver::config::{ChainConfig, ChainParts, Registry};
//! use drag_solver::store::SqliteStore;
//! use drag_solver_gateway::listen::{self, ListenPolicy, Listener};
//! use drag_solver_gateway::{Gateway, Keys};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let config: ChainConfig = serde_json::from_str("{}")?;
//! let store = SqliteStore::open("drags.db")?;
//! let keys = Keys::open(&store).await?;
//! let parts = ChainParts::default().store(&store).spend_also_from(keys.budget());
//! let chain = config.build_with(&Registry::standard(), parts)?;
//! let gateway = Gateway::builder(chain, keys).build()?;
//!
//! let port = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let (close, closed) = tokio::sync::oneshot::channel::<()>();
//! let server = listen::serve(
//!     vec![Listener::plain(port)],
//!     gateway.router(),
//!     ListenPolicy::default(),
//!     async { drop(closed.await) },
//! );
//! let server = tokio::spawn(server);
//! let stop = async { drop(tokio::signal::ctrl_c().await) };
//! gateway.run(stop).await; // then accepts no more; what is left is on record, with what was paid for it
//! drop(close);
//! server.await??;
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//!
//! A job is in the store before its id is told. If the process is killed, the next one answers every job that was
//! acknowledged, continues with what was paid for, and pays for nothing twice: see the pages of the store. The same create
//! again, with the same key, is the same job for a while; an `Idempotency-Key` makes that as long as it is on record.
//! A job that was just being bought when its process was killed is answered as failed and listed: it cannot be known whether
//! it is paid.

mod bodies;
mod callback_host;
#[cfg(feature = "callbacks")]
mod callbacks;
mod caller;
mod gateway;
mod guard;
mod jobs;
mod keys;
pub mod listen;
mod measure;
mod overview;
mod policy;
mod routes;
mod task_id;
#[cfg(feature = "tls")]
pub mod tls;
mod troubles;

pub use crate::callback_host::{CallbackHost, NotAHost};
#[cfg(feature = "callbacks")]
#[doc(hidden)]
pub use crate::callbacks::has_public_host;
#[cfg(feature = "callbacks")]
pub use crate::callbacks::{Callback, CallbackSender};
pub use crate::gateway::{Gateway, GatewayBuilder, NoStore};
pub use crate::keys::{Keys, new_key};
pub use crate::measure::describe_metrics;
pub use crate::policy::GatewayPolicy;
