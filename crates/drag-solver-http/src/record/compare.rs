//! Whether a request is the one that was recorded.

use serde_json::Value;

use super::format::{Body, Part, Request};
use super::mask::is_of_mask;

/// How a request is like a recorded one, with anything in the place of a mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    /// But for the picture.
    OtherPicture,
    /// It is another: what is different.
    Different(String),
}

/// Compares what belongs to a request's meaning; headers do not.
pub(super) fn compare(recorded: &Request, actual: &Request) -> Likeness {
    let mut comparison = Comparison::default();
    comparison.pairs("query", &recorded.query, &actual.query);
    match (&recorded.body, &actual.body) {
        (None, None) => {}
        (Some(recorded), Some(actual)) => comparison.bodies(recorded, actual),
        (Some(_), None) => comparison.differ("the body", "something", "nothing"),
        (None, Some(_)) => comparison.differ("the body", "nothing", "something"),
    }
    match comparison {
        Comparison {
            different: Some(what),
            ..
        } => Likeness::Different(what),
        Comparison {
            other_picture: true,
            ..
        } => Likeness::OtherPicture,
        _ => Likeness::Same,
    }
}

/// Whether the recorded path is this one.
pub(super) fn is_same_place(recorded: &Request, actual: &Request) -> bool {
    recorded.method == actual.method && is_of_mask(&recorded.path, &actual.path)
}

#[derive(Default)]
struct Comparison {
    different: Option<String>,
    other_picture: bool,
}

impl Comparison {
    fn bodies(&mut self, recorded: &Body, actual: &Body) {
        match (recorded, actual) {
            (Body::Json(recorded), Body::Json(actual)) => self.values("", recorded, actual),
            (Body::Form(recorded), Body::Form(actual)) => {
                self.named(recorded.iter().map(pair), actual.iter().map(pair));
            }
            (Body::Multipart(recorded), Body::Multipart(actual)) => {
                self.named(recorded.iter().map(part), actual.iter().map(part));
            }
            (Body::Text(recorded), Body::Text(actual))
            | (Body::Binary(recorded), Body::Binary(actual)) => {
                self.values("the body", recorded, actual);
            }
            _ => self.differ("the body's kind", recorded.kind(), actual.kind()),
        }
    }

    fn pairs(&mut self, what: &str, recorded: &[(String, String)], actual: &[(String, String)]) {
        let texts = |pairs: &[(String, String)]| {
            let texts = pairs.iter();
            let texts = texts.map(|(name, text)| (name.clone(), Value::from(text.as_str())));
            texts.collect::<Vec<_>>()
        };
        let (recorded, actual) = (texts(recorded), texts(actual));
        if recorded.len() == actual.len() {
            self.named(recorded.iter().map(pair), actual.iter().map(pair));
        } else {
            let counts = [recorded.len(), actual.len()].map(|count| format!("{count} members"));
            self.differ(what, &counts[0], &counts[1]);
        }
    }

    fn named<'a>(
        &mut self,
        recorded: impl Iterator<Item = (&'a str, &'a Value)>,
        actual: impl Iterator<Item = (&'a str, &'a Value)>,
    ) {
        let (recorded, actual): (Vec<_>, Vec<_>) = (recorded.collect(), actual.collect());
        for (name, recorded) in &recorded {
            match actual.iter().find(|(other, _)| is_of_mask(name, other)) {
                Some((_, actual)) => self.values(&format!("`{name}`"), recorded, actual),
                None => self.differ(&format!("`{name}`"), &short(recorded), "nothing"),
            }
        }
        for (name, actual) in &actual {
            if !recorded.iter().any(|(other, _)| is_of_mask(other, name)) {
                self.differ(&format!("`{name}`"), "nothing", &short(actual));
            }
        }
    }

    fn values(&mut self, place: &str, recorded: &Value, actual: &Value) {
        match (recorded, actual) {
            (Value::String(recorded), Value::String(actual)) if is_of_mask(recorded, actual) => {}
            (Value::Array(recorded), Value::Array(actual)) if recorded.len() == actual.len() => {
                for (index, (recorded, actual)) in recorded.iter().zip(actual).enumerate() {
                    self.values(&format!("{place}/{index}"), recorded, actual);
                }
            }
            (Value::Object(recorded), Value::Object(actual)) => {
                let (recorded_all, actual_all) = (recorded, actual);
                if let (Some(recorded), Some(actual)) =
                    (recorded.get("picture"), actual.get("picture"))
                    && recorded.get("sha256").is_some()
                {
                    self.other_picture |= recorded.get("sha256") != actual.get("sha256");
                    for around in ["before", "after"] {
                        let [recorded, actual] = [recorded_all, actual_all]
                            .map(|members| without_format(members.get(around)));
                        if !is_of_mask(&recorded, &actual) {
                            self.differ(
                                &format!("{place}: what is {around} the picture"),
                                &recorded,
                                &actual,
                            );
                        }
                    }
                    return;
                }
                for (name, recorded) in recorded {
                    let place = format!("{place}/{name}");
                    let found = actual.iter().find(|(other, _)| is_of_mask(name, other));
                    match found {
                        Some((_, actual)) => self.values(&place, recorded, actual),
                        None => self.differ(&place, &short(recorded), "nothing"),
                    }
                }
                for (name, actual) in actual {
                    if !recorded.keys().any(|other| is_of_mask(other, name)) {
                        self.differ(&format!("{place}/{name}"), "nothing", &short(actual));
                    }
                }
            }
            _ if recorded == actual => {}
            _ => self.differ(place, &short(recorded), &short(actual)),
        }
    }

    /// The first difference is the one that is told.
    fn differ(&mut self, place: &str, recorded: &str, actual: &str) {
        self.different
            .get_or_insert_with(|| format!("{place} is {actual}, and was {recorded}"));
    }
}

fn pair((name, value): &(String, Value)) -> (&str, &Value) {
    (name, value)
}

fn part(part: &Part) -> (&str, &Value) {
    (&part.name, &part.value)
}

/// What stands before a picture does not say which format it has: another picture may have another.
fn without_format(text: Option<&Value>) -> String {
    let text = text.and_then(Value::as_str).unwrap_or_default();
    let formats = ["png", "jpeg", "webp", "gif"].map(|format| format!("image/{format}"));
    let mut text = text.to_owned();
    for format in &formats {
        text = text.replace(format.as_str(), "image/*");
    }
    text
}

/// A value for people.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Body {
    fn kind(&self) -> &'static str {
        match self {
            Self::Json(_) => "JSON",
            Self::Form(_) => "a web form",
            Self::Multipart(_) => "parts",
            Self::Text(_) => "text",
            Self::Binary(_) => "binary",
        }
    }
}
