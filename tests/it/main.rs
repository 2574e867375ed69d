//! The workspace from outside: whole roads over real HTTP, through the facade alone, and the rules
//! of the house.

// A failed `unwrap` is a failed test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::print_stderr, clippy::print_stdout)] // shown if a test fails

mod callbacks;
mod contract;
mod crash;
mod docs;
mod faults;
mod foreign;
mod fuzz;
mod layout;
mod outages;
mod picture;
mod readme;
mod road;
mod stand_in;
mod support;
