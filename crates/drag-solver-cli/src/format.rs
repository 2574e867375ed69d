//! How results are printed.

use clap::ValueEnum;
use serde::Serialize;

use crate::json_version::versioned;
use crate::ui::console;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}

impl Format {
    /// Prints something for people, or as a line of JSON. If standard output cannot be written to, the command ends.
    pub(crate) fn print(
        self,
        json: impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let line = match self {
            Self::Json => versioned(json)?,
            Self::Text => text(),
        };
        console::print(&line).map_err(console::cannot_print)
    }
}
