//! The solver that every HTTP provider is.

mod account;
mod attempt;
mod builder;
mod expected_call;
mod http_solver;
mod open_jobs;
mod status;
mod trust;

pub use self::builder::HttpSolverBuilder;
pub use self::http_solver::HttpSolver;
