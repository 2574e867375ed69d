//! What people see.

pub(crate) mod annotate;
pub(crate) mod colour;
pub(crate) mod console;
mod draw;
pub(crate) mod explanation;
pub(crate) mod hints;
pub(crate) mod logging;
pub(crate) mod progress_view;
pub(crate) mod solution_text;
pub(crate) mod text;
