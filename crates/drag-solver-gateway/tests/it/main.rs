//! The gateway as clients see it, without a network and on a paused clock.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed `unwrap` is a failed test

mod away;
#[cfg(feature = "callbacks")]
mod callbacks;
mod clients;
mod house;
mod jobs;
mod keys;
#[cfg(feature = "callbacks")]
mod late;
mod measure;
mod native;
mod operations;
mod operators;
mod overview;
mod provider_calls;
mod siblings;
