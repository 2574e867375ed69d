//! A table of settings, which several structs can share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::{fmt, mem};

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Entries, Keys, Result, inside};
use crate::ConfigError;
use crate::config::advice::unknown_key;
use crate::config::value::Value;

/// A table of settings, from which structs take those that are their own until none is left.
#[derive(Clone, Default)]
pub(in crate::config) struct Table {
    entries: BTreeMap<String, Value>,
    /// The keys of the structs that were read.
    known: Vec<Cow<'static, str>>,
}

impl Table {
    pub(in crate::config) fn of(value: Value) -> Result<Self> {
        let Value::Table(entries) = value else {
            let expected = &"a table";
            return Err(ConfigError::invalid_type(value.unexpected(), expected));
        };
        let known = Vec::new();
        Ok(Self { entries, known })
    }

    pub(in crate::config) fn insert(&mut self, key: impl Into<String>, value: Value) {
        self.entries.insert(key.into(), value);
    }

    /// Inserts what is no mistake if it is not read.
    pub(in crate::config) fn offer(&mut self, key: &'static str, value: Value) {
        self.known.push(key.into());
        self.insert(key, value);
    }

    /// The keys of the structs that were read.
    pub(in crate::config) fn known(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|known| &**known)
    }

    pub(in crate::config) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The text that `key` is set to.
    pub(in crate::config) fn text(&self, key: &str) -> Option<&str> {
        match self.entries.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes out what these keys are set to, as they are.
    pub(in crate::config) fn take_values<'a>(
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
    pub(in crate::config) fn read<T>(
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
    pub(in crate::config) fn take<T: DeserializeOwned>(&mut self) -> Result<T> {
        T::deserialize(self)
    }

    /// Reads a `T`, and refuses keys that are neither its own nor of what was read before.
    pub(in crate::config) fn take_last<T: DeserializeOwned>(mut self) -> Result<T> {
        let read = self.take();
        self.end(read)
    }

    /// An unknown key is told first: what `read` lacks may be what was mistyped.
    pub(in crate::config) fn end<T>(&self, read: Result<T>) -> Result<T> {
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

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
