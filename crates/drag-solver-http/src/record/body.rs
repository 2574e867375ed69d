//! Bodies as they are recorded: taken apart, without secrets, and with digests in place of pictures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver_core::Screenshot;
use ring::digest::{SHA256, digest};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::format::{Body, Part, Picture, ResponseBody};
use super::mask::Masker;
use crate::body::{FORM, JSON, find};

/// The longest text of a request that is recorded as it is, in bytes. Of a longer one that is no picture the
/// digest is.
const MAX_TEXT: usize = 16 * 1024;

/// The fewest characters of base64 that are looked at as a picture.
const SHORTEST_PICTURE: usize = 24;

/// How bodies are recorded.
pub(super) struct Capture<'a> {
    pub(super) masker: &'a Masker,
    /// Whether pictures are kept.
    pub(super) pictures: bool,
}

impl Capture<'_> {
    /// The body of a request; `None` if there is none.
    pub(super) fn request(&self, content_type: Option<&str>, body: &[u8]) -> Option<Body> {
        let content_type = content_type?;
        if content_type == JSON
            && let Ok(value) = serde_json::from_slice(body)
        {
            return Some(Body::Json(self.value(value)));
        }
        if content_type == FORM {
            let text = String::from_utf8_lossy(body);
            let pairs = text.split('&').filter(|pair| !pair.is_empty());
            let pair = |pair: &str| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let value = self.text(&form_decoded(value));
                (self.masker.text(&form_decoded(name)).into_owned(), value)
            };
            return Some(Body::Form(pairs.map(pair).collect()));
        }
        if let Some(boundary) = content_type.strip_prefix("multipart/form-data; boundary=")
            && let Some(parts) = self.parts(boundary.trim_matches('"'), body)
        {
            return Some(Body::Multipart(parts));
        }
        Some(match std::str::from_utf8(body) {
            Ok(text) => Body::Text(self.text(text)),
            Err(_) => Body::Binary(self.bytes(body)),
        })
    }

    /// The body of a response: exact, but for secrets and pictures.
    pub(super) fn response(&self, body: &Bytes) -> ResponseBody {
        if let Some(text) = in_utf16(body).find(|text| self.masker.is_shown(text)) {
            return ResponseBody::Text(self.masker.text(&text).into_owned());
        }
        let in_between_nuls =
            |text: &str| text.contains('\0') && self.masker.is_shown(&text.replace('\0', ""));
        let text = match std::str::from_utf8(body) {
            Ok(text) if !in_between_nuls(text) => text,
            _ => return self.binary_response(body),
        };
        let text = if self.pictures {
            text.into()
        } else {
            without_pictures(text)
        };
        let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        // A number alone is a text, which may be a secret as a whole.
        if text.starts_with(['{', '[', '"']) && is_json(&text) && !text.contains(['\n', '\r']) {
            let masked = self.masker.json(&text);
            // White space around it is not kept in such a value.
            if masked.trim() == masked
                && is_json(&masked)
                && let Ok(raw) = RawValue::from_string(masked.clone().into_owned())
            {
                return ResponseBody::Json(raw);
            }
            return ResponseBody::Text(masked.into_owned());
        }
        ResponseBody::Text(self.masker.text(&text).into_owned())
    }

    /// One that is not UTF-8: to the byte if there is no secret in it, in UTF-8, ISO 8859-1 or UTF-16.
    fn binary_response(&self, body: &[u8]) -> ResponseBody {
        let letters = body.iter().filter(|byte| **byte != 0);
        let letters: String = letters.map(|&byte| char::from(byte)).collect();
        let masked = self.masker.text(&letters);
        let bytes = if masked == letters {
            body.to_vec()
        } else {
            masked
                .chars()
                .filter_map(|c| u8::try_from(c).ok())
                .collect()
        };
        let lossy = String::from_utf8_lossy(&bytes);
        let picture_free = without_pictures(&lossy);
        let masked = self.masker.text(&picture_free);
        let is_picture = !self.pictures && picture(body).is_some();
        if !is_picture && bytes == body && masked == lossy {
            return ResponseBody::Base64(STANDARD.encode(body));
        }
        ResponseBody::Text(masked.into_owned())
    }

    /// A JSON value, with its texts as [`text`](Self::text) has them.
    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (self.masker.text(&name).into_owned(), self.value(value)))
                .collect(),
            other => self.masker.value(other),
        }
    }

    fn text(&self, text: &str) -> Value {
        if let Some((start, end, bytes)) = first_picture(text) {
            let mut found = Map::new();
            for (name, around) in [("before", &text[..start]), ("after", &text[end..])] {
                if !around.is_empty() {
                    found.insert(name.into(), self.short(around));
                }
            }
            found.insert("picture".into(), self.picture(&bytes));
            return found.into();
        }
        self.short(text)
    }

    fn short(&self, text: &str) -> Value {
        if text.len() > MAX_TEXT {
            return long(text.as_bytes());
        }
        self.masker.text(text).into_owned().into()
    }

    fn bytes(&self, bytes: &[u8]) -> Value {
        if picture(bytes).is_some() {
            return json!({"picture": self.picture(bytes)});
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text(text),
            Err(_) => long(bytes),
        }
    }

    fn picture(&self, bytes: &[u8]) -> Value {
        serde_json::to_value(describe(bytes, self.pictures)).unwrap_or_default()
    }

    /// What stands between the boundaries; `None` if it is not understood.
    fn parts(&self, boundary: &str, body: &[u8]) -> Option<Vec<Part>> {
        let delimiter = format!("\r\n--{boundary}");
        let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..])?;
        let mut parts = Vec::new();
        while let Some(part) = rest.strip_prefix(b"\r\n") {
            let end = find(part, delimiter.as_bytes())?;
            let (part, behind) = (&part[..end], &part[end + delimiter.len()..]);
            let head = find(part, b"\r\n\r\n")?;
            let (head, value) = (String::from_utf8_lossy(&part[..head]), &part[head + 4..]);
            let parameter = |name: &str| {
                let (_, behind) = head.split_once(&format!("; {name}=\""))?;
                let (value, _) = behind.split_once('"')?;
                Some(self.masker.text(value).into_owned())
            };
            parts.push(Part {
                name: parameter("name")?,
                file: parameter("filename"),
                value: self.bytes(value),
            });
            rest = behind;
        }
        rest.starts_with(b"--").then_some(parts)
    }
}

