//! Who of several providers is asked.

use serde_json::Value;

use super::error::InvalidConfig;
use super::provider::Table;

const KINDS: &[&str] = &["fallback"];

/// Who of the chain's providers is asked.
///
/// In a file it is a name, `strategy = "fallback"`, or a table with the settings:
/// `strategy = { kind = "..", .. }`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// One after the other, in the order of the file, until one answers. See
    /// [`Fallback`](crate::combinators::Fallback).
    #[default]
    Fallback,
}

impl Strategy {
    pub(super) fn read(value: Value) -> Result<Self, InvalidConfig> {
        let mut table = match value {
            Value::String(kind) => Table::of(Value::from_iter([("kind", kind)]))?,
            other => Table::of(other)?,
        };
        let kind: String = table.take("kind")?.unwrap_or_default();
        match kind.as_str() {
            "fallback" => table.end(&["kind"]).map(|()| Self::Fallback),
            other => {
                let known: Vec<String> = KINDS.iter().map(|&kind| kind.to_owned()).collect();
                Err(InvalidConfig::not_one_of(other, &known))
            }
        }
    }
}
