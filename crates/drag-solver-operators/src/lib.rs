#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]
// Without its pages no operator takes a seat: a chain with a person in it can be read and checked, and no more.
#![cfg_attr(not(feature = "pages"), allow(dead_code, unused_imports))]

mod call;
mod desk;
#[cfg(feature = "pages")]
pub mod pages;
mod policy;
mod solver;

pub use desk::Desk;
pub use policy::{DeskPolicy, OperatorsPolicy, WhenAbsent};
pub use solver::{AN_OPERATOR, Operators};