/// What it is if it is UTF-16, of either kind.
fn in_utf16(body: &[u8]) -> impl Iterator<Item = String> {
    let read = |unit: fn([u8; 2]) -> u16| {
        let units = body.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let letters = char::decode_utf16(units);
        letters
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    [u16::from_le_bytes, u16::from_be_bytes]
        .into_iter()
        .map(read)
}

/// What is recorded of a picture.
pub(super) fn describe(bytes: &[u8], keep: bool) -> Picture {
    let known = picture(bytes);
    Picture {
        sha256: sha256(bytes),
        bytes: bytes.len() as u64,
        format: known.as_ref().map(|it| it.format().mime().to_owned()),
        width: known.as_ref().map(Screenshot::width),
        height: known.as_ref().map(Screenshot::height),
        base64: keep.then(|| STANDARD.encode(bytes)),
    }
}

fn long(bytes: &[u8]) -> Value {
    json!({"long": {"sha256": sha256(bytes), "bytes": bytes.len()}})
}

fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}

fn picture(bytes: &[u8]) -> Option<Screenshot> {
    Screenshot::from_bytes(Bytes::copy_from_slice(bytes)).ok()
}

/// The first picture in a text, in base64: where it is, and what.
fn first_picture(text: &str) -> Option<(usize, usize, Vec<u8>)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = base64_length(&bytes[at..]);
        if length >= SHORTEST_PICTURE {
            // As JSON within a text has it.
            let encoded = text[at..at + length].replace('\\', "");
            if let Ok(decoded) = STANDARD.decode(encoded)
                && picture(&decoded).is_some()
            {
                return Some((at, at + length, decoded));
            }
        }
        at += length.max(1);
    }
    None
}

