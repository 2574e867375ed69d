//! What a file says in the place of a secret.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Place, Secret, Source};

/// What a file has in the place of a secret.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Place(Place),
    Table {},
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Serde's errors would repeat what was found, and that may be the secret.
        match Written::deserialize(deserializer) {
            Ok(Written::Place(place)) => Ok(Self(Source::Place(place))),
            Ok(Written::Table {}) => Err(D::Error::custom(
                "must be { env = \"NAME\" } or { file = \"PATH\" } and nothing else: is a key misspelt, or \
                 below a heading in [ ] that it does not belong to?",
            )),
            Err(_) => Err(D::Error::custom(
                "a secret is not written into the file: write either { env = \"NAME\" } or \
                 { file = \"PATH\" } to say where it is",
            )),
        }
    }
}
