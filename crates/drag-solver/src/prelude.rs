//! What most programs need: `use drag_solver::prelude::*`.

#[cfg(feature = "anticaptcha")]
pub use crate::providers::AntiCaptcha;
#[cfg(feature = "omocaptcha")]
pub use crate::providers::Omocaptcha;
#[cfg(feature = "twocaptcha")]
pub use crate::providers::TwoCaptcha;
#[cfg(feature = "store")]
pub use crate::store::StoreExt;
pub use crate::{
    Billed, Budget, BudgetPolicy, ConfigError, Drag, DragChallenge, DragSolver, DragSolverExt,
    ErrorKind, PaidJob, Point, Recovery, RetryPolicy, Screenshot, Solution, SolveError,
    TimeoutPolicy, Usd, ValidatePolicy, Verdict, async_trait,
};
#[cfg(feature = "image")]
pub use crate::{FitExt, FitPolicy};
