//! Who is asked.

mod certificate;
mod file;
pub(crate) mod gateway;
pub(crate) mod lookup;
pub(crate) mod options;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod source;
pub(crate) mod store;
