//! Reads settings out of a parsed file, and knows the way to whatever is wrong.
//!
//! Any format is first parsed into a [`Value`], and structs are read from that: only so can an error
//! say where it is in every format, and an unknown key be compared with the known ones, for structs
//! of other people too.

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::error::InvalidConfig;

/// Reads a `T`. `also_known` are keys that are allowed beside those of `T`, and were read before.
pub(super) fn read<T: DeserializeOwned>(
    value: Value,
    also_known: &[&str],
) -> Result<T, InvalidConfig> {
    T::deserialize(Reader { value, also_known })
}

struct Reader<'a> {
    value: Value,
    also_known: &'a [&'a str],
}

impl From<Value> for Reader<'_> {
    fn from(value: Value) -> Self {
        Self {
            value,
            also_known: &[],
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = InvalidConfig;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidConfig> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => {
                let mut items = Items(items.into_iter().enumerate());
                let value = visitor.visit_seq(&mut items)?;
                match items.0.next() {
                    None => Ok(value),
                    Some((index, _)) => Err(InvalidConfig::new(format!(
                        "must have no more than {index} parts"
                    ))),
                }
            }
            Value::Object(members) => visitor.visit_map(Members::of(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidConfig> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, InvalidConfig> {
        visitor.visit_newtype_struct(self)
    }

    /// Refuses a key that the struct does not have, whether or not it would do so itself.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidConfig> {
        if let Value::Object(members) = &self.value
            && let Some(key) = members.keys().find(|key| !fields.contains(&key.as_str()))
        {
            let known = fields.iter().chain(self.also_known).copied();
            return Err(InvalidConfig::unknown_key(key, known));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidConfig> {
        match self.value {
            Value::String(variant) => visitor.visit_enum(variant.into_deserializer()),
            Value::Object(members) if members.len() == 1 => {
                visitor.visit_enum(Members::of(members))
            }
            other => Err(InvalidConfig::invalid_type(unexpected(&other), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Members {
    rest: serde_json::map::IntoIter,
    /// The key that was read last, and its value if that was not.
    current: Option<(String, Value)>,
}

impl Members {
    fn of(members: Map<String, Value>) -> Self {
        Self {
            rest: members.into_iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = InvalidConfig;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, InvalidConfig> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.current = Some((key.clone(), value));
        seed.deserialize(Reader::from(Value::String(key))).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, InvalidConfig> {
        let (key, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Reader::from(value))
            .map_err(|error| error.inside(key))
    }
}

impl<'de> EnumAccess<'de> for Members {
    type Error = InvalidConfig;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        mut self,
        seed: V,
    ) -> Result<(V::Value, Self), InvalidConfig> {
        let variant = self.next_key_seed(seed)?;
        let variant = variant.ok_or_else(|| InvalidConfig::new("must not be empty"))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Members {
    type Error = InvalidConfig;

    fn unit_variant(mut self) -> Result<(), InvalidConfig> {
        self.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        mut self,
        seed: T,
    ) -> Result<T::Value, InvalidConfig> {
        self.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(
        mut self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, InvalidConfig> {
        let (key, value) = self.current.take().unwrap_or_default();
        Reader::from(value)
            .deserialize_seq(visitor)
            .map_err(|error| error.inside(key))
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidConfig> {
        let (key, value) = self.current.take().unwrap_or_default();
        Reader::from(value)
            .deserialize_struct("", fields, visitor)
            .map_err(|error| error.inside(key))
    }
}

struct Items(std::iter::Enumerate<std::vec::IntoIter<Value>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = InvalidConfig;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, InvalidConfig> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Reader::from(item))
            .map(Some)
            .map_err(|error| error.inside(index.to_string()))
    }
}

/// What a value is, in words that do not repeat it.
pub(super) fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(_) => Unexpected::Other("a number"),
        Value::String(_) => Unexpected::Other("a text"),
        Value::Array(_) => Unexpected::Other("a list"),
        Value::Object(_) => Unexpected::Other("a table"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Settings {
        count: u32,
        #[serde(default)]
        mode: Mode,
        #[serde(default)]
        parts: Vec<Part>,
        note: Option<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        #[default]
        Fast,
        Slow {
            wait: f64,
        },
        By(Vec<i64>),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Part {
        size: (i8, i8),
    }

    fn settings(value: Value) -> Result<Settings, String> {
        read(value, &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shape_of_setting_is_read() {
        let read = |mode: Value| {
            let value =
                json!({"count": 3, "mode": mode, "parts": [{"size": [-1, 2]}], "note": "x"});
            settings(value).unwrap().mode
        };
        assert_eq!(read(json!("fast")), Mode::Fast);
        assert_eq!(
            read(json!({"slow": {"wait": 1.5}})),
            Mode::Slow { wait: 1.5 }
        );
        assert_eq!(read(json!({"by": [1, -2]})), Mode::By(vec![1, -2]));
        assert_eq!(read(json!({"fast": null})), Mode::Fast);
        let short = settings(json!({"count": 3, "note": null})).unwrap();
        assert_eq!((short.count, short.note), (3, None));
    }

    #[test]
    fn every_error_says_where_it_is() {
        for (value, expected) in [
            (
                json!({"count": -1}),
                "count: is integer `-1`, and must be u32",
            ),
            (json!({}), "count: must be set"),
            (
                json!({"cuont": 1}),
                "unknown key `cuont`: did you mean `count`?",
            ),
            (
                json!({"count": 1, "mode": {"slow": {"wit": 1}}}),
                "unknown key `wit` in mode.slow: did you mean `wait`?",
            ),
            (
                json!({"count": 1, "mode": "slwo"}),
                "mode: there is no `slwo`: did you mean `slow`?",
            ),
            (
                json!({"count": 1, "parts": [{"size": [1, 2]}, {"size": [1, 200]}]}),
                "parts.1.size.1: is integer `200`, and must be i8",
            ),
            (
                json!({"count": 1, "parts": [{"size": [1, 2, 3]}]}),
                "parts.0.size: must have no more than 2 parts",
            ),
            (
                json!({"count": 1, "mode": 7}),
                "mode: is a number, and must be enum Mode",
            ),
        ] {
            assert_eq!(settings(value).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_key_of_somebody_else_is_suggested_too() {
        let error = read::<Part>(json!({"retyr": 1}), &["retry"]).unwrap_err();
        assert!(error.to_string().ends_with("did you mean `retry`?"));
    }
}
