//! Money as data: a text, because a JSON number is a binary float to most readers.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ONE, Usd};

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;

        impl Visitor<'_> for Amount {
            type Value = Usd;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount in US dollars, as a number or a string like \"0.0009\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Usd, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Usd, E> {
                // The shortest text that names this float is what the sender wrote.
                number.to_string().parse().map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Usd, E> {
                Ok(Usd(ONE.saturating_mul(number.into())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Usd, E> {
                Ok(Usd(ONE.saturating_mul(number.into())))
            }
        }

        deserializer.deserialize_any(Amount)
    }
}
