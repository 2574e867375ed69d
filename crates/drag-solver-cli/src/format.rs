//! How results are printed.

use clap::ValueEnum;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: `83,560 -> 320,560`, then the provider and the seconds it took
    Text,
    /// For programs: one JSON object a line
    Json,
}
