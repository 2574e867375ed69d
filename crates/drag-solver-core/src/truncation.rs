//! Whether a picture's file ends too early, as that of a screenshot which is still being written.

use crate::ImageFormat;

/// Whether the end of the file is missing, as far as its structure tells: the pixels are not decoded.
/// A GIF's end is not looked for, as its viewers do without it.
pub(crate) fn is_cut_off(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Png => !png_ends(bytes),
        ImageFormat::Jpeg => !jpeg_ends(bytes),
        ImageFormat::WebP => !webp_ends(bytes),
        ImageFormat::Gif => false,
    }
}

/// A signature, then chunks (length, name, data, checksum), of which `IEND` is the last.
fn png_ends(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk() {
        if after.starts_with(b"IEND") {
            return true;
        }
        let length = u32::from_be_bytes(*length) as usize;
        rest = after.get(length.saturating_add(8)..).unwrap_or_default();
    }
    false
}

/// Segments (0xFF, marker, length, data) up to the first scan; after that, the end marker
/// `0xFF 0xD9`, which cannot be among a scan's data. One in the data of a later segment would be
/// taken for it: then a picture that is cut off passes.
fn jpeg_ends(bytes: &[u8]) -> bool {
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        match *rest {
            [0xff, END, ..] => return true,
            [0xff, SCAN, ref scan @ ..] => return scan.windows(2).any(|two| two == [0xff, END]),
            [0xff, 0xff, ..] => rest = &rest[1..], // padding
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(length.saturating_add(2)..).unwrap_or_default();
            }
            [] | [0xff] | [0xff, _] | [0xff, _, _] => return false,
            // No segment: damaged, which is another matter than cut off.
            _ => return true,
        }
    }
}

/// `RIFF`, then the length of all that follows.
fn webp_ends(bytes: &[u8]) -> bool {
    let length = bytes.get(4..).and_then(<[u8]>::first_chunk);
    length.is_some_and(|&length| {
        let length = u32::from_le_bytes(length) as usize;
        bytes.len() >= length.saturating_add(8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png() -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in [(b"IHDR", &[0; 13][..]), (b"IDAT", b"IEND"), (b"IEND", b"")] {
            file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
            file.extend(name);
            file.extend(data);
            file.extend(b"\0\0\0\0");
        }
        file
    }

    fn jpeg() -> Vec<u8> {
        // A thumbnail with an end of its own, padding, a frame, a scan with a stuffed 0xff.
        let mut file = b"\xff\xd8\xff\xe1\0\x06\xff\xd8\xff\xd9\xff".to_vec();
        file.extend(b"\xff\xc0\0\x0b\x08\0\x05\0\x05\x01\x01\x11\0");
        file.extend(b"\xff\xda\0\x02\x12\xff\0\x34\xff\xd9");
        file
    }

    fn webp() -> Vec<u8> {
        b"RIFF\x08\0\0\0WEBPVP8 ".to_vec()
    }

    #[test]
    fn no_truncation_passes_for_the_whole() {
        for (format, file) in [
            (ImageFormat::Png, png()),
            (ImageFormat::Jpeg, jpeg()),
            (ImageFormat::WebP, webp()),
        ] {
            assert!(!is_cut_off(&file, format), "{format}");
            // The checksum behind a PNG's last chunk is of no use to anybody.
            let end = file.len() - if format == ImageFormat::Png { 4 } else { 0 };
            for length in 0..end {
                assert!(is_cut_off(&file[..length], format), "{format}, {length}");
            }
        }
    }

    #[test]
    fn what_follows_the_end_and_what_is_damaged_are_other_matters() {
        for (format, mut file) in [
            (ImageFormat::Png, png()),
            (ImageFormat::Jpeg, jpeg()),
            (ImageFormat::WebP, webp()),
        ] {
            file.extend([0; 100]);
            assert!(!is_cut_off(&file, format), "{format}");
        }
        assert!(!is_cut_off(b"\xff\xd8 no segment", ImageFormat::Jpeg));
        let mut huge = png();
        huge[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(is_cut_off(&huge, ImageFormat::Png));
    }
}
