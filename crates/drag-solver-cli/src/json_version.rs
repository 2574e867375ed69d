//! The version of the lines of JSON; docs/json-lines.md describes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Raised when a member is removed or changes its meaning; not when one is added.
const VERSION: u64 = 1;

/// The member `v` of each line. Another version is refused when it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JsonVersion;

/// Something as a line of JSON: its members, behind the version.
pub(crate) fn versioned(line: impl Serialize) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Versioned<T> {
        v: JsonVersion,
        #[serde(flatten)]
        line: T,
    }

    let v = JsonVersion;
    serde_json::to_string(&Versioned { v, line })
}

impl Serialize for JsonVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(VERSION)
    }
}

impl<'de> Deserialize<'de> for JsonVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            VERSION => Ok(Self),
            other => Err(de::Error::custom(format!(
                "it has version {other}, and this command knows version {VERSION} alone: use the drag-solver \
                 that printed it"
            ))),
        }
    }
}
