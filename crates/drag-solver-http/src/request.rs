//! One request.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver_core::{ErrorKind, SolveError};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A `POST` of a JSON body to a path below the provider's base URL.
///
/// The body holds the token and the picture, so `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    path: Cow<'static, str>,
    body: Bytes,
    is_purchase: bool,
}

impl ApiRequest {
    /// Posts `body` to `path`, as in `"createJob"`.
    pub fn json(path: impl Into<Cow<'static, str>>, body: &Value) -> Self {
        Self {
            path: path.into(),
            body: body.to_string().into(),
            is_purchase: false,
        }
    }

    /// Posts `envelope` to `path`, with the [`Picture`] in it replaced by `picture` in standard base64,
    /// which is encoded straight into the body: that is allocated once and at its exact size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if there is no [`Picture`] in it, and
    /// [`ErrorKind::InvalidChallenge`] if some other text of it imitates one.
    pub fn with_picture(
        path: impl Into<Cow<'static, str>>,
        envelope: &Value,
        picture: &[u8],
    ) -> Result<Self, SolveError> {
        let envelope = envelope.to_string().into_bytes();
        let Some(at) = find(&envelope, NEEDLE) else {
            return Err(SolveError::new(
                ErrorKind::Unsupported,
                "the provider's request has no place for a picture: a mistake in its `create`",
            ));
        };
        let (head, tail) = (&envelope[..at], &envelope[at + NEEDLE.len()..]);
        if find(tail, NEEDLE).is_some() {
            return Err(SolveError::new(
                ErrorKind::InvalidChallenge,
                "a text of the challenge is the mark that is reserved for the picture",
            ));
        }
        // Four characters for every three bytes begun, and two quotes.
        let encoded = picture.len().div_ceil(3) * 4;
        let mut body = vec![b'"'; head.len() + encoded + 2 + tail.len()];
        body[..head.len()].copy_from_slice(head);
        let start = head.len() + 1;
        STANDARD
            .encode_slice(picture, &mut body[start..start + encoded])
            .map_err(|error| {
                SolveError::new(ErrorKind::InvalidChallenge, "the picture is too large")
                    .with_source(error)
            })?;
        body[start + encoded + 1..].copy_from_slice(tail);
        Ok(Self {
            path: path.into(),
            body: body.into(),
            is_purchase: false,
        })
    }

    /// The request, known to be one that may cost money.
    pub(crate) fn purchase(mut self) -> Self {
        self.is_purchase = true;
        self
    }

    /// Whether it may cost money: it must not be sent over a connection that may be closing, since
    /// nobody would know whether it arrived.
    #[must_use]
    pub fn is_purchase(&self) -> bool {
        self.is_purchase
    }

    /// Where it goes, below the base URL. It labels errors, too.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The JSON text. It holds the token.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiRequest({}, {} bytes)", self.path, self.body.len())
    }
}

/// Stands for the picture in the envelope of [`ApiRequest::with_picture`]:
/// `json!({"image": Picture})`.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)] // a mark
pub struct Picture;

/// What a [`Picture`] serialises to.
const MARK: &str = "\0picture\0";

/// `MARK` as JSON. Both quotes belong to it: inside another string a quote is written `\"`, so this
/// can only be a string of its own.
const NEEDLE: &[u8] = br#""\u0000picture\u0000""#;

impl Serialize for Picture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MARK)
    }
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with_picture(envelope: &Value, picture: &[u8]) -> Result<Bytes, SolveError> {
        ApiRequest::with_picture("create", envelope, picture).map(|request| request.body)
    }

    #[test]
    fn the_picture_is_the_only_thing_that_changes() {
        for length in 0..100 {
            let picture: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(37)).collect();
            let envelope = json!({"a": "x\"y", "data": {"image": Picture, "n": "24"}, "z": [1]});
            let body = with_picture(&envelope, &picture).unwrap();
            let usual = json!({
                "a": "x\"y",
                "data": {"image": STANDARD.encode(&picture), "n": "24"},
                "z": [1],
            });
            assert_eq!(body, usual.to_string());
        }
    }

    #[test]
    fn a_text_that_imitates_the_mark_is_a_text_or_refused() {
        for imitation in [
            format!("\"{MARK}\""),
            format!("{MARK}x"),
            r"\u0000picture\u0000".to_owned(),
            format!("\\\"{MARK}\\\""),
        ] {
            let envelope = json!({"comment": imitation, "image": Picture});
            let body = with_picture(&envelope, b"abc").unwrap();
            let read: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(read["comment"], imitation);
            assert_eq!(read["image"], "YWJj");
        }
        let twice = json!({"comment": MARK, "image": Picture});
        let error = with_picture(&twice, b"abc").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
        let none = with_picture(&json!({}), b"abc").unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn debug_shows_no_request_body() {
        let request = ApiRequest::json("createJob", &json!({"api_token": "hunter2"}));
        assert_eq!(format!("{request:?}"), "ApiRequest(createJob, 23 bytes)");
    }
}
