//! `--annotate`: the picture with the drag drawn in.

use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use drag_solver::{Drag, Screenshot};
use image::{ImageFormat, ImageReader, Limits, RgbaImage};
use tempfile::NamedTempFile;

use super::draw::draw;
use super::text::file_name;
use crate::screenshot_input::STDIN;

/// Most memory that decoding may take, in bytes: over twice what an 8K screenshot needs.
const MAX_DECODED_BYTES: u64 = 320 * 1024 * 1024;

/// A file that will hold the picture. Until then it has another name, so that a run that fails
/// leaves what was there before as it was.
#[derive(Debug)]
pub(crate) struct Annotation {
    target: PathBuf,
    file: NamedTempFile,
}

/// A decoded picture, and the file that it is for.
#[derive(Debug)]
pub(crate) struct Canvas {
    annotation: Annotation,
    picture: RgbaImage,
}

impl Annotation {
    /// Makes sure that `target` can be written, before anything is paid. A link is followed, so that
    /// it stays one.
    ///
    /// # Errors
    ///
    /// `target` is standard output, the screenshot itself, or something else that is no regular file,
    /// or its folder cannot be written to.
    pub(crate) fn prepare(target: &Path, screenshot: &Path) -> anyhow::Result<Self> {
        ensure!(
            target.as_os_str() != STDIN,
            "--annotate needs a file: standard output is for the results"
        );
        let cannot_write = || format!("cannot write {}", file_name(target));
        let mut target = target.to_owned();
        if let Ok(there) = target.symlink_metadata() {
            if there.is_symlink() {
                target = target.canonicalize().with_context(cannot_write)?;
            }
            let there = target.metadata().with_context(cannot_write)?;
            let what = if there.is_dir() {
                "a directory"
            } else {
                "no regular file"
            };
            ensure!(
                there.is_file(),
                "--annotate needs a file, and {} is {what}",
                file_name(&target)
            );
        }
        if let (Ok(ours), Ok(theirs)) = (target.canonicalize(), screenshot.canonicalize()) {
            ensure!(
                ours != theirs,
                "--annotate would write over the screenshot itself"
            );
        }
        let is_png = target
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("png"));
        ensure!(
            is_png,
            "--annotate writes PNG: give {} a name that ends in .png",
            file_name(&target)
        );
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        ensure!(
            folder.is_dir(),
            "cannot write {}: its folder does not exist",
            file_name(&target)
        );
        let file = named_like_any_other_file(folder)
            // Its own text shows the name that the file has until then.
            .map_err(|error| io::Error::from(error.kind()))
            .with_context(|| format!("cannot write {}", file_name(&target)))?;
        Ok(Self { target, file })
    }

    /// Decodes `screenshot`. Takes a while: call it off the async threads.
    ///
    /// # Errors
    ///
    /// Pixels that are damaged, or that would take more than 320 MiB.
    pub(crate) fn load(self, screenshot: &Screenshot) -> anyhow::Result<Canvas> {
        Ok(Canvas {
            annotation: self,
            picture: decode(screenshot)?,
        })
    }
}

impl Canvas {
    /// Draws `drag` and writes the picture. Takes a while.
    pub(crate) fn save(self, drag: &Drag) -> anyhow::Result<()> {
        let Self {
            annotation: Annotation { target, mut file },
            mut picture,
        } = self;
        draw(&mut picture, drag);
        let mut png = Cursor::new(Vec::new());
        picture
            .write_to(&mut png, ImageFormat::Png)
            .context("cannot encode the picture")
            .and_then(|()| Ok(file.write_all(png.get_ref())?))
            .and_then(|()| Ok(file.persist(&target)?))
            .with_context(|| format!("cannot write {}", file_name(&target)))?;
        Ok(())
    }
}

/// A temporary file that others may read if they may read the user's files: these are private by
/// default, and this one is to stay.
fn named_like_any_other_file(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".drag-solver-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // less the user's umask
    }
    builder.tempfile_in(folder)
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

    fn screenshot(picture: &RgbaImage) -> Screenshot {
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).unwrap();
        Screenshot::from_bytes(png.into_inner()).unwrap()
    }

    #[test]
    fn the_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.png");
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        let drag = Drag::new(Point::new(10.0, 20.0), Point::new(60.0, 20.0));
        let before = RgbaImage::new(80, 40);

        drop(Annotation::prepare(&target, Path::new("-")).unwrap());
        assert_eq!(files(), 0, "an attempt that failed leaves nothing behind");

        let annotation = Annotation::prepare(&target, Path::new("-")).unwrap();
        assert!(!target.exists());
        annotation
            .load(&screenshot(&before))
            .unwrap()
            .save(&drag)
            .unwrap();
        assert_eq!(files(), 1);
        let mut expected = before;
        draw(&mut expected, &drag);
        let written = Screenshot::from_file(&target).unwrap();
        assert_eq!(decode(&written).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_written_is_refused_before_anything_is_paid() {
        let folder = tempfile::tempdir().unwrap();
        let shot = folder.path().join("shot.png");
        std::fs::write(&shot, "").unwrap();
        let refusal =
            |target: &Path| format!("{:#}", Annotation::prepare(target, &shot).unwrap_err());
        assert!(refusal(folder.path()).contains("is a directory"));
        assert!(refusal(&folder.path().join("./shot.png")).contains("the screenshot itself"));
        assert!(refusal(Path::new("-")).contains("standard output"));
        let missing = folder.path().join("missing/out.png");
        let refused = refusal(&missing);
        assert!(
            refused.ends_with("missing/out.png: its folder does not exist"),
            "{refused}"
        );
        for name in ["a.jpg", "png", "a"] {
            assert!(
                refusal(&folder.path().join(name)).contains("ends in .png"),
                "{name}"
            );
        }
        assert!(Annotation::prepare(&folder.path().join("A.PNG"), &shot).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let prepare = |name: &str| Annotation::prepare(&path(name), Path::new("-"));
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(path(to), path(name)).unwrap();

        let made = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(made.unwrap().success());
        link("nowhere.png", "dangling.png");
        link("pipe", "to-pipe.png");
        for (name, why) in [
            ("pipe", "is no regular file"),
            ("to-pipe.png", "is no regular file"),
            ("dangling.png", "cannot write"),
        ] {
            let error = format!("{:#}", prepare(name).unwrap_err());
            assert!(error.contains(why), "{error}");
        }

        std::fs::write(path("real.png"), "").unwrap();
        link("real.png", "link.png");
        let drag = Drag::new(Point::new(10.0, 20.0), Point::new(60.0, 20.0));
        let canvas = prepare("link.png").unwrap();
        let canvas = canvas.load(&screenshot(&RgbaImage::new(80, 40))).unwrap();
        canvas.save(&drag).unwrap();
        assert!(path("link.png").symlink_metadata().unwrap().is_symlink());
        assert!(Screenshot::from_file(path("real.png")).is_ok());
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
