//! Reads settings out of a parsed file, and knows the way to what is wrong with them.
//!
//! A file is first parsed into a [`Value`], and structs are read from that: only so can an error say
//! where it is in every format, and an unknown key be compared with the known ones, for structs of
//! other people too; and only so can one table hold the settings of several structs.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};
use std::{fmt, iter, mem, vec};

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected,
    IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::advice::{not_one_of, unknown_key};
use super::value::Value;
use crate::ConfigError;

type Result<T> = std::result::Result<T, ConfigError>;
type Keys = &'static [&'static str];

/// A table of settings, from which structs take those that are their own until none is left.
#[derive(Clone, Default)]
pub(super) struct Table {
    entries: BTreeMap<String, Value>,
    /// The keys of the structs that were read.
    known: Vec<Cow<'static, str>>,
}

impl Table {
    pub(super) fn of(value: Value) -> Result<Self> {
        let Value::Table(entries) = value else {
            let expected = &"a table";
            return Err(ConfigError::invalid_type(value.unexpected(), expected));
        };
        let known = Vec::new();
        Ok(Self { entries, known })
    }

    pub(super) fn insert(&mut self, key: impl Into<String>, value: Value) {
        self.entries.insert(key.into(), value);
    }

    /// Inserts what is no mistake if it is not read.
    pub(super) fn offer(&mut self, key: &'static str, value: Value) {
        self.known.push(key.into());
        self.insert(key, value);
    }

    /// The keys of the structs that were read.
    #[cfg(test)]
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|known| &**known)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The text that `key` is set to.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.entries.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes out what these keys are set to, as they are.
    pub(super) fn take_values<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, serde_json::Value>> {
        let mut values = BTreeMap::new();
        for key in keys {
            self.known.push(key.to_owned().into());
            if let Some(value) = self.entries.remove(key) {
                let value = serde_json::Value::deserialize(value);
                values.insert(key.to_owned(), inside(key, value)?);
            }
        }
        Ok(values)
    }

    /// Takes out what `key` is set to, and reads it with `read`.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Value) -> Result<T>,
    ) -> Result<Option<T>> {
        self.known.push(key.into());
        let value = self
            .entries
            .remove(key)
            .filter(|value| *value != Value::Null);
        value.map(|value| inside(key, read(value))).transpose()
    }

    /// Reads a `T`, which takes its keys out of the table.
    pub(super) fn take<T: DeserializeOwned>(&mut self) -> Result<T> {
        T::deserialize(self)
    }

    /// Reads a `T`, and refuses keys that are neither its own nor of what was read before.
    pub(super) fn take_last<T: DeserializeOwned>(mut self) -> Result<T> {
        let read = self.take();
        self.end(read)
    }

    /// An unknown key is told first: what `read` lacks may be what was mistyped.
    pub(super) fn end<T>(&self, read: Result<T>) -> Result<T> {
        let mut keys = self.entries.keys();
        match keys.find(|key| self.known.iter().all(|known| known != *key)) {
            Some(key) => {
                let known: Vec<&str> = self.known.iter().map(|known| &**known).collect();
                Err(unknown_key(key, &known))
            }
            None => read,
        }
    }
}

/// By the settings: which structs were read is no difference.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl fmt::Debug for Table {
    /// Shows which settings are there, not what they are: one may be a token that was written into
    /// the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl<'de> Deserializer<'de> for &mut Table {
    type Error = ConfigError;

    /// All that is left is for what does not say which keys it has. A struct that flattens others hides
    /// them, and a key that is misspelt would not be seen.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let entries = mem::take(&mut self.entries);
        let reader = (&visitor as &dyn Expected).to_string();
        if reader.starts_with("struct ") {
            return Err(ConfigError::of_whole(format!(
                "{reader} of this program flattens another, which hides its keys: register a tuple of \
                 the two in its place"
            )));
        }
        visitor.visit_map(Entries::of(entries))
    }

    /// Each part takes the keys that are its own.
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(Parts {
            table: self,
            left: len,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        keys: Keys,
        visitor: V,
    ) -> Result<V::Value> {
        self.known.extend(keys.iter().copied().map(Cow::Borrowed));
        let entries = mem::take(&mut self.entries).into_iter();
        let (own, others) = entries.partition(|(key, _)| keys.contains(&key.as_str()));
        self.entries = others;
        visitor.visit_map(Entries::of(own))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple_struct map enum identifier ignored_any
    }
}

/// The structs that share a table.
struct Parts<'a> {
    table: &'a mut Table,
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = ConfigError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.left = self.left.saturating_sub(1);
        let read = seed.deserialize(&mut *self.table);
        if read.is_err() && self.left > 0 {
            // What is left is not unknown: it was not asked for yet.
            self.table.entries.clear();
        }
        read.map(Some)
    }
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

    #[derive(Debug, PartialEq, Deserialize)]
    struct Other {
        retry: Option<u32>,
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

    #[test]
    fn two_structs_share_a_table_and_each_others_keys_are_suggested() {
        let both = json!({"size": [1, 2], "retry": 3});
        let mut table = Table::of(parse(both)).unwrap();
        assert_eq!(table.take::<Part>().unwrap().size, (1, 2));
        assert_eq!(table.take_last::<Other>().unwrap().retry, Some(3));

        let typo = json!({"size": [1, 2], "siez": 3});
        let mut table = Table::of(parse(typo)).unwrap();
        table.take::<Part>().unwrap();
        let error = table.take_last::<Other>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown key `siez`: did you mean `size`?"
        );
    }
}
