//! The protocols from outside: what published clients send, and what they are told.

#![allow(clippy::panic, clippy::unnecessary_wraps, clippy::unwrap_used)] // the helpers of tests

mod answers_omocaptcha;
mod answers_php;
mod answers_tasks;
mod callbacks;
mod in_php;
mod properties;
mod res_php;
mod support;
mod tasks;
