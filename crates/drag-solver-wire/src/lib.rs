#![doc = include_str!("../README.md")]

mod call;
mod manner;
mod multipart;
mod protocol;
mod quirk;
mod read;
mod refusal;
mod reply;
mod request;
mod write;

pub use self::call::{Call, NewJob, Shape};
pub use self::manner::Manner;
pub use self::multipart::Part;
pub use self::protocol::{Operation, Protocol};
pub use self::quirk::Quirk;
pub use self::read::Incoming;
#[doc(hidden)]
pub use self::read::redacted_json;
pub use self::refusal::Refusal;
pub use self::reply::{Answer, Reply};
pub use self::request::{Pairs, Request};
pub use self::write::{Callback, Response, callback, write};
