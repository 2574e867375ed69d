//! What came before an answer, as members beside it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{History, Past};

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.past().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for History {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Past::deserialize(deserializer).map(|past| Self(Some(past.into())))
    }
}
