//! Pictures with the drag drawn in.

use std::io::Cursor;
use std::path::PathBuf;

use anyhow::Context as _;
use drag_solver::{Drag, Screenshot};
use image::{ImageFormat, ImageReader, Limits, RgbaImage};

use super::draw::draw;
use super::text::file_name;
use crate::output_file;

/// Most memory that decoding may take, in bytes: over twice what an 8K screenshot needs.
const MAX_DECODED_BYTES: u64 = 320 * 1024 * 1024;

/// A screenshot that is drawn on when its answer is there, and the file that the picture is for.
#[derive(Debug)]
pub(crate) struct Annotation {
    target: PathBuf,
    screenshot: Screenshot,
}

impl Annotation {
    /// Makes sure that `screenshot` can be drawn on. Takes a while: call it off the async threads.
    ///
    /// Its pixels are not kept: encoded they need a tenth of the memory while the answer is waited for.
    ///
    /// # Errors
    ///
    /// Pixels that are damaged, or that would take more than 320 MiB.
    pub(crate) fn new(target: PathBuf, screenshot: Screenshot) -> anyhow::Result<Self> {
        decode(&screenshot)?;
        Ok(Self { target, screenshot })
    }

    /// Draws `drag` and writes the picture, whole or not at all. Takes a while.
    pub(crate) fn save(&self, drag: &Drag) -> anyhow::Result<()> {
        let cannot_write = || format!("cannot write {}", file_name(&self.target));
        let mut picture = decode(&self.screenshot).with_context(cannot_write)?;
        draw(&mut picture, drag);
        let mut png = Cursor::new(Vec::new());
        let encoded = picture.write_to(&mut png, ImageFormat::Png);
        encoded.with_context(cannot_write)?;
        output_file::write(&self.target, png.get_ref(), true)
    }
}

fn decode(screenshot: &Screenshot) -> anyhow::Result<RgbaImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(Screenshot::MAX_SIDE);
    limits.max_image_height = Some(Screenshot::MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::new(Cursor::new(screenshot.bytes())).with_guessed_format()?;
    reader.limits(limits);
    let picture = reader.decode().context("its pixels cannot be decoded")?;
    Ok(picture.into_rgba8())
}

#[cfg(test)]
mod tests {
    use drag_solver::Point;

    use super::*;

    #[test]
    fn the_file_appears_when_it_is_complete_and_is_all_that_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.png");
        let drag = Drag::new(Point::new(10.0, 20.0), Point::new(60.0, 20.0));
        let before = RgbaImage::new(80, 40);
        let mut png = Cursor::new(Vec::new());
        before.write_to(&mut png, ImageFormat::Png).unwrap();
        let screenshot = Screenshot::from_bytes(png.into_inner()).unwrap();

        let annotation = Annotation::new(target.clone(), screenshot).unwrap();
        assert!(!target.exists());
        annotation.save(&drag).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let mut expected = before;
        draw(&mut expected, &drag);
        let written = Screenshot::from_file(&target).unwrap();
        assert_eq!(decode(&written).unwrap(), expected);

        std::fs::remove_dir_all(folder.path()).unwrap();
        let error = format!("{:#}", annotation.save(&drag).unwrap_err());
        assert!(
            error.contains("cannot write") && !error.contains(".drag-solver-"),
            "{error}"
        );
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_refused() {
        // 30,000 x 30,000 px: 3.6 GB of pixels in a file of a few bytes.
        let mut gif = b"GIF89a\x30\x75\x30\x75\0\0\0".to_vec();
        gif.extend(b"\x2c\0\0\0\0\x30\x75\x30\x75\x80\0\0\0\xff\xff\xff\x02\x02\x4c\x01\0;");
        let error = decode(&Screenshot::from_bytes(gif).unwrap()).unwrap_err();
        let limit = error.downcast_ref::<image::ImageError>();
        assert!(
            matches!(limit, Some(image::ImageError::Limits(_))),
            "{error:?}"
        );
    }
}
