//! Pictures that are made to hurt, and merely odd ones.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use allocation_counter::measure;
use drag_solver_core::{
    Billed, DragChallenge, ErrorKind, Rect, Screenshot, ScreenshotLimits, SolveError,
};
use drag_solver_image::{FitPolicy, FittedChallenge, fit_challenge};
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, Frame, ImageBuffer, ImageEncoder as _, Rgb, RgbImage, Rgba, RgbaImage};
use support::{Random, background, challenge, jpeg, png, webp};

const MEGABYTE: u64 = 1_000_000;

const LIMITS: ScreenshotLimits = ScreenshotLimits::none()
    .with_max_bytes(500_000)
    .with_max_side(500);

fn fit(challenge: &DragChallenge) -> Result<FittedChallenge, SolveError> {
    fit_challenge(challenge, &LIMITS, &FitPolicy::default())
}

fn pixels(fitted: &FittedChallenge) -> RgbImage {
    let file = fitted.challenge.screenshot().bytes();
    image::load_from_memory(file).unwrap().into_rgb8()
}

/// What fitting returns, and the most memory it held at once, in bytes.
fn measured(challenge: &DragChallenge) -> (Result<FittedChallenge, SolveError>, u64) {
    let mut outcome = None;
    let heap = measure(|| outcome = Some(fit(challenge)));
    (outcome.unwrap(), heap.bytes_max)
}

/// A PNG whose header promises this size, with next to nothing behind it.
fn promise(width: u32, height: u32) -> Vec<u8> {
    let mut file = png(&RgbImage::new(8, 8));
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&crc.to_be_bytes());
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut crc, &byte| {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

#[test]
fn a_picture_of_60_000_pixels_a_side_costs_nothing() {
    let heap = measure(|| assert!(Screenshot::from_bytes(promise(60_000, 60_000)).is_err()));
    println!("60,000 px a side: {} bytes at most", heap.bytes_max);
    assert!(heap.bytes_max < MEGABYTE);

    // The largest that is a screenshot at all, whole and in part.
    let huge = challenge(promise(32_767, 32_767));
    let part = huge.clone().with_region(Rect::new(5.0, 5.0, 400.0, 400.0));
    for (huge, says) in [(huge, "least scale"), (part.unwrap(), "fit.max_pixels")] {
        let (outcome, bytes) = measured(&huge);
        let error = outcome.unwrap_err();
        println!("32,767 px a side: {bytes} bytes at most: {error}");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.billed(), Billed::No);
        assert!(error.message().contains(says), "{error}");
        assert!(bytes < MEGABYTE, "{bytes}");
    }
}

#[test]
fn the_largest_picture_that_is_decoded_takes_bounded_memory() {
    let file = png(&RgbImage::new(4_096, 4_096));
    let length = file.len();
    let (outcome, bytes) = measured(&challenge(file));
    outcome.unwrap();
    println!("{length} bytes that are 4096x4096 px: {bytes} bytes at most");
    // Three bytes a pixel, and what resampling needs.
    assert!(bytes < 90 * MEGABYTE, "{bytes}");

    let deep = ImageBuffer::from_pixel(4_096, 4_096, Rgba([9_u16, 9, 9, u16::MAX]));
    let mut file = Vec::new();
    let encoder = PngEncoder::new(&mut file);
    DynamicImage::from(deep)
        .write_with_encoder(encoder)
        .unwrap();
    let (outcome, bytes) = measured(&challenge(file));
    outcome.unwrap();
    println!("the same with 16 bits and transparency: {bytes} bytes at most");
    assert!(bytes < 210 * MEGABYTE, "{bytes}");
}

#[test]
fn a_phones_screenshot_takes_little_memory() {
    let picture = background(&mut Random(1), 1_080, 2_400, 100);
    let (outcome, bytes) = measured(&challenge(png(&picture)));
    assert_eq!(outcome.unwrap().challenge.screenshot().height(), 500);
    println!("1080x2400 PNG: {bytes} bytes at most");
    assert!(bytes < 20 * MEGABYTE, "{bytes}");
}

