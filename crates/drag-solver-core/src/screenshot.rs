//! The picture.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use imagesize::{ImageError, ImageType};

use crate::truncation::is_cut_off;
use crate::{ImageFormat, jpeg, not_a_picture, orientation};

/// An encoded picture with its format and size, cheap to clone.
///
/// The header is read when it is made, and the end is looked for, so that a file no provider could
/// use is refused here, before anything is paid. The pixels are not decoded: nothing is known about a
/// picture whose header is sound and whose pixels are not.
///
/// Width and height are those of the file. One whose EXIF data say that it is to be turned, as photographs
/// have it, is refused: people would see it turned, and answer in pixels of what they see.
#[derive(Clone, PartialEq, Eq)]
pub struct Screenshot {
    bytes: Bytes,
    format: ImageFormat,
    width: u32,
    height: u32,
}

impl Screenshot {
    /// Largest file accepted, in bytes (32 MiB): ten times a screenshot of the largest phone.
    pub const MAX_BYTES: usize = 32 * 1024 * 1024;

    /// Longest side accepted, in pixels.
    pub const MAX_SIDE: u32 = 32_767;

    /// Takes an encoded picture, reads its header and looks for its end. `Bytes` and `Vec<u8>` are not copied.
    ///
    /// # Errors
    ///
    /// A [`ScreenshotError`] that says what is wrong with the file.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, ScreenshotError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Err(ScreenshotError::Empty);
        }
        if bytes.len() > Self::MAX_BYTES {
            return Err(ScreenshotError::FileTooLarge);
        }
        let format = format_of(&bytes)?;
        let (width, height) = size(&bytes, format)?;
        if width == 0 || height == 0 {
            return Err(ScreenshotError::NoPixels {
                format,
                width,
                height,
            });
        }
        let sides = (u32::try_from(width), u32::try_from(height));
        let (Ok(wide), Ok(high)) = sides else {
            return Err(ScreenshotError::TooManyPixels { width, height });
        };
        if wide.max(high) > Self::MAX_SIDE {
            return Err(ScreenshotError::TooManyPixels { width, height });
        }
        if is_cut_off(&bytes, format) {
            return Err(ScreenshotError::Incomplete { format });
        }
        if let Some(orientation) = orientation::of(&bytes, format) {
            return Err(ScreenshotError::Turned {
                format,
                orientation,
            });
        }
        Ok(Self {
            bytes,
            format,
            width: wide,
            height: high,
        })
    }

    /// Reads an encoded picture to the reader's end, or to just past the largest size accepted.
    /// Blocks while it reads.
    pub fn from_reader(reader: impl Read) -> Result<Self, ScreenshotError> {
        let mut bytes = Vec::new();
        reader
            .take(Self::MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(ScreenshotError::Read)?;
        Self::from_bytes(bytes)
    }

    /// Reads an encoded picture from a file. Blocks while it reads; in async code that matters only
    /// for slow disks, and `tokio::task::spawn_blocking` helps there.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ScreenshotError> {
        let path = path.as_ref();
        File::open(path)
            .map_err(ScreenshotError::Read)
            .and_then(Self::from_reader)
            .map_err(|error| ScreenshotError::File {
                path: path.to_owned(),
                source: Box::new(error),
            })
    }

    /// The file, byte for byte as it was given.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The format its first bytes announce.
    #[must_use]
    pub fn format(&self) -> ImageFormat {
        self.format
    }

    /// Width in pixels, at least 1.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }
}

/// Width and height in the header.
fn size(bytes: &[u8], format: ImageFormat) -> Result<(usize, usize), ScreenshotError> {
    if format == ImageFormat::Jpeg {
        let size = jpeg::size(bytes).map_err(|stop| match stop {
            jpeg::Stop::CutOff => ScreenshotError::Truncated { format },
            jpeg::Stop::Damaged => ScreenshotError::BadHeader { format },
        });
        return size.map(|(width, height)| (width.into(), height.into()));
    }
    let size = imagesize::blob_size(bytes).map_err(|error| match error {
        ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            ScreenshotError::Truncated { format }
        }
        _ => ScreenshotError::BadHeader { format },
    })?;
    Ok((size.width, size.height))
}

impl fmt::Debug for Screenshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Screenshot({} {}x{}, {} bytes)",
            self.format,
            self.width,
            self.height,
            self.bytes.len()
        )
    }
}

impl TryFrom<Vec<u8>> for Screenshot {
    type Error = ScreenshotError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        Self::from_bytes(bytes)
    }
}

