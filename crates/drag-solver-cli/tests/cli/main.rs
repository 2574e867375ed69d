//! The command from outside: arguments, environment, standard streams, exit status.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed `unwrap` is a failed test

mod chains;
mod environment;
mod files;
mod others;
mod providers;
mod sandbox;
mod secrets;
mod server;
mod solve;
mod support;
