//! Who of several providers is asked.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::InvalidConfig;
use super::provider::Table;
use super::value;
use crate::combinators::{HedgePolicy, OrderPolicy, QuorumPolicy};

const KINDS: &[&str] = &["fallback", "hedge", "quorum"];

/// Who of the chain's providers is asked.
///
/// In a file it is a name, `strategy = "fallback"`, or a table with the settings of that kind:
/// `strategy = { kind = "hedge", delay = "8s" }`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// One after the other, in the order of the file, until one answers. See
    /// [`Fallback`](crate::combinators::Fallback).
    #[default]
    Fallback,
    /// The same, but first whoever did best of late: `{ kind = "fallback", order = true }`, or with
    /// the settings of an [`OrderPolicy`] in place of `true`. See
    /// [`Fallback::ordered`](crate::combinators::Fallback::ordered).
    Ordered(OrderPolicy),
    /// One after the other, but the next without waiting for an answer that takes long; the first
    /// answer wins. See [`Hedge`](crate::combinators::Hedge).
    Hedge(HedgePolicy),
    /// Several, until enough of them agree. See [`Quorum`](crate::combinators::Quorum).
    Quorum(QuorumPolicy),
}

impl Strategy {
    pub(super) fn read(value: Value) -> Result<Self, InvalidConfig> {
        let mut table = match value {
            Value::String(kind) => Table::of(Value::from_iter([("kind", kind)]))?,
            other => Table::of(other)?,
        };
        let kind: String = table.take("kind")?.unwrap_or_default();
        match kind.as_str() {
            "fallback" => {
                let order = table.policy("order")?;
                table.end(&["kind", "order"])?;
                Ok(order.map_or(Self::Fallback, Self::Ordered))
            }
            "hedge" => settings(table).map(Self::Hedge),
            "quorum" => settings(table).map(Self::Quorum),
            other => {
                let known: Vec<String> = KINDS.iter().map(|&kind| kind.to_owned()).collect();
                Err(InvalidConfig::not_one_of(other, &known))
            }
        }
    }
}

fn settings<T: DeserializeOwned>(table: Table) -> Result<T, InvalidConfig> {
    value::read(Value::Object(table.0), &["kind"])
}