fn format_of(bytes: &[u8]) -> Result<ImageFormat, ScreenshotError> {
    match imagesize::image_type(bytes) {
        // imagesize looks at four bytes and seeks to where the size should be.
        Ok(ImageType::Png) if !starts_like(bytes, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR") => {
            Err(ScreenshotError::BadHeader {
                format: ImageFormat::Png,
            })
        }
        Ok(ImageType::Png) => Ok(ImageFormat::Png),
        Ok(ImageType::Jpeg) => Ok(ImageFormat::Jpeg),
        Ok(ImageType::Webp) => Ok(ImageFormat::WebP),
        Ok(ImageType::Gif) => Ok(ImageFormat::Gif),
        _ => Err(ScreenshotError::UnknownFormat {
            found: not_a_picture::explain(bytes),
        }),
    }
}

/// Whether `bytes` agrees with `header` as far as both go.
fn starts_like(bytes: &[u8], header: &[u8]) -> bool {
    bytes.iter().zip(header).all(|(a, b)| a == b)
}

/// Why a file is not a usable screenshot. Nothing was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScreenshotError {
    /// A file of no bytes.
    Empty,
    /// Larger than [`Screenshot::MAX_BYTES`].
    FileTooLarge,
    /// None of the four formats.
    UnknownFormat {
        /// What it is instead, and what to do, if that can be told.
        found: Option<&'static str>,
    },
    /// The file ends before its header does.
    Truncated {
        /// What its first bytes announce.
        format: ImageFormat,
    },
    /// The file ends before the picture does.
    Incomplete {
        /// What its first bytes announce.
        format: ImageFormat,
    },
    /// People see it turned or mirrored, and their answers would be in pixels of what they see.
    Turned {
        /// What its first bytes announce.
        format: ImageFormat,
        /// The value of the EXIF data's orientation, 2 to 8.
        orientation: u16,
    },
    /// The header does not follow its format.
    BadHeader {
        /// What its first bytes announce.
        format: ImageFormat,
    },
    /// A width or height of zero.
    NoPixels {
        /// What its first bytes announce.
        format: ImageFormat,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// A side longer than [`Screenshot::MAX_SIDE`].
    TooManyPixels {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The reader failed.
    Read(std::io::Error),
    /// The file at `path` cannot be used; the source says why.
    File {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ScreenshotError>,
    },
}

impl fmt::Display for ScreenshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the picture is empty (0 bytes)"),
            Self::FileTooLarge => write!(
                f,
                "the picture is larger than {} MiB, the most that is accepted",
                Screenshot::MAX_BYTES / (1024 * 1024)
            ),
            Self::UnknownFormat { found } => {
                f.write_str("not a picture this library knows: ")?;
                if let Some(found) = found {
                    write!(f, "{found}; ")?;
                }
                f.write_str("expected PNG, JPEG, WebP or GIF")
            }
            Self::Truncated { format } => {
                write!(f, "the {format} picture is cut off inside its header")
            }
            Self::Incomplete { format } => {
                write!(
                    f,
                    "the {format} picture is cut off: its end is missing, as while it is being written"
                )?;
                match format {
                    ImageFormat::Jpeg => {
                        f.write_str(" (if it is whole all the same, append the bytes FF D9)")
                    }
                    ImageFormat::Gif => f.write_str(", or it holds no picture at all"),
                    _ => Ok(()),
                }
            }
            Self::Turned {
                format,
                orientation,
            } => write!(
                f,
                "the {format} picture is stored turned (EXIF orientation {orientation}), and is shown \
                 otherwise than it is stored: save it upright, as `mogrify -auto-orient` does"
            ),
            Self::BadHeader { format } => write!(f, "the {format} picture has a damaged header"),
            Self::NoPixels {
                format,
                width,
                height,
            } => {
                write!(f, "the {format} picture has no pixels ({width}x{height})")
            }
            Self::TooManyPixels { width, height } => write!(
                f,
                "the picture is {width}x{height} px, and no side may exceed {} px",
                Screenshot::MAX_SIDE
            ),
            Self::Read(_) => f.write_str("cannot read the picture"),
            Self::File { path, .. } => write!(f, "cannot use {}", path.display()),
        }
    }
}

