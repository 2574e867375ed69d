//! A parsed file of any format.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::Unexpected;

/// A setting as a file has it. JSON's own type would not do: it has no place for a number that is not
/// finite, and a `price = nan` would be a price that is not set.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    #[default]
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Table(BTreeMap<String, Value>),
}

impl Value {
    /// What it is, in words that do not repeat it: it may be a secret in the wrong place.
    pub(super) fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Unsigned(_) | Self::Signed(_) | Self::Float(_) => Unexpected::Other("a number"),
            Self::Text(_) => Unexpected::Other("a text"),
            Self::List(_) => Unexpected::Other("a list"),
            Self::Table(_) => Unexpected::Other("a table"),
        }
    }
}
