//! Providers that are declared in a page of TOML: what their requests and responses look like, without
//! code.
//!
//! A [`Definition`] is read from anything that serde reads; [`Declared`] is one that was checked, and
//! makes solvers: an [`HttpSolver`](drag_solver_http::HttpSolver) of a [`DeclaredApi`], which gets all that
//! a provider in Rust gets. A service of a family (`createTask`, `createJob`, `in.php`) is a few lines:
//!
//! ```toml
//! family = "createTask"
//! key = "POINTING_API_KEY"                     # the variable; the key itself is never in a file
//! base_url = "https://api.pointing.example"
//! create.json.task = { type = "CoordinatesTask", body = "{picture.base64}" }
//! answer.at = "/solution/coordinates"
//! ```
//!
//! There are placeholders and JSON pointers, and no expressions and no loops. All of it is compiled when
//! the file is loaded, and a mistake is refused then, with its place and what was probably meant.

mod advice;
mod answer;
mod api;
mod call;
mod definition;
mod gallery;
mod keys;
mod pointer;
mod preset;
mod refusal;
mod service;
mod template;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(hidden)]
pub use crate::advice::nearest;
pub use crate::api::DeclaredApi;
pub use crate::definition::{
    Answer, Call, Codes, Condition, Cost, Definition, ErrorRow, Family, Limits, Method, Money,
    Pointers, Reports, RowState, State, Unit, Words,
};
pub use crate::gallery::GALLERY;
#[doc(hidden)]
pub use crate::keys::taken;
pub use crate::service::Declared;
