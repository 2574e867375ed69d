//! The body of a request: the picture is encoded straight into it.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_core::{ErrorKind, ImageFormat, Screenshot, SolveError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_core::{Serialize, Serializer};
use serde_json::Value;

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// What stands for itself in a web form.
const FORM_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*');

/// Stands for the picture in what a request is made of, as in
/// [`ApiRequest::json_with_picture`](crate::ApiRequest::json_with_picture): `json!({"image": Picture})`,
/// or as a part of a text, `format!("base64:{Picture}")`.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)] // a mark
pub struct Picture;

impl Picture {
    /// The picture as a data URI: `data:image/png;base64,..`.
    #[must_use]
    pub fn data_uri(format: ImageFormat) -> String {
        format!("data:{};base64,{Self}", format.mime())
    }
}

/// What a [`Picture`] is written as.
const MARK: &str = "\0picture\0";

/// `MARK` within a JSON text.
const NEEDLE: &[u8] = br"\u0000picture\u0000";

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARK)
    }
}

impl Serialize for Picture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MARK)
    }
}

/// `envelope` as JSON with the picture in it: one allocation, at its exact size.
pub(crate) fn json(envelope: &Value, picture: &[u8]) -> Result<Vec<u8>, SolveError> {
    let envelope = envelope.to_string().into_bytes();
    let at = find(&envelope, NEEDLE).ok_or_else(no_picture)?;
    let (head, tail) = (&envelope[..at], &envelope[at + NEEDLE.len()..]);
    if find(tail, NEEDLE).is_some() {
        return Err(imitated());
    }
    let end = at + encoded_length(picture);
    let mut body = vec![0; end + tail.len()];
    body[..at].copy_from_slice(head);
    STANDARD
        .encode_slice(picture, &mut body[at..end])
        .map_err(too_large)?;
    body[end..].copy_from_slice(tail);
    Ok(body)
}

/// The members of `form` as a web form.
pub(crate) fn form(form: &Value) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in members(form) {
        pair(&mut body, name, &value);
    }
    body.into_bytes()
}

/// The same with the picture in it.
pub(crate) fn form_with_picture(form: &Value, picture: &[u8]) -> Result<Vec<u8>, SolveError> {
    check_marks(form)?;
    // Three characters of base64 have a meaning of their own here.
    let mut body = String::with_capacity(encoded_length(picture) * 11 / 10);
    for (name, value) in members(form) {
        let (before, after) = value.split_once(MARK).unwrap_or((&value, ""));
        pair(&mut body, name, before);
        if before.len() < value.len() {
            push_encoded(&mut body, picture)?;
            body.extend(utf8_percent_encode(after, FORM_VALUE));
        }
    }
    Ok(body.into_bytes())
}

/// Adds a picture in base64 to a web form.
fn push_encoded(form: &mut String, picture: &[u8]) -> Result<(), SolveError> {
    let mut encoded = [0; 4096];
    for chunk in picture.chunks(3072) {
        let length = STANDARD
            .encode_slice(chunk, &mut encoded)
            .map_err(too_large)?;
        for &byte in &encoded[..length] {
            match byte {
                b'+' => form.push_str("%2B"),
                b'/' => form.push_str("%2F"),
                b'=' => form.push_str("%3D"),
                _ => form.push(char::from(byte)),
            }
        }
    }
    Ok(())
}

/// The members of `form` as parts, and the content type that says so. A picture that is a whole member
/// is a file, byte for byte.
pub(crate) fn multipart(
    form: &Value,
    picture: &Screenshot,
) -> Result<(String, Vec<u8>), SolveError> {
    check_marks(form)?;
    let bytes = picture.bytes();
    let boundary = boundary(form, bytes);
    let mut body = Vec::with_capacity(bytes.len() + 1024);
    for (name, value) in members(form) {
        // As browsers write it.
        let name = name.replace('"', "%22").replace(['\r', '\n'], " ");
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
        body.extend_from_slice(head.as_bytes());
        if value == MARK {
            let mime = picture.format().mime();
            let kind = mime.rsplit('/').next().unwrap_or_default();
            let file = format!("; filename=\"screenshot.{kind}\"\r\nContent-Type: {mime}\r\n\r\n");
            body.extend_from_slice(file.as_bytes());
            body.extend_from_slice(bytes);
        } else {
            body.extend_from_slice(b"\r\n\r\n");
            let value = if value.contains(MARK) {
                value.replacen(MARK, &STANDARD.encode(bytes), 1).into()
            } else {
                value
            };
            body.extend_from_slice(value.as_bytes());
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary={boundary}"), body))
}

/// No part holds it by chance, and none can hold the hash of all of them.
fn boundary(form: &Value, picture: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(form.to_string().as_bytes());
    hasher.write(picture);
    format!("drag-solver-{:016x}", hasher.finish())
}

/// Names and texts of the members of a form. What is no text, number or flag is written as JSON.
fn members(form: &Value) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let members = form.as_object().into_iter().flatten();
    members.map(|(name, value)| {
        let text = match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            Value::Null => Cow::Borrowed(""),
            other => other.to_string().into(),
        };
        (name.as_str(), text)
    })
}

