//! From pixels to a file that is small enough.

use drag_solver_core::{ImageFormat, ScreenshotLimits, SolveError};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageResult, RgbImage};

use crate::FitPolicy;
use crate::decode::unreadable;

/// A PNG file made in a hurry that is this much larger than the JPEG will not be smaller than it when
/// made with care.
const HOPELESS: usize = 2;

/// Why no file could be made.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// The smallest that the policy allows is still too large, by this many bytes in all.
    TooLarge(usize),
    /// The encoder failed.
    Failed(SolveError),
}

impl From<image::ImageError> for Misfit {
    fn from(error: image::ImageError) -> Self {
        Self::Failed(unreadable(error))
    }
}

/// The best file of this picture that is within the limits: PNG if it is no larger than a JPEG of the
/// best quality, or else a JPEG of the best quality that fits.
pub(crate) fn encode(
    picture: &RgbImage,
    limits: &ScreenshotLimits,
    policy: &FitPolicy,
) -> Result<Vec<u8>, Misfit> {
    let most = limits.max_bytes().unwrap_or(usize::MAX);
    if !limits.takes(ImageFormat::Jpeg) {
        return within(png(picture, CompressionType::Default)?, most);
    }
    // The best quality that fits is from `low` on and below `high`.
    let (mut low, mut high) = policy.qualities();
    let best = jpeg(picture, high)?;
    if limits.takes(ImageFormat::Png)
        && let Some(lossless) = png_no_larger_than(best.len().min(most), picture)?
    {
        return Ok(lossless);
    }
    if best.len() <= most {
        return Ok(best);
    }
    let mut fits = within(jpeg(picture, low)?, most)?;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let file = jpeg(picture, middle)?;
        if file.len() <= most {
            (low, fits) = (middle, file);
        } else {
            high = middle;
        }
    }
    Ok(fits)
}

fn within(file: Vec<u8>, most: usize) -> Result<Vec<u8>, Misfit> {
    if file.len() > most {
        return Err(Misfit::TooLarge(file.len()));
    }
    Ok(file)
}

/// With the colours at full resolution, so that coloured edges stay sharp.
fn jpeg(picture: &RgbImage, quality: u8) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(picture)?;
    Ok(file)
}

fn png(picture: &RgbImage, compression: CompressionType) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    picture.write_with_encoder(PngEncoder::new_with_quality(
        &mut file,
        compression,
        FilterType::Adaptive,
    ))?;
    Ok(file)
}

fn png_no_larger_than(most: usize, picture: &RgbImage) -> ImageResult<Option<Vec<u8>>> {
    let hasty = png(picture, CompressionType::Fast)?;
    if hasty.len() > most.saturating_mul(HOPELESS) {
        return Ok(None);
    }
    let careful = png(picture, CompressionType::Default)?;
    Ok(Some(careful).filter(|file| file.len() <= most))
}
