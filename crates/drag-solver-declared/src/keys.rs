//! Keys that no service can have for itself.

use drag_solver_http::HttpOptions;
use serde::de::value::Error;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

/// What the chain itself reads of a provider.
const OF_CHAIN: &[&str] = &[
    "budget",
    "circuit_breaker",
    "concurrency_limit",
    "fit",
    "kind",
    "rate_limit",
    "retry",
    "timeout",
    "total_timeout",
    "validate",
];

/// What every provider has in a chain's file: `HttpOptions`, and what the chain itself reads.
#[doc(hidden)]
pub fn taken() -> impl Iterator<Item = &'static str> {
    let mut of_http: &[&str] = &[];
    let _ = HttpOptions::deserialize(Keys(&mut of_http)); // an error: nothing is read
    OF_CHAIN.iter().chain(of_http).copied()
}

/// Notes which keys a struct has, and reads nothing.
struct Keys<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Keys<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = keys;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("nothing is read"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_http_are_taken_by_each_name_that_a_file_has_for_them() {
        let taken: Vec<_> = taken().collect();
        for key in ["token", "key", "proxy", "callbacks", "fit"] {
            assert!(taken.contains(&key), "{key}");
        }
        assert!(!taken.contains(&"recorder"), "no file has one");
    }
}
