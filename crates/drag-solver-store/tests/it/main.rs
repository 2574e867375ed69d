//! A store in a file, as programs use it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed `unwrap` is a failed test
#![allow(clippy::print_stdout)] // how processes talk

#[path = "../shared/clock.rs"]
mod clock;
mod damage;
mod full;
mod hand_edited;
mod lock_files;
mod locked;
mod place;
#[path = "../shared/process.rs"]
mod process;
#[path = "../shared/processes.rs"]
mod processes;
mod prune;
mod read_only;
mod support;
