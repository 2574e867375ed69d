//! What a request to `in.php` or `res.php` says, wherever it says it: in the query, in a form, in parts, or
//! in JSON.

use serde_json::{Map, Value};

use super::{Reading, scalar};
use crate::request::Pairs;
use crate::{Part, Request};

/// What is base64, in which a `+` that was sent as it is is no blank.
const BASE64: [&str; 4] = ["body", "file", "images", "imginstructions"];

/// Names and values, and files. What the body says goes before what the query says.
#[derive(Default)]
pub(super) struct Fields {
    values: Map<String, Value>,
    files: Vec<Part>,
}

impl Fields {
    pub(super) fn of(request: &Request, reading: Reading) -> Self {
        let mut fields = Self::default();
        let is = |start: &str| {
            let content_type = request.header("content-type").unwrap_or_default();
            let head = content_type.get(..start.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(start))
        };
        let starts_as_object = request.body().trim_ascii_start().starts_with(b"{");
        if is("multipart/form-data") {
            fields.add_parts(request.multipart());
        } else if is("application/json") || starts_as_object {
            fields.add_object(scalar::json(request.body()));
        } else {
            let text = String::from_utf8_lossy(request.body());
            let keeps_plus = |name: &str| reading == Reading::Lenient && BASE64.contains(&name);
            fields.add_pairs(Pairs::parse_with_plus(&text, keeps_plus));
        }
        fields.add_pairs(request.query());
        fields
    }

    fn add_pairs(&mut self, pairs: Pairs) {
        for (name, value) in pairs.into_inner() {
            self.values.entry(name).or_insert_with(|| value.into());
        }
    }

    fn add_object(&mut self, json: Value) {
        if let Value::Object(members) = json {
            self.values = members;
        }
    }

    /// A part is a file if it has a file's name, or is called one.
    fn add_parts(&mut self, parts: Vec<Part>) {
        for part in parts {
            if part.file_name.is_some() || part.name == "file" {
                self.files.push(part);
            } else {
                let text = part.text();
                self.values.entry(part.name).or_insert_with(|| text.into());
            }
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The text of a field, which may have been sent as a number.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name).and_then(scalar::text)
    }

    /// The text of a field that is long, as it is.
    pub(super) fn str(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// Whether a field is `1`, as a text, a number, or true.
    pub(super) fn is_on(&self, name: &str) -> bool {
        let text = self.text(name);
        text.is_some_and(|text| matches!(text.trim(), "1" | "true"))
    }

    /// The file of this name.
    pub(super) fn file(&self, name: &str) -> Option<&Part> {
        self.files.iter().find(|part| part.name == name)
    }

    /// The picture: the file that is called `file`, or any that is not the picture with instructions.
    pub(super) fn picture(&self) -> Option<&Part> {
        let mut others = self
            .files
            .iter()
            .filter(|part| part.name != "imginstructions");
        self.file("file").or_else(|| others.next())
    }

    /// Everything but the files, as JSON.
    pub(super) fn into_json(self) -> Value {
        Value::Object(self.values)
    }
}
