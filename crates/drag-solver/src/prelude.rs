//! What most programs need: `use drag_solver::prelude::*`.

#[cfg(feature = "anticaptcha")]
pub use drag_solver_anticaptcha::AntiCaptcha;
pub use drag_solver_combinators::{
    DragSolverExt, Fallback, HedgePolicy, RetryPolicy, TimeoutPolicy, ValidatePolicy,
};
pub use drag_solver_core::{
    Charge, Drag, DragChallenge, DragSolver, ErrorKind, PaidJob, Point, Recovery, Rect, Screenshot,
    Solution, SolveError, Usd, Verdict, async_trait,
};
#[cfg(feature = "http")]
pub use drag_solver_http::{HttpSolver, JobApi};
#[cfg(feature = "image")]
pub use drag_solver_image::{FitExt, FitPolicy};
#[cfg(feature = "omocaptcha")]
pub use drag_solver_omocaptcha::Omocaptcha;
#[cfg(feature = "twocaptcha")]
pub use drag_solver_twocaptcha::TwoCaptcha;
