//! The structure of a JPEG (ITU T.81, annex B). The pixels are not decoded.

const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const APP1: u8 = 0xe1;

/// Why there is no further segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The file ends first.
    CutOff,
    /// What is there is no segment.
    Damaged,
}

/// One segment: its marker, and its data. Of a scan, that is all the rest of the file.
type Segment<'a> = (u8, &'a [u8]);

/// The segments of a file, up to the first scan or to the end.
struct Segments<'a>(&'a [u8]);

impl<'a> Segments<'a> {
    fn of(file: &'a [u8]) -> Self {
        Self(file.get(2..).unwrap_or_default())
    }

    fn next(&mut self) -> Result<Segment<'a>, Stop> {
        loop {
            match *self.0 {
                // Any number of fill bytes may stand before a marker (B.1.1.2); decoders skip zeros, too.
                [0xff, 0xff, ..] | [0, ..] => self.0 = &self.0[1..],
                // Markers without data.
                [0xff, 0x01 | 0xd0..=0xd7, ..] => self.0 = &self.0[2..],
                [0xff, END, ref rest @ ..] => return Ok((END, rest)),
                [0xff, SCAN, ref rest @ ..] => return Ok((SCAN, rest)),
                [0xff, marker, high, low, ref rest @ ..] => {
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    let Some(length) = length.checked_sub(2) else {
                        return Err(Stop::Damaged);
                    };
                    let (data, rest) = rest.split_at_checked(length).ok_or(Stop::CutOff)?;
                    self.0 = rest;
                    return Ok((marker, data));
                }
                [] | [0xff] | [0xff, _] | [0xff, _, _] => return Err(Stop::CutOff),
                _ => return Err(Stop::Damaged),
            }
        }
    }
}

/// Width and height, from the first frame's header.
pub(crate) fn size(file: &[u8]) -> Result<(u16, u16), Stop> {
    let mut segments = Segments::of(file);
    loop {
        match segments.next()? {
            (END | SCAN, _) => return Err(Stop::Damaged),
            // Start of frame, of any kind; 0xc4, 0xc8 and 0xcc are something else.
            (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, data) => {
                let [_, h1, h2, w1, w2, ..] = *data else {
                    return Err(Stop::Damaged);
                };
                let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
                return Ok((width, height));
            }
            _ => {}
        }
    }
}

/// Whether the end marker `0xFF 0xD9` is missing. It cannot be among the data of the first scan; one in
/// the data of a later segment would be taken for it: then a picture that is cut off passes.
pub(crate) fn is_cut_off(file: &[u8]) -> bool {
    let mut segments = Segments::of(file);
    loop {
        match segments.next() {
            Ok((END, _)) => return false,
            Ok((SCAN, scan)) => return !scan.windows(2).any(|two| two == [0xff, END]),
            Ok(_) => {}
            Err(stop) => return stop == Stop::CutOff,
        }
    }
}

/// The EXIF data, without what announces it.
pub(crate) fn exif(file: &[u8]) -> Option<&[u8]> {
    let mut segments = Segments::of(file);
    while let Ok((marker, data)) = segments.next() {
        match marker {
            END | SCAN => break,
            APP1 if data.starts_with(b"Exif\0\0") => return Some(&data[6..]),
            _ => {}
        }
    }
    None
}
