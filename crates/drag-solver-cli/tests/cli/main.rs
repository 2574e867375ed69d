//! The command from outside: arguments, environment, standard streams, exit status.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed `unwrap` is a failed test

mod batches;
mod chains;
#[cfg(unix)]
mod chaos;
mod check_gateway;
#[cfg(unix)]
mod cookbook;
mod cut_off;
#[cfg(unix)]
mod database_secrets;
mod environment;
mod evaluate;
mod files;
#[cfg(unix)]
mod interrupted;
mod json_lines;
mod keys;
#[cfg(unix)]
mod label;
mod others;
mod providers;
mod record;
mod report;
mod resume;
mod sandbox;
mod scene;
mod schema;
mod secrets;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod serve_killed;
#[cfg(target_os = "linux")]
mod serve_soak;
mod server;
mod services;
#[cfg(unix)]
mod serving;
mod solve;
#[cfg(unix)]
mod store;
mod support;
