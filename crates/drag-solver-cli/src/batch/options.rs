//! How a batch is worked on, and how it is shown.

use std::path::PathBuf;

use crate::format::Format;

/// How the work is done, and how it is shown.
#[derive(Debug)]
pub(crate) struct BatchOptions {
    /// How many tasks are worked on at the same time.
    pub(crate) concurrency: usize,
    pub(crate) format: Format,
    /// Whether results are printed as they come, and not in the order of the tasks.
    pub(crate) unordered: bool,
    /// The file of the chain that is asked, for hints.
    pub(crate) config: Option<PathBuf>,
    /// Whether standard error is free for a spinner or a bar.
    pub(crate) spinner: bool,
}
