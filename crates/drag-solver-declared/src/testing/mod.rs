//! A double of a declared service, made of the same declaration, and the contract over it; and what was recorded
//! of the real one, or of a provider that is code, played back.
//!
//! ```
//! use drag_solver_declared::{Declared, GALLERY, testing};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (name, text) = GALLERY[0];
//! let service = Declared::new(name, toml::from_str(text)?)?;
//! # let few = testing::TestOptions::default().without_faults();
//! # let report = testing::test_with(&service, few).await?;
//! # if false {
//! let report = testing::test(&service).await?;
//! # }
//! println!("{report}");
//! assert!(report.passed());
//! # Ok(())
//! # }
//! ```

mod calls;
mod double;
mod received;
#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test
mod recorded_tests;
mod replay;
mod stage;
mod trial;

pub use self::calls::CallbackFinding;
pub use self::replay::{ReplayReport, ReplayedCall, replay, replay_provider};
pub use self::trial::{FaultFinding, TestOptions, TestReport, test, test_with};