/// How much of the beginning is base64, in which each slash may have a backslash in front.
fn base64_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    loop {
        match bytes[length..] {
            [b'\\', b'/', ..] => length += 2,
            [byte, ..] if byte.is_ascii_alphanumeric() || b"+/".contains(&byte) => length += 1,
            [b'=', b'=', ..] => return length + 2,
            [b'=', ..] => return length + 1,
            _ => return length,
        }
    }
}

/// An answer without the pictures that it repeats.
fn without_pictures(text: &str) -> std::borrow::Cow<'_, str> {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((start, end, bytes)) = first_picture(rest) {
        clean.push_str(&rest[..start]);
        clean.push_str("[picture of ");
        clean.push_str(&bytes.len().to_string());
        clean.push_str(" bytes]");
        rest = &rest[end..];
    }
    if rest.len() == text.len() {
        return text.into();
    }
    clean.push_str(rest);
    clean.into()
}

/// A value of a web form as it was before it was encoded.
fn form_decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced);
    decoded.decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use drag_solver_mock::fixtures;
    use secrecy::SecretString;

    use super::*;
    use crate::{ApiRequest, Picture as Mark};

    const TOKEN: &str = "hunter2-hunter2-hunter2";

    fn captured(request: &ApiRequest, pictures: bool) -> Value {
        let masker = Masker::new([&SecretString::from(TOKEN)]);
        let capture = Capture {
            masker: &masker,
            pictures,
        };
        let body = capture.request(request.content_type(), request.body());
        serde_json::to_value(body).unwrap()
    }

    #[test]
    fn a_body_is_taken_apart_and_a_picture_is_a_digest_in_each_shape() {
        let shot = fixtures::screenshot();
        let picture = serde_json::to_value(describe(shot.bytes(), false)).unwrap();
        assert_eq!(picture["width"], 591);
        assert_eq!(picture["height"], 1149);
        assert_eq!(picture["format"], "image/gif");
        let uri = Mark::data_uri(shot.format());
        let envelope = json!({"key": TOKEN, "task": {"body": Mark, "n": 7}});
        let form = json!({"key": TOKEN, "body": uri, "n": 7});
        let file = json!({"key": TOKEN, "file": Mark});
        let before = "data:image/gif;base64,";
        for (request, expected) in [
            (
                ApiRequest::json_with_picture("in", &envelope, &shot).unwrap(),
                json!({"json": {"key": "[redacted]", "task": {"body": {"picture": picture}, "n": 7}}}),
            ),
            (
                ApiRequest::form_with_picture("in", &form, &shot).unwrap(),
                json!({"form": [
                    ["body", {"before": before, "picture": picture}], ["key", "[redacted]"], ["n", "7"]
                ]}),
            ),
            (
                ApiRequest::multipart("in", &file, &shot).unwrap(),
                json!({"multipart": [
                    {"name": "file", "file": "screenshot.gif", "value": {"picture": picture}},
                    {"name": "key", "value": "[redacted]"}
                ]}),
            ),
            (ApiRequest::get("in"), Value::Null),
        ] {
            assert_eq!(captured(&request, false), expected);
        }
        let request = ApiRequest::json_with_picture("in", &envelope, &shot).unwrap();
        let kept = captured(&request, true);
        let kept = &kept["json"]["task"]["body"]["picture"]["base64"];
        assert_eq!(kept, &STANDARD.encode(shot.bytes()));
    }

    #[test]
    fn what_is_long_and_no_picture_is_a_digest() {
        let text = "x".repeat(MAX_TEXT + 1);
        let body = captured(&ApiRequest::json("in", &json!({"a": text})), false);
        assert_eq!(body["json"]["a"]["long"]["bytes"], MAX_TEXT + 1);
    }

    fn response(body: &[u8]) -> Value {
        let masker = Masker::new([&SecretString::from(TOKEN)]);
        let capture = Capture {
            masker: &masker,
            pictures: false,
        };
        let body = capture.response(&Bytes::copy_from_slice(body));
        serde_json::to_value(body).unwrap()
    }

    #[test]
    fn an_answer_is_kept_to_the_byte_but_for_secrets_and_pictures() {
        for (body, expected) in [
            ("OK|123".as_bytes(), json!({"text": "OK|123"})),
            (b"{\"b\":1,\"a\":2.0}", json!({"json": {"b": 1, "a": 2.0}})),
            (b"{\"a\":1}\n", json!({"text": "{\"a\":1}\n"})),
            (b"\xff", json!({"base64": "/w=="})),
            (b"", json!({"text": ""})),
            (b"OK|123\0", json!({"text": "OK|123\0"})),
            (
                b"bad hunter2-hunter2-hunter2 \xff",
                json!({"text": "bad [redacted] \u{fffd}"}),
            ),
            (
                b"{\"m\":\"bad hunter2\\u002dhunter2-hunter2\"}",
                json!({"json": {"m": "bad [redacted]"}}),
            ),
        ] {
            assert_eq!(
                response(body),
                expected,
                "{}",
                String::from_utf8_lossy(body)
            );
        }
        // In UTF-16, with and without its mark.
        let spaced: Vec<u8> = TOKEN.bytes().flat_map(|byte| [byte, 0]).collect();
        assert_eq!(response(&spaced), json!({"text": "[redacted]"}));
        let marked = [b"\xff\xfe", &*spaced].concat();
        assert_eq!(response(&marked), json!({"text": "\u{feff}[redacted]"}));
        let shot = fixtures::screenshot();
        let encoded = STANDARD.encode(shot.bytes()).replace('/', "\\/");
        let echoed = response(format!("{{\"was\":\"{encoded}\"}}").as_bytes());
        let length = shot.bytes().len();
        assert_eq!(
            echoed,
            json!({"json": {"was": format!("[picture of {length} bytes]")}})
        );
    }

    #[test]
    fn a_secret_of_a_few_digits_goes_as_a_whole_answer() {
        let secret = SecretString::from("4711");
        let masker = Masker::new([&secret]);
        let capture = Capture {
            masker: &masker,
            pictures: false,
        };
        for (body, expected) in [
            ("4711", json!({"text": "[masked]"})),
            ("4711\n", json!({"text": "[masked]\n"})),
            ("\"4711\"", json!({"json": "[masked]"})),
            ("14711", json!({"text": "14711"})),
            ("{\"x\":4711}", json!({"json": {"x": 4711}})),
        ] {
            let recorded = capture.response(&body.into());
            assert_eq!(serde_json::to_value(recorded).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn a_secret_in_any_letters_goes_from_utf16() {
        let secret = SecretString::from("пароль-ключ");
        let masker = Masker::new([&secret]);
        let capture = Capture {
            masker: &masker,
            pictures: false,
        };
        let units: Vec<u16> = "{\"m\":\"no пароль-ключ\"}".encode_utf16().collect();
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let body: Vec<u8> = units.iter().flat_map(|unit| bytes(*unit)).collect();
            let ResponseBody::Text(text) = capture.response(&body.into()) else {
                panic!("it is no text");
            };
            assert_eq!(text, "{\"m\":\"no [redacted]\"}");
        }
    }

    #[test]
    fn a_secret_that_is_not_ascii_goes_from_what_is_not_utf8() {
        let secret = SecretString::from("p\u{e4}ssw\u{f6}rd");
        let masker = Masker::new([&secret]);
        let capture = Capture {
            masker: &masker,
            pictures: false,
        };
        for body in [
            &b"bad p\xe4ssw\xf6rd!"[..],
            b"bad p\xc3\xa4ssw\xc3\xb6rd!\xff",
            b"bad p\xc3\xa4ssw\xc3\xb6rd, p\xe4ssw\xf6rd!",
            b"\xff\xfep\0\xe4\0s\0s\0w\0\xf6\0r\0d\0",
        ] {
            let body = capture.response(&Bytes::copy_from_slice(body));
            let ResponseBody::Text(text) = body else {
                panic!("{body:?}");
            };
            assert!(text.contains("[masked]") && !text.contains("rd"), "{text}");
        }
    }
}
