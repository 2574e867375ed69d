//! What a provider accepts.

use std::fmt;

use crate::{ImageFormat, Screenshot};

/// The largest picture a provider takes, and in which formats. By default there are no limits.
///
/// ```
/// use drag_solver_core::{ImageFormat, ScreenshotLimits};
///
/// const LIMITS: ScreenshotLimits = ScreenshotLimits::none()
///     .with_max_bytes(600_000)
///     .with_max_side(1_000)
///     .with_formats(&[ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif]);
/// assert_eq!(LIMITS.max_side(), Some(1_000));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScreenshotLimits {
    max_bytes: Option<usize>,
    max_side: Option<u32>,
    formats: Option<&'static [ImageFormat]>,
}

impl ScreenshotLimits {
    /// No limits.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            max_bytes: None,
            max_side: None,
            formats: None,
        }
    }

    /// The encoded file may have at most this many bytes.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Neither side may be longer than this many pixels.
    #[must_use]
    pub const fn with_max_side(mut self, pixels: u32) -> Self {
        self.max_side = Some(pixels);
        self
    }

    /// The file must have one of these formats.
    #[must_use]
    pub const fn with_formats(mut self, formats: &'static [ImageFormat]) -> Self {
        self.formats = Some(formats);
        self
    }

    /// Most bytes of the encoded file.
    #[must_use]
    pub const fn max_bytes(&self) -> Option<usize> {
        self.max_bytes
    }

    /// Longest side in pixels.
    #[must_use]
    pub const fn max_side(&self) -> Option<u32> {
        self.max_side
    }

    /// The formats taken; `None` means all.
    #[must_use]
    pub const fn formats(&self) -> Option<&'static [ImageFormat]> {
        self.formats
    }

    /// Whether pictures of this format are taken.
    #[must_use]
    pub fn takes(&self, format: ImageFormat) -> bool {
        self.formats.is_none_or(|formats| formats.contains(&format))
    }

    /// Checks a screenshot against the limits and names the first one it exceeds.
    pub fn check(&self, screenshot: &Screenshot) -> Result<(), LimitExceeded> {
        let (width, height) = (screenshot.width(), screenshot.height());
        if !self.takes(screenshot.format()) {
            return Err(LimitExceeded::Format {
                format: screenshot.format(),
                accepted: self.formats.unwrap_or_default(),
            });
        }
        if let Some(max) = self.max_side
            && width.max(height) > max
        {
            return Err(LimitExceeded::Side { width, height, max });
        }
        let bytes = screenshot.bytes().len();
        match self.max_bytes {
            Some(max) if bytes > max => Err(LimitExceeded::Bytes { bytes, max }),
            _ => Ok(()),
        }
    }
}

/// Why a screenshot does not fit a provider's [`ScreenshotLimits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// A format the provider does not take.
    Format {
        /// What the picture is.
        format: ImageFormat,
        /// What is taken.
        accepted: &'static [ImageFormat],
    },
    /// A side that is too long.
    Side {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Longest side taken, in pixels.
        max: u32,
    },
    /// A file that is too large.
    Bytes {
        /// Size of the file.
        bytes: usize,
        /// Largest file taken.
        max: usize,
    },
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the picture is ")?;
        match self {
            Self::Format { format, accepted } => {
                write!(f, "a {format}, and only {accepted:?} are taken")
            }
            Self::Side { width, height, max } => {
                write!(f, "{width}x{height} px, and no side may exceed {max} px")
            }
            Self::Bytes { bytes, max } => write!(f, "{bytes} bytes, and at most {max} are taken"),
        }
    }
}

impl std::error::Error for LimitExceeded {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_checked_at_its_edge() {
        let gif = Screenshot::from_bytes(
            b"GIF89a\x4f\x02\x7d\x04\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;".to_vec(),
        )
        .unwrap();
        assert_eq!(ScreenshotLimits::none().check(&gif), Ok(()));

        let side = ScreenshotLimits::none().with_max_side(1149);
        assert_eq!(side.check(&gif), Ok(()));
        let error = side.with_max_side(1148).check(&gif).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the picture is 591x1149 px, and no side may exceed 1148 px"
        );

        let bytes = ScreenshotLimits::none().with_max_bytes(gif.bytes().len());
        assert_eq!(bytes.check(&gif), Ok(()));
        assert!(bytes.with_max_bytes(13).check(&gif).is_err());

        let format = ScreenshotLimits::none().with_formats(&[ImageFormat::Png]);
        assert!(matches!(
            format.check(&gif),
            Err(LimitExceeded::Format { .. })
        ));
    }
}
