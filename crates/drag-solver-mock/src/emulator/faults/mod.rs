//! What can go wrong between a client and a provider, on demand.

mod catalogue;
mod deliver;
mod fault;
mod garble;
mod script;

pub(super) use self::deliver::{Next, Wire, deliver};
pub use self::fault::{Echo, ErrorBody, Fault, Moment, RedirectTo};
pub(super) use self::script::Script;
