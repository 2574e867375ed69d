//! Reads settings out of a parsed file, and knows the way to what is wrong with them.
//!
//! A file is first parsed into a [`Value`], and structs are read from that: only so can an error say
//! where it is in every format, and an unknown key be compared with the known ones, for structs of
//! other people too; and only so can one [`Table`] hold the settings of several structs.

mod table;

use std::collections::{BTreeMap, btree_map};
use std::{iter, mem, vec};

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _,
    IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

pub(super) use self::table::Table;
use super::advice::not_one_of;
use super::value::Value;
use crate::ConfigError;

type Result<T> = std::result::Result<T, ConfigError>;
type Keys = &'static [&'static str];

/// Reads settings of the program's own, in a table of a chain's file: mistakes in them are told as those of the chain
/// are. Several structs share a table as a tuple.
///
/// # Errors
///
/// What is wrong and where in the table.
pub fn read_settings<'de, T: DeserializeOwned>(table: impl Deserializer<'de>) -> Result<T> {
    let table = Value::deserialize(table);
    let table = table.map_err(|error| ConfigError::of_whole(error.to_string()))?;
    Table::of(table)?.take_last()
}

/// The names of the settings of a struct that can do without them, or of several, as a tuple.
pub fn setting_names<T: DeserializeOwned>() -> Vec<String> {
    let mut table = Table::default();
    let _ = table.take::<T>();
    table.known().map(str::to_owned).collect()
}

/// A policy in a file: a table of settings, of which each may be left out; `true` for the defaults;
/// or `false` for none. Its name tells the deserializer below.
#[derive(serde::Deserialize)]
#[serde(rename = "$drag_solver::Switch")]
struct Switch<T>(Option<T>);

/// For `#[serde(deserialize_with)]`: see [`Switch`].
pub(super) fn switch<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    Switch::deserialize(deserializer).map(|Switch(policy)| policy)
}

impl<'de> Deserializer<'de> for Value {
    type Error = ConfigError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Unsigned(number) => visitor.visit_u64(number),
            Self::Signed(number) => visitor.visit_i64(number),
            Self::Float(number) if number.is_finite() => visitor.visit_f64(number),
            Self::Float(number) => {
                let problem = format!("must be a finite number, not {number}");
                Err(ConfigError::of_whole(problem))
            }
            Self::Text(text) => visitor.visit_string(text),
            Self::List(items) => {
                let mut items = Items(items.into_iter().enumerate());
                let value = visitor.visit_seq(&mut items)?;
                let Some((index, _)) = items.0.next() else {
                    return Ok(value);
                };
                let problem = format!("must have no more than {index} parts");
                Err(ConfigError::of_whole(problem))
            }
            Self::Table(entries) => visitor.visit_map(Entries::of(entries)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Self::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(match self {
            _ if name != "$drag_solver::Switch" => self,
            Self::Bool(true) => Self::Table(BTreeMap::new()),
            Self::Bool(false) => Self::Null,
            Self::Table(_) | Self::Null => self,
            other => {
                let expected = &"a table of settings, or true for the defaults";
                return Err(ConfigError::invalid_type(other.unexpected(), expected));
            }
        })
    }

