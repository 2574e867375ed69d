//! Why a response does not say what was asked.

use drag_solver_core::SolveError;

/// Why a response does not say what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResponseError {
    /// It is no response of this API: HTML, garbage, JSON without the documented members. The text
    /// says what was missing. The solver judges it by the HTTP status; a poll is repeated.
    Unparseable(String),
    /// The provider refuses the request, and says why. A job that was asked about is not touched by
    /// it.
    Rejected(SolveError),
    /// The provider refuses the request, in words that its documentation does not explain. Where the
    /// HTTP status says more, the status counts.
    Unknown(SolveError),
}

impl From<SolveError> for ResponseError {
    fn from(error: SolveError) -> Self {
        Self::Rejected(error)
    }
}
