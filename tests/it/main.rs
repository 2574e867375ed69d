//! The workspace from outside: whole roads over real HTTP, through the facade alone, and the rules
//! of the house.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed `unwrap` is a failed test

mod faults;
mod layout;
mod outages;
mod picture;
mod road;
mod support;
