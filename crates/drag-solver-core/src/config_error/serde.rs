//! What is wrong with a file, as serde finds it, in words for people who know no Rust.

use std::fmt;

use serde::de;

use super::ConfigError;

/// So that a struct's own deserialiser says what is wrong in the same words.
impl de::Error for ConfigError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of_whole(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = in_words(&expected.to_string());
        Self::of_whole(format!("is {}, and must be {expected}", shown(&found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        // Serde's words for a `NonZeroU32`.
        if expected.to_string().starts_with("a nonzero") {
            return Self::of_whole("must be at least 1");
        }
        let expected = in_words(&expected.to_string());
        Self::of_whole(format!("is {}, and must be {expected}", shown(&found)))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(
            field,
            "is set twice, once by another name that it has: write it once",
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, "must be set")
    }
}

/// What serde expects, for people who know no Rust.
pub(crate) fn in_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number from 0 up",
        "i8" => "a whole number from -128 to 127",
        "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a string" | "path string" => "a text",
        other if other.starts_with("enum ") => "the name of a kind",
        other => other,
    };
    words.to_owned()
}

/// What was found in a file. A text is not repeated: it may be a secret in the wrong place.
fn shown(found: &de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Str(_) | de::Unexpected::Bytes(_) => "a text".to_owned(),
        other => other.to_string(),
    }
}
