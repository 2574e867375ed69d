//! As much of `multipart/form-data` as clients send: parts behind a boundary, with a few headers each.

use std::fmt;

use bytes::Bytes;
use memchr::memmem;

use crate::request::MAX_ITEMS;

/// Longest boundary, in bytes: that of RFC 2046, section 5.1.1.
const MAX_BOUNDARY: usize = 70;

/// One part of a body that is `multipart/form-data`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The name of its field.
    pub name: String,
    /// The name of the file, if it is one.
    pub file_name: Option<String>,
    /// Its content type, if it has one of its own, as in `image/png`.
    pub content_type: Option<String>,
    /// What is in it, to the byte.
    pub bytes: Bytes,
}

impl Part {
    /// What is in it, as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// How much is in it, and not what: it may be the token.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.name)
            .field("file_name", &self.file_name)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// The parts of `body`, [`MAX_ITEMS`] at most; none if `content_type` is another. One that does not end
/// is left out.
pub(crate) fn parse(content_type: &str, body: &Bytes) -> Vec<Part> {
    let is_form = content_type
        .get(..19)
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data"));
    let boundary = parameter(content_type, "boundary").filter(|_| is_form);
    let Some(boundary) = boundary.filter(|boundary| boundary.len() <= MAX_BOUNDARY) else {
        return Vec::new();
    };
    let mark = format!("\r\n--{boundary}");
    // The first boundary may stand at the very beginning.
    let first = format!("--{boundary}");
    let mut at = match find(body, first.as_bytes(), 0) {
        Some(at) => at + first.len(),
        None => return Vec::new(),
    };
    let mut parts = Vec::new();
    while parts.len() < MAX_ITEMS && body[at..].starts_with(b"\r\n") {
        let Some(end) = find(body, mark.as_bytes(), at) else {
            break;
        };
        parts.extend(part(&body.slice(at..end)));
        at = end + mark.len();
    }
    parts
}

/// Reads what is between two boundaries: a line end, headers, an empty line, the content.
fn part(text: &Bytes) -> Option<Part> {
    let blank = b"\r\n\r\n";
    let end = find(text, blank, 0)?;
    let mut part = Part {
        bytes: text.slice(end + blank.len()..),
        ..Part::default()
    };
    for line in String::from_utf8_lossy(&text[..end]).lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-disposition") {
            part.name = parameter(value, "name")?;
            part.file_name = parameter(value, "filename");
        } else if name.eq_ignore_ascii_case("content-type") {
            part.content_type = Some(value.trim().to_owned());
        }
    }
    Some(part)
}

/// The parameter `name` of a header's value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    loop {
        rest = rest.split_once(';')?.1.trim_start();
        let (found, after) = rest.split_once('=')?;
        let (is_it, quoted) = (
            found.trim().eq_ignore_ascii_case(name),
            after.strip_prefix('"'),
        );
        let Some(quoted) = quoted else {
            if is_it {
                return after.split(';').next().map(|it| it.trim().to_owned());
            }
            continue;
        };
        // A quote in a name is sent as `\"` or `%22`.
        let mut text = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => text.extend(characters.next().map(|(_, c)| c)),
                '"' => {
                    rest = &quoted[at..];
                    break;
                }
                c => text.push(c),
            }
        }
        if is_it {
            return Some(text.replace("%22", "\""));
        }
    }
}

/// Where `needle` is in `hay`, from `start` on.
fn find(hay: &[u8], needle: &[u8], start: usize) -> Option<usize> {
    memmem::find(&hay[start..], needle).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content_type: &str, body: &[u8]) -> Vec<Part> {
        super::parse(content_type, &Bytes::copy_from_slice(body))
    }

    const TYPE: &str = "Multipart/Form-Data; charset=x; boundary=\"a b\"";

    #[test]
    fn parts_are_told_apart_and_kept_to_the_byte() {
        let body = b"--a b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nhunter2\r\n--a b\r\n\
            content-type: image/png\r\nContent-Disposition: form-data; filename=\"a;\\\"b.png\"; name=picture\r\n\r\n\
            \x89PNG\r\n\r\n--a\0\r\n--a b--\r\n";
        let parts = parse(TYPE, body);
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert_eq!((&*parts[0].name, &*parts[0].text()), ("key", "hunter2"));
        assert_eq!(parts[1].name, "picture");
        assert_eq!(parts[1].file_name.as_deref(), Some("a;\"b.png"));
        assert_eq!(parts[1].content_type.as_deref(), Some("image/png"));
        assert_eq!(&parts[1].bytes[..], b"\x89PNG\r\n\r\n--a\0");
        assert!(!format!("{parts:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_cut_off_or_malformed_is_left_out() {
        let whole = b"--a b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--a b--";
        assert_eq!(parse(TYPE, whole).len(), 1);
        for cut in 0..whole.len() - 2 {
            assert!(parse(TYPE, &whole[..cut]).len() <= 1);
        }
        for content_type in [
            "",
            "multipart/form-data",
            "multipart/form-data; boundary",
            "text/plain; boundary=x",
        ] {
            assert!(parse(content_type, whole).is_empty(), "{content_type}");
        }
        let empty = b"--x\r\n\r\n".repeat(10_000);
        assert!(parse("multipart/form-data; boundary=x", &empty).len() <= MAX_ITEMS);
        let long = "-".repeat(MAX_BOUNDARY + 1);
        let hostile = format!("multipart/form-data; boundary={long}");
        assert!(
            parse(&hostile, &vec![b'-'; 1 << 20]).is_empty(),
            "no client has such a boundary"
        );
        let nothing = b"----\r\n".repeat(10_000);
        assert!(parse("multipart/form-data; boundary=", &nothing).len() <= MAX_ITEMS);
    }
}