#[test]
fn a_header_that_lies_is_an_error_of_the_picture() {
    let error = fit(&challenge(promise(1_000, 1_000))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
    assert!(error.message().contains("damaged"), "{error}");

    // The canvas of a GIF says one thing, its only frame another, much larger one.
    let mut gif = Vec::new();
    let frame = Frame::new(RgbaImage::new(600, 600));
    GifEncoder::new(&mut gif).encode_frame(frame).unwrap();
    gif[6..10].copy_from_slice(&[0x58, 2, 0x58, 2]);
    let descriptor = gif
        .windows(5)
        .position(|at| at == [0x2c, 0, 0, 0, 0])
        .unwrap();
    gif[descriptor + 5..descriptor + 9].copy_from_slice(&[0xff; 4]);
    let (outcome, bytes) = measured(&challenge(gif));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(bytes < 20 * MEGABYTE, "{bytes}");
}

#[test]
fn a_file_that_is_cut_off_is_an_error_or_whole() {
    let picture = background(&mut Random(2), 600, 300, 30);
    let mut gif = Vec::new();
    let rgba = DynamicImage::from(picture.clone()).into_rgba8();
    GifEncoder::new(&mut gif)
        .encode_frame(Frame::new(rgba))
        .unwrap();
    for (name, file) in [
        ("PNG", png(&picture)),
        ("JPEG", jpeg(&picture, 90)),
        ("WebP", webp(&picture)),
        ("GIF", gif),
    ] {
        let whole = pixels(&fit(&challenge(file.clone())).unwrap());
        let mut refused = 0;
        for part in 1..=20 {
            let length = file.len() * part / 21;
            let Ok(cut) = Screenshot::from_bytes(file[..length].to_vec()) else {
                refused += 1; // even before
                continue;
            };
            match fit(&DragChallenge::new(cut)) {
                Ok(fitted) => assert!(pixels(&fitted) == whole, "{name} cut at {length}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidChallenge, "{name}: {error}");
                    refused += 1;
                }
            }
        }
        assert!(refused >= 15, "{name}: {refused}");
    }
}

#[test]
fn bytes_that_are_turned_at_random_never_panic() {
    let picture = background(&mut Random(3), 520, 60, 30);
    let mut random = Random(4);
    let mut errors = 0;
    for file in [png(&picture), jpeg(&picture, 90), webp(&picture)] {
        for _ in 0..200 {
            let mut bad = file.clone();
            for _ in 0..random.between(1, 6) {
                let at = random.between(0, u32::try_from(bad.len()).unwrap()) as usize;
                bad[at] = random.next().to_le_bytes()[0];
            }
            if let Ok(bad) = Screenshot::from_bytes(bad) {
                errors += u32::from(fit(&DragChallenge::new(bad)).is_err());
            }
        }
    }
    assert!(errors > 100, "{errors}");
}

#[test]
fn a_picture_that_encoders_store_turned_is_refused() {
    // Orientation 6: to be shown turned by a quarter.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 90);
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    encoder.encode_image(&RgbImage::new(600, 300)).unwrap();

    let error = Screenshot::from_bytes(file).unwrap_err().to_string();
    assert!(error.contains("orientation 6"), "{error}");
}

#[test]
fn what_is_transparent_is_shown_on_white() {
    let glass = RgbaImage::from_fn(600, 300, |x, _| match x / 200 {
        0 => Rgba([200, 0, 0, 255]),
        1 => Rgba([200, 0, 0, 0]),
        _ => Rgba([0, 0, 0, 127]),
    });
    let mut file = Vec::new();
    glass
        .write_with_encoder(PngEncoder::new(&mut file))
        .unwrap();
    let shown = pixels(&fit(&challenge(file)).unwrap());
    assert_eq!(shown.get_pixel(80, 100).0, [200, 0, 0]);
    assert_eq!(shown.get_pixel(250, 100).0, [255, 255, 255]);
    assert_eq!(shown.get_pixel(420, 100).0, [128, 128, 128]);
}

#[test]
fn of_an_animation_it_is_the_first_frame() {
    let frame = |grey: u8| RgbImage::from_pixel(600, 300, Rgb([grey; 3]));
    let mut gif = Vec::new();
    let mut encoder = GifEncoder::new(&mut gif);
    for grey in [200, 100, 0] {
        let rgba = DynamicImage::from(frame(grey)).into_rgba8();
        encoder.encode_frame(Frame::new(rgba)).unwrap();
    }
    drop(encoder);
    for file in [gif, animated_webp(&[frame(200), frame(100)])] {
        let challenge = challenge(file);
        let shown = pixels(&fit(&challenge).unwrap());
        let grey = shown.get_pixel(100, 100).0[0];
        assert!(
            (198..=202).contains(&grey),
            "{:?}: {grey}",
            challenge.screenshot()
        );
    }
}

/// Still pictures, one after the other.
fn animated_webp(frames: &[RgbImage]) -> Vec<u8> {
    let chunk = |name: &[u8; 4], body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap();
        let mut chunk = name.to_vec();
        chunk.extend(length.to_le_bytes());
        chunk.extend(body);
        chunk.resize(chunk.len() + body.len() % 2, 0);
        chunk
    };
    let size = [0x57, 2, 0, 0x2b, 1, 0]; // 600x300, each less one, in three bytes
    let mut body = b"WEBP".to_vec();
    body.extend(chunk(b"VP8X", &[&[2, 0, 0, 0][..], &size].concat()));
    body.extend(chunk(b"ANIM", &[0; 6]));
    for frame in frames {
        let still = webp(frame);
        let header = [&[0; 6][..], &size, &[100, 0, 0, 0]].concat();
        body.extend(chunk(b"ANMF", &[&header, &still[12..]].concat()));
    }
    chunk(b"RIFF", &body)
}

#[test]
fn grey_and_deep_pictures_are_read() {
    let grey = ImageBuffer::from_pixel(600, 300, image::Luma([77_u8]));
    let deep = ImageBuffer::from_pixel(600, 300, Rgb([77 * 257_u16; 3]));
    for picture in [DynamicImage::from(grey), DynamicImage::from(deep)] {
        let mut file = Vec::new();
        picture
            .write_with_encoder(PngEncoder::new(&mut file))
            .unwrap();
        let shown = pixels(&fit(&challenge(file)).unwrap());
        assert_eq!(shown.get_pixel(100, 100).0, [77; 3]);
    }
}
