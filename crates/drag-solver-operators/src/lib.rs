#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod call;
mod desk;
#[cfg(feature = "pages")]
pub mod pages;
mod policy;
mod solver;

pub use desk::Desk;
pub use policy::{DeskPolicy, OperatorsPolicy, WhenAbsent};
pub use solver::{AN_OPERATOR, Operators};
