//! Pictures in base64.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::Reading;
use crate::Refusal;

/// With or without padding, and with any bits left over.
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The base64 of a data URI; other texts are taken as they are.
pub(super) fn without_data_uri(text: &str) -> &str {
    match text.split_once(";base64,") {
        Some((head, encoded)) if head.trim_start().starts_with("data:") => encoded,
        _ => text,
    }
}

/// Decodes what was found at `place`. Documented is standard base64 with padding and without line breaks;
/// clients send it wrapped, with a prefix, in the alphabet of URLs, and without padding, too.
pub(super) fn decode(encoded: &str, place: &str, reading: Reading) -> Result<Bytes, Refusal> {
    let decoded = match reading {
        Reading::Documented if encoded.is_empty() => return Err(Refusal::PictureEmpty),
        Reading::Documented => STANDARD.decode(encoded),
        Reading::Lenient => {
            let plain = plain(without_data_uri(encoded));
            if plain.is_empty() {
                return Err(Refusal::PictureEmpty);
            }
            ANY_PADDING.decode(plain.as_ref())
        }
    };
    let not_base64 = |e| Refusal::BadParameters(format!("{place} is not standard base64: {e}"));
    decoded.map(Bytes::from).map_err(not_base64)
}

/// Without white space, in the standard alphabet. What is so already is not copied.
fn plain(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_ascii_whitespace() && c != '-' && c != '_';
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter(|c| !c.is_ascii_whitespace());
    let standard = kept.map(|c| match c {
        '-' => '+',
        '_' => '/',
        c => c,
    });
    Cow::Owned(standard.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_write_base64_in_many_ways() {
        let bytes = [0xfb, 0xff, 0xfe, 1];
        for text in [
            "+//+AQ==",
            "data:image/png;base64,+//+AQ==",
            " +//+\r\nAQ==\r\n",
            "-__-AQ==",
            "+//+AQ",
            "+//+AR==",
        ] {
            assert_eq!(
                &decode(text, "body", Reading::Lenient).unwrap()[..],
                bytes,
                "{text}"
            );
            let is_documented = text == "+//+AQ==";
            let strict = decode(text, "body", Reading::Documented);
            assert_eq!(strict.is_ok(), is_documented, "{text}");
        }
    }

    #[test]
    fn no_bytes_are_no_picture_and_other_text_is_no_base64() {
        for reading in [Reading::Lenient, Reading::Documented] {
            let decode = |text| decode(text, "body", reading).unwrap_err();
            assert_eq!(decode(""), Refusal::PictureEmpty);
            assert!(matches!(decode("not base64!"), Refusal::BadParameters(_)));
            assert!(matches!(decode("é"), Refusal::BadParameters(_)));
        }
        for text in [" \n", "data:image/png;base64,"] {
            let refusal = decode(text, "body", Reading::Lenient).unwrap_err();
            assert_eq!(refusal, Refusal::PictureEmpty);
        }
    }
}
