//! Whether a picture's file ends too early, as that of a screenshot which is still being written. Of the crates that read
//! pictures, those without decoders do not look for the end.

use crate::{ImageFormat, jpeg};

/// Whether the end of the file is missing, as far as its structure tells: the pixels are not decoded.
pub(crate) fn is_cut_off(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Png => !png_ends(bytes),
        ImageFormat::Jpeg => jpeg::is_cut_off(bytes),
        ImageFormat::WebP => !webp_ends(bytes),
        ImageFormat::Gif => !gif_ends(bytes),
    }
}

/// The last chunk is `IEND`. Its checksum is of no use here.
fn png_ends(bytes: &[u8]) -> bool {
    png_chunks(bytes).any(|(name, _)| name == b"IEND")
}

/// After a signature, chunks: length, name, data, checksum.
pub(crate) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let (name, after) = after.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let data = after.get(..length)?;
        rest = after.get(length.saturating_add(4)..).unwrap_or_default();
        Some((name, data))
    })
}

/// After header and colours, blocks: extensions, pictures, and the end. The first picture must be
/// whole: viewers do without the rest, and without the end.
fn gif_ends(bytes: &[u8]) -> bool {
    const END: u8 = 0x3b;
    const EXTENSION: u8 = 0x21;
    const PICTURE: u8 = 0x2c;
    let colours = |flags: u8| match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    };
    let Some(&flags) = bytes.get(10) else {
        return false;
    };
    let mut rest = bytes.get(13 + colours(flags)..).unwrap_or_default();
    loop {
        match *rest {
            [EXTENSION, _, ref blocks @ ..] => match behind_blocks(blocks) {
                Some(after) => rest = after,
                None => return false,
            },
            [PICTURE, ref picture @ ..] => {
                // Its place and size, flags, colours, how it is compressed.
                let flags = picture.get(8);
                let blocks = flags.and_then(|&flags| picture.get(10 + colours(flags)..));
                return blocks.is_some_and(|blocks| behind_blocks(blocks).is_some());
            }
            // An end without a picture before it is the end of nothing.
            [] | [EXTENSION | END, ..] => return false,
            // No block, which is another matter than cut off.
            _ => return true,
        }
    }
}

/// What is behind blocks that each say their length, the last of which is empty.
fn behind_blocks(mut blocks: &[u8]) -> Option<&[u8]> {
    loop {
        let (&length, after) = blocks.split_first()?;
        if length == 0 {
            return Some(after);
        }
        blocks = after.get(usize::from(length)..)?;
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
        let mut file = b"\xff\xd8\xff\xe1\0\x06\xff\xd8\xff\xd9\xff\xff".to_vec();
        file.extend(b"\xff\xc0\0\x0b\x08\0\x05\0\x05\x01\x01\x11\0");
        file.extend(b"\xff\xda\0\x02\x12\xff\0\x34\xff\xd9");
        file
    }

    fn gif() -> Vec<u8> {
        // Two colours, an extension, a picture with colours of its own and two blocks, and no end.
        let mut file = b"GIF89a\x05\0\x05\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04;,;,\0".to_vec();
        file.extend(b",\0\0\0\0\x05\0\x05\0\x80;;;;;;\x02\x02;;\x01;\0");
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
            (ImageFormat::Gif, gif()),
        ] {
            assert!(!is_cut_off(&file, format), "{format}");
            // The checksum behind a PNG's last chunk is of no use here.
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
            (ImageFormat::Gif, gif()),
        ] {
            file.extend([0; 100]);
            assert!(!is_cut_off(&file, format), "{format}");
        }
        assert!(!is_cut_off(b"\xff\xd8 no segment", ImageFormat::Jpeg));
        assert!(!is_cut_off(
            b"GIF89a\x05\0\x05\0\0\0\0no block",
            ImageFormat::Gif
        ));
        // An end with no picture before it.
        let empty = [&gif()[..27], b";"].concat();
        assert!(is_cut_off(&empty, ImageFormat::Gif));
        let mut huge = png();
        huge[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(is_cut_off(&huge, ImageFormat::Png));
    }
}
