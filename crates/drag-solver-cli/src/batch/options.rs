//! How a batch is worked on, and how it is shown.

use crate::format::Format;
use crate::ui::hints::Asked;

/// How the work is done, and how it is shown.
#[derive(Debug)]
pub(crate) struct BatchOptions {
    /// How many tasks are worked on at the same time.
    pub(crate) concurrency: usize,
    pub(crate) format: Format,
    /// Whether results are printed as they come, and not in the order of the tasks.
    pub(crate) unordered: bool,
    /// What is asked, for hints.
    pub(crate) asked: Asked,
    /// Whether standard error is free for a spinner or a bar.
    pub(crate) spinner: bool,
}
