//! Text that another program wrote, in the encoding that it chose.

use std::borrow::Cow;

/// `bytes` without a byte order mark, and as UTF-8 if it is that of UTF-16, which `>` of Windows
/// `PowerShell` writes. All else is left as it is: paths may be in no encoding at all.
pub(crate) fn without_mark(bytes: &[u8]) -> Cow<'_, [u8]> {
    let unit = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    };
    let units = bytes[2..].chunks_exact(2);
    let units: Vec<u16> = units.map(|pair| unit([pair[0], pair[1]])).collect();
    Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_windows_makes_of_a_file_is_the_same_text() {
        let text = "ảnh.png\r\n";
        let utf16: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
        let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let utf8 = format!("\u{feff}{text}").into_bytes();
        for bytes in [little, big, utf8, text.into()] {
            assert_eq!(*without_mark(&bytes), *text.as_bytes());
        }
        assert_eq!(*without_mark(b"caf\xe9"), *b"caf\xe9");
    }
}