impl Error for ScreenshotError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::File { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x02\0\0\0\0\0\0\0\0\0\0\0IEND");
        bytes
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
        bytes.extend(b"\xff\x01\0\xff\xff\xff\xc0\0\x0b\x08"); // a marker alone, padding
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend(b"\x01\x01\x11\0\xff\xd9");
        bytes
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.extend(b"\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;");
        bytes
    }

    fn lossless_webp(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"RIFF\x11\0\0\0WEBPVP8L\x10\0\0\0\x2f".to_vec();
        bytes.extend(((width - 1) | ((height - 1) << 14)).to_le_bytes());
        bytes
    }

    #[test]
    fn format_and_size_come_from_the_header() {
        let pictures = [
            (png(591, 1149), ImageFormat::Png),
            (jpeg(591, 1149), ImageFormat::Jpeg),
            (gif(591, 1149), ImageFormat::Gif),
            (lossless_webp(591, 1149), ImageFormat::WebP),
        ];
        for (bytes, format) in pictures {
            let shot = Screenshot::from_bytes(bytes.clone()).unwrap();
            assert_eq!(shot.format(), format);
            assert_eq!((shot.width(), shot.height()), (591, 1149), "{format}");
            assert_eq!(shot.bytes(), &bytes);
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let headers = [
            (png(5, 5), png(5, 5).len()),
            (jpeg(5, 5), jpeg(5, 5).len()),
            // Viewers do without a GIF's last byte.
            (gif(5, 5), gif(5, 5).len() - 1),
            (lossless_webp(5, 5), 25),
        ];
        for (whole, header) in headers {
            assert!(Screenshot::from_bytes(whole.clone()).is_ok());
            for length in 0..header {
                let error = Screenshot::from_bytes(whole[..length].to_vec()).unwrap_err();
                let expected = matches!(
                    error,
                    ScreenshotError::Empty
                        | ScreenshotError::UnknownFormat { .. }
                        | ScreenshotError::Truncated { .. }
                        | ScreenshotError::Incomplete { .. }
                );
                assert!(expected, "{length} bytes: {error:?}");
            }
        }
    }

    #[test]
    fn each_defect_has_its_own_message() {
        let message = |bytes: Vec<u8>| Screenshot::from_bytes(bytes).unwrap_err().to_string();
        assert!(message(vec![]).contains("empty"));
        let unknown = "not a picture this library knows: expected PNG, JPEG, WebP or GIF";
        assert_eq!(message(b"# drag-solver".to_vec()), unknown);
        assert!(
            message(b"%PDF-1.7".to_vec()).contains("knows: it is PDF: convert the page; expected")
        );
        let mut turned = b"\xff\xd8\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
        turned.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
        turned.extend(&jpeg(5, 5)[2..]);
        assert!(message(turned.clone()).contains("EXIF orientation 6"));
        turned[31] = 1;
        assert!(Screenshot::from_bytes(turned).is_ok());
        let endless = jpeg(5, 5)[..38].to_vec();
        assert!(message(endless).contains("append the bytes FF D9"));
        assert!(message(png(5, 5)[..18].to_vec()).contains("cut off inside its header"));
        assert!(message(png(5, 5)[..30].to_vec()).contains("its end is missing"));
        let empty = b"GIF89a\x05\0\x05\0\0\0\0;".to_vec();
        assert!(message(empty).contains("holds no picture at all"));
        assert!(message(png(0, 5)).contains("no pixels (0x5)"));
        assert!(message(gif(5, 0)).contains("no pixels (5x0)"));
        assert!(message(png(60_000, 60_000)).contains("60000x60000"));
        assert!(message(png(u32::MAX, 1)).contains("no side may exceed 32767 px"));
        assert!(
            message(b"\xff\xd8\xff\xe0\0\x02junk that is no marker".to_vec()).contains("damaged")
        );
        let mut odd = png(5, 5);
        odd[12..16].copy_from_slice(b"IDAT");
        assert!(message(odd).contains("damaged"));
        let mut large = png(5, 5);
        large.resize(Screenshot::MAX_BYTES + 1, 0);
        assert!(message(large).contains("32 MiB"));
    }

    #[test]
    fn an_endless_reader_is_cut_off() {
        let endless = std::io::Cursor::new(png(5, 5)).chain(std::io::repeat(0));
        let error = Screenshot::from_reader(endless).unwrap_err();
        assert!(matches!(error, ScreenshotError::FileTooLarge));
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good.gif");
        std::fs::write(&good, gif(3, 4)).unwrap();
        assert_eq!(Screenshot::from_file(&good).unwrap().width(), 3);

        for bad in [folder.path().to_owned(), folder.path().join("missing.png")] {
            let error = Screenshot::from_file(&bad).unwrap_err();
            assert!(error.to_string().contains(bad.to_str().unwrap()), "{error}");
            assert!(std::error::Error::source(&error).is_some());
        }
    }

    #[test]
    fn debug_shows_no_pixels() {
        let shot = Screenshot::from_bytes(gif(3, 4)).unwrap();
        assert_eq!(format!("{shot:?}"), "Screenshot(GIF 3x4, 26 bytes)");
    }
}
