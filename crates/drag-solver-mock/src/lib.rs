//! Test doubles for everything that asks a [`DragSolver`](drag_solver_core::DragSolver): no network,
//! no account, no waiting. Meant for `[dev-dependencies]`.
//!
//! | feature | what | for |
//! |---|---|---|
//! | | [`MockSolver`] | scripted outcomes and latencies, and a log of what was asked |
//! | | [`fixtures`] | a challenge in one word, where any will do |
//! | `mockall` (default) | `MockDragSolver` | tests in the style of expectations |
//! | `pictures` | `pictures` | phone-like test pictures with a known answer, and the solver that knows it |
//! | `contract` | `contract` | the suite that every solver must pass, yours too |
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use drag_solver_core::{DragSolver, ErrorKind};
//! use drag_solver_mock::{MockSolver, Outcome, fixtures};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), drag_solver_core::SolveError> {
//! let challenge = fixtures::challenge();
//! let solver = MockSolver::new("mock")
//!     .then(ErrorKind::Unavailable)
//!     .then(Outcome::answer(fixtures::drag()).after(Duration::from_secs(3)));
//!
//! let error = solver.solve(&challenge).await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Unavailable);
//! let solution = solver.solve(&challenge).await?;
//! assert_eq!(solution.elapsed(), Duration::from_secs(3));
//! assert_eq!((solver.call_count(), solver.purchases()), (2, 1));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "contract")]
pub mod contract;
pub mod fixtures;
#[cfg(feature = "pictures")]
pub mod pictures;
mod solver;
#[cfg(feature = "mockall")]
mod test_double;

pub use crate::solver::{CallStatus, MockSolver, Outcome, RecordedCall, RecordedReport};
#[cfg(feature = "mockall")]
pub use crate::test_double::MockDragSolver;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