    /// Refuses a key that the struct does not have, whether or not it would do so itself.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        keys: Keys,
        visitor: V,
    ) -> Result<V::Value> {
        let mut table = Table::of(self)?;
        let read = table.deserialize_struct(name, keys, visitor);
        table.end(read)
    }

    /// The name of a variant, or a table with that name as its only key.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: Keys,
        visitor: V,
    ) -> Result<V::Value> {
        let variant = match self {
            Self::Text(name) => Variant(name, Self::Null),
            Self::Table(mut entries) if entries.len() == 1 => {
                let (name, value) = entries.pop_first().unwrap_or_default();
                Variant(name, value)
            }
            other => return Err(ConfigError::invalid_type(other.unexpected(), &visitor)),
        };
        if !variants.contains(&variant.0.as_str()) {
            return Err(not_one_of(&variant.0, variants));
        }
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// Reads what is inside of `key`.
fn inside<T>(key: impl AsRef<str>, read: Result<T>) -> Result<T> {
    read.map_err(|error| error.in_key(key))
}

struct Entries {
    rest: btree_map::IntoIter<String, Value>,
    /// The entry whose key was read, and its value not yet.
    current: (String, Value),
}

impl Entries {
    fn of(entries: BTreeMap<String, Value>) -> Self {
        let rest = entries.into_iter();
        let current = <_>::default();
        Self { rest, current }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = ConfigError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some(entry) = self.rest.next() else {
            return Ok(None);
        };
        self.current = entry;
        let key = Value::Text(self.current.0.clone());
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let (key, value) = mem::take(&mut self.current);
        inside(key, seed.deserialize(value))
    }
}

struct Items(iter::Enumerate<vec::IntoIter<Value>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = ConfigError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let item = self.0.next();
        let read = item.map(|(index, item)| inside(index.to_string(), seed.deserialize(item)));
        read.transpose()
    }
}

/// A variant's name and what it holds.
struct Variant(String, Value);

impl<'de> EnumAccess<'de> for Variant {
    type Error = ConfigError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        let name = seed.deserialize(self.0.as_str().into_deserializer())?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = ConfigError;

    fn unit_variant(self) -> Result<()> {
        inside(self.0, <()>::deserialize(self.1))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        inside(self.0, seed.deserialize(self.1))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        inside(self.0, self.1.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, keys: Keys, visitor: V) -> Result<V::Value> {
        inside(self.0, self.1.deserialize_struct("", keys, visitor))
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

    fn parse(json: serde_json::Value) -> Value {
        Value::deserialize(json).unwrap()
    }

    fn settings(json: serde_json::Value) -> std::result::Result<Settings, String> {
        Settings::deserialize(parse(json)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shape_of_setting_is_read() {
        let read = |mode: serde_json::Value| {
            let json = json!({"count": 3, "mode": mode, "parts": [{"size": [-1, 2]}], "note": "x"});
            settings(json).unwrap().mode
        };
        assert_eq!(read(json!("fast")), Mode::Fast);
        assert_eq!(
            read(json!({"slow": {"wait": 1.5}})),
            Mode::Slow { wait: 1.5 }
        );
        assert_eq!(read(json!({"slow": {"wait": 1}})), Mode::Slow { wait: 1.0 });
        assert_eq!(read(json!({"by": [1, -2]})), Mode::By(vec![1, -2]));
        assert_eq!(read(json!({"fast": null})), Mode::Fast);
        let short = settings(json!({"count": 3, "note": null})).unwrap();
        assert_eq!((short.count, short.note), (3, None));
    }

    #[test]
    fn every_error_says_where_it_is() {
        for (json, expected) in [
            (
                json!({"count": -1}),
                "count: is integer `-1`, and must be a whole number from 0 to 4294967295",
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
                "parts.1.size.1: is integer `200`, and must be a whole number from -128 to 127",
            ),
            (
                json!({"count": 1, "parts": [{"size": [1, 2, 3]}]}),
                "parts.0.size: must have no more than 2 parts",
            ),
            (
                json!({"count": 1, "mode": 7}),
                "mode: is a number, and must be the name of a kind",
            ),
            (
                json!({"count": 1, "mode": {"slow": 7}}),
                "mode.slow: is a number, and must be a table",
            ),
        ] {
            assert_eq!(settings(json).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_and_not_taken_for_nothing() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let entry = ("wait".to_owned(), Value::Float(number));
            let value = Value::Table(BTreeMap::from([entry]));
            let error = BTreeMap::<String, Option<f64>>::deserialize(value).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("wait: must be a finite number, not {number}")
            );
        }
    }
}
