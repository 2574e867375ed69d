//! Test doubles for everything that asks a [`DragSolver`](drag_solver_core::DragSolver): no network,
//! no account, no waiting.
//!
//! | what | feature | for |
//! |---|---|---|
//! | [`MockSolver`] | always there | scripted outcomes and latencies, and a log of what was asked |
//! | `MockDragSolver` | `mockall` (default) | tests in the style of expectations |
//! | `challenge` | `challenge` | phone-like test pictures with a known answer, and the solver that knows it |
//! | `emulator` | `emulator` | the providers' wire protocols on a loopback port, answering from any solver |
//! | `contract` | `contract` | the suite that every solver must pass, yours too |
//!
//! This crate is meant for `[dev-dependencies]`.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use drag_solver_core::{Drag, DragSolver, ErrorKind, Point};
//! use drag_solver_mock::{MockSolver, Outcome};
//! # use drag_solver_core::{DragChallenge, Screenshot};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), drag_solver_core::SolveError> {
//! # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec())?);
//! let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
//! let solver = MockSolver::new("mock")
//!     .then(ErrorKind::Unavailable)
//!     .then(Outcome::answer(drag).after(Duration::from_secs(3)));
//!
//! let error = solver.solve(&challenge).await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Unavailable);
//! let solution = solver.solve(&challenge).await?;
//! assert_eq!(solution.elapsed(), Duration::from_secs(3));
//! assert_eq!((solver.call_count(), solver.purchases()), (2, 1));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "challenge")]
pub mod challenge;
#[cfg(feature = "contract")]
pub mod contract;
#[cfg(feature = "mockall")]
mod double;
#[cfg(feature = "emulator")]
pub mod emulator;
mod solver;

#[cfg(feature = "mockall")]
pub use crate::double::MockDragSolver;
pub use crate::solver::{Call, Ending, MockSolver, Outcome, Report};
