//! Evaluations of emulated providers whose truth is known, on a paused clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed `unwrap` is a failed test

mod going_on;
mod measured;
mod page;
mod proposed;
mod world;
