//! What most programs need: `use drag_solver::prelude::*`.

#[cfg(any(
    feature = "anticaptcha",
    feature = "omocaptcha",
    feature = "twocaptcha"
))]
pub use crate::providers::*;
pub use crate::{
    Billed, ConfigError, Drag, DragChallenge, DragSolver, DragSolverExt, ErrorKind, PaidJob, Point,
    Recovery, RetryPolicy, Screenshot, Solution, SolveError, TimeoutPolicy, Usd, ValidatePolicy,
    Verdict, async_trait,
};
#[cfg(feature = "image")]
pub use crate::{FitExt, FitPolicy};
