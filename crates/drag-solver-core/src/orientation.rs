//! How a picture is to be turned before it is shown, as its EXIF data say: one tag of some hundred that a reader of EXIF knows.

use crate::{ImageFormat, jpeg, truncation};

const ORIENTATION: u16 = 0x0112;

/// The type of a number of four bytes; two are usual here.
const LONG: u16 = 4;

/// The EXIF orientation of a picture if it is not upright: 2 to 8. Browsers and people see such a
/// picture turned or mirrored.
pub(crate) fn of(file: &[u8], format: ImageFormat) -> Option<u16> {
    let exif = match format {
        ImageFormat::Jpeg => jpeg::exif(file),
        ImageFormat::Png => {
            let mut chunks = truncation::png_chunks(file);
            chunks
                .find(|&(name, _)| name == b"eXIf")
                .map(|(_, data)| data)
        }
        ImageFormat::WebP => webp_exif(file),
        ImageFormat::Gif => None,
    };
    exif.and_then(orientation)
        .filter(|value| (2..=8).contains(value))
}

/// The chunk `EXIF`: some writers put JPEG's mark in front of the data.
fn webp_exif(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let data = after.get(..length)?;
        if name == b"EXIF" {
            return Some(data.strip_prefix(b"Exif\0\0").unwrap_or(data));
        }
        rest = after.get(length.next_multiple_of(2)..)?;
    }
}

/// The entry of the first directory of a TIFF file, which is what EXIF data are.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let is_little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if is_little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let bytes = *tiff.get(4..)?.first_chunk()?;
    let directory = if is_little {
        u32::from_le_bytes(bytes)
    } else {
        u32::from_be_bytes(bytes)
    };
    let directory = usize::try_from(directory).ok()?;
    let entries = usize::from(u16_at(directory)?);
    let mut entries = (0..entries).map(|index| directory.saturating_add(2 + index * 12));
    let entry = entries.find(|&at| u16_at(at) == Some(ORIENTATION))?;
    let is_long = u16_at(entry.saturating_add(2)) == Some(LONG);
    // Of four bytes, the last two.
    let at = entry.saturating_add(if is_long && !is_little { 10 } else { 8 });
    u16_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiff(is_little: bool, orientation: u16) -> Vec<u8> {
        let u16 = |value: u16| {
            if is_little {
                value.to_le_bytes()
            } else {
                value.to_be_bytes()
            }
        };
        let u32 = |value: u32| {
            if is_little {
                value.to_le_bytes()
            } else {
                value.to_be_bytes()
            }
        };
        let mut tiff = if is_little {
            b"II*\0".to_vec()
        } else {
            b"MM\0*".to_vec()
        };
        tiff.extend(u32(8));
        tiff.extend(u16(2));
        for (tag, value) in [(0x0100, 7), (ORIENTATION, orientation)] {
            tiff.extend([u16(tag), u16(3)].concat());
            tiff.extend(u32(1));
            tiff.extend([u16(value), u16(0)].concat());
        }
        tiff
    }

    fn with(format: ImageFormat, exif: &[u8]) -> Vec<u8> {
        let length = u32::try_from(exif.len()).unwrap();
        match format {
            ImageFormat::Jpeg => {
                let segment = u16::try_from(length + 8).unwrap().to_be_bytes();
                [
                    b"\xff\xd8\xff\xff\xe1",
                    &segment[..],
                    b"Exif\0\0",
                    exif,
                    b"\xff\xd9",
                ]
                .concat()
            }
            ImageFormat::Png => {
                let length = length.to_be_bytes();
                [
                    b"\x89PNG\r\n\x1a\n",
                    &length[..],
                    b"eXIf",
                    exif,
                    b"\0\0\0\0",
                ]
                .concat()
            }
            ImageFormat::WebP => {
                let odd = b"ICCP\x01\0\0\0\0\0";
                let length = length.to_le_bytes();
                [b"RIFF\0\0\0\0WEBP", &odd[..], b"EXIF", &length[..], exif].concat()
            }
            ImageFormat::Gif => Vec::new(),
        }
    }

    #[test]
    fn a_turned_picture_is_told_in_each_format() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            for is_little in [true, false] {
                for turned in 2..=8 {
                    let file = with(format, &tiff(is_little, turned));
                    assert_eq!(of(&file, format), Some(turned), "{format}");
                }
                for upright in [0, 1, 9] {
                    assert_eq!(of(&with(format, &tiff(is_little, upright)), format), None);
                }
            }
        }
    }

    #[test]
    fn damaged_data_turn_nothing() {
        let tiff = tiff(true, 6);
        for length in 0..tiff.len() - 2 {
            for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
                let damaged = of(&with(format, &tiff[..length]), format);
                assert!(matches!(damaged, None | Some(6)), "{format}, {length}");
            }
        }
        let mut long = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06".to_vec();
        assert_eq!(orientation(&long), Some(6));
        long.truncate(20);
        assert_eq!(orientation(&long), None);
        let mut far = tiff.clone();
        far[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(of(&with(ImageFormat::Jpeg, &far), ImageFormat::Jpeg), None);
    }
}
