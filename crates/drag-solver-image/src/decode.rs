//! From a file to pixels, at a bounded cost.

use std::io::Cursor;

use drag_solver_core::{ErrorKind, ImageFormat, Screenshot, SolveError};
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageReader, Limits, RgbImage};

use crate::mapping::Crop;

/// Most bytes that a decoder stores for one pixel: four channels of 16 bits.
const BYTES_A_PIXEL: u64 = 8;

/// What decoders may need besides the pixels, in bytes.
const SCRATCH: u64 = 16 * 1024 * 1024;

/// The pixels of this part of the screenshot. Transparent ones are shown on white, 16 bits become 8,
/// colour profiles are ignored, and of an animation it is the first frame.
///
/// The file is trusted in nothing: its size in pixels is checked before anything is decoded.
pub(crate) fn decode(
    screenshot: &Screenshot,
    crop: Crop,
    max_pixels: u64,
) -> Result<RgbImage, SolveError> {
    let (width, height) = (screenshot.width(), screenshot.height());
    let pixels = u64::from(width) * u64::from(height);
    if pixels > max_pixels {
        return Err(SolveError::new(
            ErrorKind::Unsupported,
            format!(
                "the {width}x{height} px screenshot has {pixels} pixels, and at most {max_pixels} \
                 are decoded to make it fit (fit.max_pixels)"
            ),
        ));
    }
    let image = read(screenshot, max_pixels)?;
    let image = if crop.is_whole(screenshot) {
        image
    } else {
        image.crop_imm(crop.left, crop.top, crop.width, crop.height)
    };
    Ok(opaque(image))
}

fn read(screenshot: &Screenshot, max_pixels: u64) -> Result<DynamicImage, SolveError> {
    let format = match screenshot.format() {
        ImageFormat::Png => image::ImageFormat::Png,
        ImageFormat::Jpeg => image::ImageFormat::Jpeg,
        ImageFormat::Gif => image::ImageFormat::Gif,
        ImageFormat::WebP => image::ImageFormat::WebP,
        other => {
            let problem = format!("a {other} cannot be decoded to make it fit");
            return Err(SolveError::new(ErrorKind::Unsupported, problem));
        }
    };
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(screenshot.width());
    limits.max_image_height = Some(screenshot.height());
    limits.max_alloc = Some(
        max_pixels
            .saturating_mul(BYTES_A_PIXEL)
            .saturating_add(SCRATCH),
    );
    let mut reader = ImageReader::with_format(Cursor::new(screenshot.bytes()), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(unreadable)?;
    // The answer is mapped back by the size in the header; a file that disagrees with itself would
    // send the drag elsewhere.
    let (width, height) = decoder.dimensions();
    if (width, height) != (screenshot.width(), screenshot.height()) {
        return Err(damaged(&format!(
            "its header says {}x{} px, and its pixels are {width}x{height}",
            screenshot.width(),
            screenshot.height()
        )));
    }
    DynamicImage::from_decoder(decoder).map_err(unreadable)
}

/// Without transparency, on white, 8 bits a channel.
fn opaque(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let (width, height) = rgba.dimensions();
    let mut rgb = Vec::with_capacity(rgba.as_raw().len() / 4 * 3);
    for &[r, g, b, a] in rgba.as_raw().as_chunks::<4>().0 {
        match a {
            u8::MAX => rgb.extend_from_slice(&[r, g, b]),
            _ => rgb.extend_from_slice(&[r, g, b].map(|color| on_white(color, a))),
        }
    }
    RgbImage::from_raw(width, height, rgb).unwrap_or_default() // there are three bytes for each pixel
}

#[allow(clippy::cast_possible_truncation)] // a mean of two bytes is one
fn on_white(color: u8, alpha: u8) -> u8 {
    let (color, alpha) = (u32::from(color), u32::from(alpha));
    ((color * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

fn damaged(what: &str) -> SolveError {
    SolveError::new(
        ErrorKind::InvalidChallenge,
        format!("the screenshot is damaged: {what}"),
    )
}

/// What a codec's error means for the challenge.
pub(crate) fn unreadable(error: ImageError) -> SolveError {
    match error {
        ImageError::Unsupported(_) | ImageError::Limits(_) => SolveError::new(
            ErrorKind::Unsupported,
            format!("the screenshot cannot be decoded to make it fit: {error}"),
        ),
        _ => damaged(&error.to_string()),
    }
    .with_source(error)
}
