//! Measures solvers on screenshots whose true drag is known, and proposes a chain of them.
//!
//! An [`Evaluation`] asks every solver about every [`LabelledPicture`]. What comes of it is a list of [`Call`]s;
//! everything else is made of that list by pure functions: the [`figures`], each with the interval that holds the
//! true one, a chain that [`propose`](propose::propose) finds, and the [`Report`], as JSON and as one page of HTML.
//!
//! ```
//! use std::time::Duration;
//! use drag_solver_core::ErrorKind;
//! use drag_solver_evaluate::{Evaluation, LabelledPicture, Report};
//! # use drag_solver_mock::{MockSolver, Outcome, fixtures};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (screenshot, true_drag) = (fixtures::screenshot(), fixtures::drag());
//! # let answer = Outcome::answer(true_drag).after(Duration::from_secs(3));
//! # let provider = MockSolver::new("example").with_cost("0.0009".parse()?).then(ErrorKind::Unsolvable).always(answer);
//! let picture = LabelledPicture::new("phone.png", screenshot, true_drag)?;
//! let pictures = vec![picture; 50];
//!
//! let evaluation = Evaluation::new().solver("example", provider);
//! let mut calls = Vec::new();
//! evaluation.run(&pictures, |call| calls.push(call)).await;
//!
//! let report = Report::new(&evaluation, &pictures, calls);
//! let example = &report.solvers[0];
//! assert_eq!((example.right, example.failed["unsolvable"]), (49, 1));
//! let share = example.share_right.unwrap();
//! assert!(share.low > 0.89 && share.high < 1.0); // with 95 %
//! # Ok(())
//! # }
//! ```
//!
//! | feature | what it adds |
//! |---|---|
//! | `store` | an evaluation that can be gone on with: what was bought is on record. Brings SQLite |

mod call;
pub mod figures;
mod label_file;
mod labelled;
pub mod propose;
#[cfg(feature = "store")]
mod recall;
mod report;
mod run;

pub use crate::call::{Call, CallOutcome, Next};
pub use crate::label_file::read_labels;
#[doc(hidden)]
pub use crate::labelled::check_rereadable;
pub use crate::labelled::{LabelError, LabelledPicture};
pub use crate::report::{Report, ReportPicture};
pub use crate::run::{DEFAULT_TOLERANCE, Ending, Evaluation};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
