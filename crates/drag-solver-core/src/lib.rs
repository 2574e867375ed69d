//! The trait [`DragSolver`] and the words it is spoken in.
//!
//! A [`DragChallenge`] is a [`Screenshot`] that shows a piece and the place it must be dragged to.
//! A [`Solution`] is where the [`Drag`] starts and where it ends, in pixels of that screenshot. A
//! [`DragSolver`] turns one into the other; a [`SolveError`] says why it could not, what may be
//! tried next ([`Recovery`]) and whether money was spent ([`Billed`]).
//!
//! This crate has no HTTP client and no image codec. Providers, combinators and test doubles are
//! built on it; programs usually depend on the facade crate `drag-solver` instead.
//!
//! With the feature `serde`, all that goes into files and logs, and over wires, implements its traits: solutions,
//! errors, paid jobs, money, points.
//!
//! # Example
//!
//! ```
//! use drag_solver_core::{
//!     Drag, DragChallenge, DragSolver, Point, Screenshot, Solution, SolveError, async_trait,
//! };
//!
//! /// Always drags along the same line.
//! #[derive(Debug)]
//! struct AlwaysTheSame;
//!
//! #[async_trait]
//! impl DragSolver for AlwaysTheSame {
//!     fn name(&self) -> &str {
//!         "always-the-same"
//!     }
//!
//!     async fn solve(&self, _challenge: &DragChallenge) -> Result<Solution, SolveError> {
//!         let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
//!         Ok(Solution::new(drag, self.name()))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), SolveError> {
//! # let bytes = b"GIF89a\x4f\x02\x7d\x04\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;".to_vec();
//! let challenge = DragChallenge::new(Screenshot::from_bytes(bytes)?);
//! let solution = AlwaysTheSame.solve(&challenge).await?;
//! assert_eq!(solution.drag().to_string(), "83,560 -> 320,560");
//! # Ok(())
//! # }
//! ```

mod brought;
#[doc(hidden)]
pub mod chain_debug;
mod challenge;
mod config_error;
mod error;
mod event;
mod frame;
mod geometry;
pub mod human_duration;
mod image_format;
mod job;
mod jpeg;
mod limits;
#[cfg(feature = "serde")]
mod millis;
mod not_a_picture;
mod orientation;
mod profile;
mod purchases;
mod ratio;
mod screenshot;
mod seeded;
mod setters;
mod solution;
mod solver;
#[doc(hidden)]
pub mod text;
mod truncation;
mod untold;
mod usd;
mod worst_case;

pub use async_trait::async_trait;

#[doc(hidden)]
pub use crate::brought::{Brought, answers_as, members};
pub use crate::challenge::DragChallenge;
#[doc(hidden)]
pub use crate::config_error::CheckSettings;
pub use crate::config_error::ConfigError;
pub use crate::error::{Attempt, Billed, ErrorKind, Recovery, SolveError};
pub use crate::event::{Event, Observer};
pub use crate::frame::Frame;
pub use crate::geometry::{Drag, InvalidDrag, Point, Rect};
pub use crate::image_format::ImageFormat;
pub use crate::job::{InvalidJobId, JobId, PaidJob};
pub use crate::limits::{LimitExceeded, ScreenshotLimits};
pub use crate::profile::Profile;
pub use crate::purchases::{Purchase, Purchases, Settlement, Tracker};
pub use crate::ratio::{InvalidRatio, Ratio};
pub use crate::screenshot::{Screenshot, ScreenshotError};
#[doc(hidden)]
pub use crate::seeded::Seeded;
pub use crate::solution::{Solution, Verdict};
pub use crate::solver::{DragSolver, SolverFn, solver_fn};
#[doc(hidden)]
pub use crate::untold::{PurchaseRef, named_cost};
pub use crate::usd::{InvalidUsd, Usd};
pub use crate::worst_case::WorstCase;

/// What the methods of [`DragSolver`] return, written out: for [`forward_solver!`].
#[doc(hidden)]
pub type SolverFuture<'a, T> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, SolveError>> + Send + 'a>>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
