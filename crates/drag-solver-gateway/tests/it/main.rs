//! The gateway as clients see it, without a network and on a paused clock.

mod clients;
mod house;
mod jobs;
mod keys;
mod native;
mod operations;
