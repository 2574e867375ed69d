//! A store in PostgreSQL. Without a server that can be started here, these tests are skipped, and say so.

#![cfg(all(unix, feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed `unwrap` is a failed test
#![allow(clippy::print_stdout)] // how processes talk

#[path = "../shared/clock.rs"]
mod clock;
mod contract;
mod copy;
mod encrypted;
mod hand_edited;
mod in_doubt;
mod outages;
mod place;
#[path = "../shared/process.rs"]
mod process;
#[path = "../shared/processes.rs"]
mod processes;
mod refused;
mod versions;
mod word;
