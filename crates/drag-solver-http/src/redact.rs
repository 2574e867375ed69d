//! Answers that repeat the token.

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

use crate::ApiResponse;

/// What a token is replaced by.
const BLOT: &str = "[token]";

/// Blots `secret` out of an answer before anybody reads it, so that no message, id or status made of
/// it can hold the token: some services answer "Invalid key: ..." with the key in full.
///
/// Found as it is and as JSON writes it, with `/` escaped or not. A server that hides the token from
/// this, letter by letter, knows it and is not stopped from telling.
pub(crate) fn blot(answer: ApiResponse, secret: Option<&SecretString>) -> ApiResponse {
    let Some(secret) = secret.map(ExposeSecret::expose_secret) else {
        return answer;
    };
    if secret.is_empty() {
        return answer;
    }
    let as_json = serde_json::Value::from(secret).to_string();
    let as_json = as_json[1..as_json.len() - 1].to_owned();
    let slashes = as_json.replace('/', "\\/");
    let mut answer = answer;
    for spelling in [slashes.as_str(), as_json.as_str(), secret] {
        if let Some(clean) = replace(answer.body(), spelling.as_bytes()) {
            answer = answer.with_body(clean);
        }
        if let Some(location) = answer.location()
            && location.contains(spelling)
        {
            let clean = location.replace(spelling, BLOT);
            answer = answer.with_location(Some(clean));
        }
    }
    answer
}

fn replace(body: &[u8], secret: &[u8]) -> Option<Bytes> {
    let mut rest = body;
    let mut clean = Vec::new();
    while let Some(at) = rest.windows(secret.len()).position(|part| part == secret) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(BLOT.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    if clean.is_empty() {
        return None;
    }
    clean.extend_from_slice(rest);
    Some(clean.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blotted(secret: &str, body: &str) -> String {
        let secret = SecretString::from(secret);
        let answer = blot(ApiResponse::new(200, body.to_owned()), Some(&secret));
        String::from_utf8(answer.body().to_vec()).unwrap()
    }

    #[test]
    fn every_spelling_of_the_token_goes() {
        assert_eq!(blotted("k/1", "k/1 k\\/1k/1"), "[token] [token][token]");
        assert_eq!(
            blotted("a\"b", r#"{"m":"bad a\"b"}"#),
            r#"{"m":"bad [token]"}"#
        );
        assert_eq!(blotted("abc", "ab c"), "ab c");
        assert_eq!(blotted("", "ab c"), "ab c");
    }

    #[test]
    fn a_redirects_target_is_blotted_too() {
        let secret = SecretString::from("hunter2");
        let answer = ApiResponse::new(302, "").with_location(Some("/?key=hunter2".into()));
        let answer = blot(answer, Some(&secret));
        assert_eq!(answer.location(), Some("/?key=[token]"));
    }
}
