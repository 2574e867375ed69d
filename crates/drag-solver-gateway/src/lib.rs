//! Any chain of drag solvers behind the protocols that existing clients already speak.
