//! What `drag-solver evaluate` is made of, besides its flags.

pub(crate) mod pictures;
pub(crate) mod subjects;
pub(crate) mod targets;
pub(crate) mod view;