fn pair(body: &mut String, name: &str, value: &str) {
    if !body.is_empty() {
        body.push('&');
    }
    body.extend(utf8_percent_encode(name, FORM_VALUE));
    body.push('=');
    body.extend(utf8_percent_encode(value, FORM_VALUE));
}

/// Refuses a form that has not exactly one picture.
fn check_marks(form: &Value) -> Result<(), SolveError> {
    match members(form)
        .filter(|(_, value)| value.contains(MARK))
        .count()
    {
        0 => Err(no_picture()),
        1 => Ok(()),
        _ => Err(imitated()),
    }
}

/// Four characters for every three bytes begun.
fn encoded_length(picture: &[u8]) -> usize {
    picture.len().div_ceil(3) * 4
}

fn too_large(error: base64::EncodeSliceError) -> SolveError {
    SolveError::new(ErrorKind::InvalidChallenge, "the picture is too large").with_source(error)
}

fn no_picture() -> SolveError {
    let problem = "the provider's request has no place for a picture: a mistake in its `create`";
    SolveError::new(ErrorKind::Unsupported, problem)
}

fn imitated() -> SolveError {
    let problem = "a text of the challenge is the mark that is reserved for the picture";
    SolveError::new(ErrorKind::InvalidChallenge, problem)
}

/// Where `needle` begins.
pub(crate) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use drag_solver_mock::fixtures::challenge;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_picture_is_the_only_thing_that_changes() {
        for length in 0..100 {
            let picture: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(37)).collect();
            let encoded = STANDARD.encode(&picture);
            for (mark, text) in [
                (json!(Picture), encoded.clone()),
                (
                    json!(format!("a\"b\\{Picture}|")),
                    format!("a\"b\\{encoded}|"),
                ),
                (
                    json!(Picture::data_uri(ImageFormat::Png)),
                    format!("data:image/png;base64,{encoded}"),
                ),
            ] {
                let envelope = |image: Value| json!({"a": "x\"y", "data": {"images": [image], "n": "24"}, "z": [1]});
                let body = json(&envelope(mark), &picture).unwrap();
                assert_eq!(body, envelope(json!(text)).to_string().into_bytes());
            }
        }
    }

    #[test]
    fn a_text_that_imitates_the_mark_is_a_text_or_refused() {
        for imitation in [r"\u0000picture\u0000", "\0picture", "picture\0"] {
            let envelope = json!({"comment": imitation, "image": Picture});
            let body = json(&envelope, b"abc").unwrap();
            let read: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(read["comment"], imitation);
            assert_eq!(read["image"], "YWJj");
        }
        for imitation in [MARK.to_owned(), format!("a\"{MARK}x"), format!("\\{MARK}")] {
            let twice = json!({"comment": imitation, "image": Picture});
            let shot = challenge().screenshot().clone();
            let errors = [
                json(&twice, b"abc").unwrap_err(),
                form_with_picture(&twice, b"abc").unwrap_err(),
                multipart(&twice, &shot).unwrap_err(),
            ];
            assert!(
                errors
                    .iter()
                    .all(|e| e.kind() == ErrorKind::InvalidChallenge)
            );
        }
        let none = json(&json!({}), b"abc").unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Unsupported);
        let none = form_with_picture(&json!({"a": 1}), b"abc").unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_form_is_read_back_as_it_was() {
        let picture: Vec<u8> = (0..10_000_u32)
            .map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0])
            .collect();
        let fields =
            json!({"key": "a b&c=d+é", "json": 1, "flag": true, "none": null, "body": Picture});
        let body = form_with_picture(&fields, &picture).unwrap();
        let read: Vec<(String, String)> = url_decoded(&body);
        let encoded = STANDARD.encode(&picture);
        for (name, value) in [
            ("key", "a b&c=d+é"),
            ("json", "1"),
            ("flag", "true"),
            ("none", ""),
            ("body", &encoded),
        ] {
            assert!(
                read.contains(&(name.to_owned(), value.to_owned())),
                "{name}"
            );
        }
        assert_eq!(form(&json!({"b": "é", "a": 1})), b"a=1&b=%C3%A9");
    }

    fn url_decoded(body: &[u8]) -> Vec<(String, String)> {
        let text = std::str::from_utf8(body).unwrap();
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }

    #[test]
    fn a_picture_is_a_part_byte_for_byte() {
        let shot = challenge().screenshot().clone();
        let fields = json!({"type": 2, "a\"b": "x\r\ny", "captchafile": Picture});
        let (content_type, body) = multipart(&fields, &shot).unwrap();
        let boundary = content_type
            .strip_prefix("multipart/form-data; boundary=")
            .unwrap();
        let part = |head: &str| format!("--{boundary}\r\nContent-Disposition: form-data; {head}");
        let file = "name=\"captchafile\"; filename=\"screenshot.gif\"\r\n\
                    Content-Type: image/gif\r\n\r\n";
        let expected = [
            part("name=\"a%22b\"\r\n\r\nx\r\ny\r\n").as_bytes(),
            part(file).as_bytes(),
            shot.bytes(),
            b"\r\n",
            part("name=\"type\"\r\n\r\n2\r\n").as_bytes(),
            format!("--{boundary}--\r\n").as_bytes(),
        ]
        .concat();
        assert_eq!(body, expected);
    }
}
