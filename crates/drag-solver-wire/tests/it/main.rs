//! The protocols from outside: what published clients send, and what they are told.

mod answers_omocaptcha;
mod answers_php;
mod answers_tasks;
mod in_php;
mod properties;
mod res_php;
mod support;
mod tasks;
