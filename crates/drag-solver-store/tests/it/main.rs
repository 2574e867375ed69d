//! A store in a file, as programs use it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed `unwrap` is a failed test
#![allow(clippy::print_stdout)] // how processes talk

mod clock;
mod damage;
mod full;
mod hand_edited;
mod locked;
mod processes;
mod prune;
mod read_only;
mod support;
