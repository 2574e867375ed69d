//! A picture inside a JSON body, without a copy in between.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver_core::{ErrorKind, SolveError};
use serde_json::Value;

/// Stands for the picture in an envelope given to
/// [`ApiRequest::with_picture`](crate::ApiRequest::with_picture).
pub const PICTURE: &str = "\0picture\0";

/// `PICTURE` as JSON. Both quotes belong to it: inside another string a quote is written `\"`, so
/// this can only be a string of its own.
const NEEDLE: &[u8] = br#""\u0000picture\u0000""#;

/// The JSON text of `envelope`, with [`PICTURE`] replaced by `picture` in standard base64.
pub(crate) fn with_picture(envelope: &Value, picture: &[u8]) -> Result<Bytes, SolveError> {
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
    Ok(body.into())
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_picture_is_the_only_thing_that_changes() {
        for length in 0..100 {
            let picture: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(37)).collect();
            let envelope = json!({"a": "x\"y", "data": {"image": PICTURE, "n": "24"}, "z": [1]});
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
            format!("\"{PICTURE}\""),
            format!("{PICTURE}x"),
            r"\u0000picture\u0000".to_owned(),
            format!("\\\"{PICTURE}\\\""),
        ] {
            let envelope = json!({"comment": imitation, "image": PICTURE});
            let body = with_picture(&envelope, b"abc").unwrap();
            let read: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(read["comment"], imitation);
            assert_eq!(read["image"], "YWJj");
        }
        let twice = json!({"comment": PICTURE, "image": PICTURE});
        let error = with_picture(&twice, b"abc").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
        let none = with_picture(&json!({}), b"abc").unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Unsupported);
    }
}
