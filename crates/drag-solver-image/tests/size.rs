//! What is sent, how large it is, and that it is always the same.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use drag_solver_core::{
    DragChallenge, ErrorKind, ImageFormat, Ratio, Rect, Screenshot, ScreenshotLimits,
};
use drag_solver_image::{FitPolicy, FittedChallenge, fit_challenge};
use drag_solver_mock::pictures::TestPicture;
use support::{Random, background, challenge, png, webp};

const NONE: ScreenshotLimits = ScreenshotLimits::none();

fn fit(challenge: &DragChallenge, limits: ScreenshotLimits) -> FittedChallenge {
    fit_challenge(challenge, &limits, &FitPolicy::default()).unwrap()
}

fn noisy(width: u32, height: u32) -> DragChallenge {
    challenge(png(&background(&mut Random(1), width, height, 150)))
}

fn size(fitted: &FittedChallenge) -> (u32, u32) {
    let sent = fitted.challenge.screenshot();
    (sent.width(), sent.height())
}

fn bytes(fitted: &FittedChallenge) -> usize {
    fitted.challenge.screenshot().bytes().len()
}

#[test]
fn what_fits_is_sent_byte_for_byte_with_its_region() {
    let region = Rect::new(10.0, 20.0, 100.0, 100.0);
    let original = noisy(300, 400).with_region(region).unwrap();
    let exact = NONE
        .with_max_bytes(original.screenshot().bytes().len())
        .with_max_side(400)
        .with_formats(&[ImageFormat::Png]);
    for limits in [NONE, exact] {
        let fitted = fit(&original, limits);
        let sent = fitted.challenge.screenshot();
        assert_eq!(sent, original.screenshot());
        assert_eq!(
            sent.bytes().as_ptr(),
            original.screenshot().bytes().as_ptr()
        );
        assert_eq!(fitted.challenge.region(), Some(region));
        assert_eq!(fitted.mapping.scale(), (1.0, 1.0));
    }
    let policy = FitPolicy::default().always_crop(true);
    let cropped = fit_challenge(&original, &exact, &policy).unwrap();
    assert_eq!(size(&cropped), (100, 100));
    assert_eq!(cropped.challenge.region(), None);
    assert_eq!(cropped.mapping.crop(), region);
    let whole = noisy(300, 400);
    let untouched = fit_challenge(&whole, &NONE, &policy).unwrap();
    assert_eq!(untouched.challenge.screenshot(), whole.screenshot());
}

#[test]
fn a_side_over_the_limit_is_scaled_and_the_region_cropped() {
    let phone = noisy(1_080, 2_400);
    assert_eq!(size(&fit(&phone, NONE.with_max_side(1_000))), (450, 1_000));
    assert_eq!(size(&fit(&phone, NONE.with_max_side(500))), (225, 500));
    let part = phone.with_region(Rect::new(40.0, 380.5, 510.0, 400.0));
    let part = fit(&part.unwrap(), NONE.with_max_side(600));
    assert_eq!(size(&part), (510, 401));
    assert_eq!(part.mapping.crop(), Rect::new(40.0, 380.0, 510.0, 401.0));
    assert_eq!(part.mapping.scale(), (1.0, 1.0));
}

#[test]
fn the_best_quality_that_fits_is_found() {
    let original = noisy(500, 500);
    let at = |quality: u8| {
        let policy = FitPolicy::default()
            .max_quality(quality)
            .min_quality(quality);
        let formats = NONE.with_formats(&[ImageFormat::Jpeg]);
        bytes(&fit_challenge(&original, &formats, &policy).unwrap())
    };
    for quality in [60, 61, 75, 89, 90] {
        let limits = NONE.with_max_bytes(at(quality));
        let fitted = fit(&original, limits);
        assert_eq!(bytes(&fitted), at(quality), "{quality}");
        assert_eq!(size(&fitted), (500, 500));
    }
    // One byte less, and it is the next lower quality.
    assert_eq!(
        bytes(&fit(&original, NONE.with_max_bytes(at(75) - 1))),
        at(74)
    );
    // Below the lowest, it is made smaller, and then as good as it can be.
    let smaller = fit(&original, NONE.with_max_bytes(at(60) - 1));
    assert_eq!(size(&smaller), (400, 400));
    assert!(bytes(&smaller) < at(60));
}

#[test]
fn flat_colours_stay_lossless() {
    let picture = TestPicture::draw_sized(1, 300, 600).unwrap();
    let fitted = fit(
        &picture.challenge(),
        NONE.with_formats(&[ImageFormat::Jpeg, ImageFormat::Png])
            .with_max_bytes(1_000_000)
            .with_max_side(599),
    );
    assert!(bytes(&fitted) <= 1_000_000);
    let flat = challenge(webp(&image::RgbImage::new(300, 300)));
    let limits = NONE.with_formats(&[ImageFormat::Jpeg, ImageFormat::Png]);
    let sent = fit(&flat, limits);
    assert_eq!(sent.challenge.screenshot().format(), ImageFormat::Png);
    let sent = fit(
        &challenge(webp(&background(&mut Random(1), 300, 300, 150))),
        limits,
    );
    assert_eq!(sent.challenge.screenshot().format(), ImageFormat::Jpeg);
    let only_png = fit(
        &noisy(300, 300),
        NONE.with_formats(&[ImageFormat::Png]).with_max_side(200),
    );
    assert_eq!(only_png.challenge.screenshot().format(), ImageFormat::Png);
}

#[test]
fn what_cannot_be_made_to_fit_is_refused_with_what_to_do() {
    let phone = noisy(1_080, 2_400);
    let formats = NONE.with_formats(&[ImageFormat::Gif]);
    for (limits, says) in [
        (NONE.with_max_side(200), "no side may exceed 200 px"),
        (
            NONE.with_max_side(500).with_max_bytes(2_000),
            "bytes instead of 2000",
        ),
        (formats, "only JPEG and PNG can be made"),
    ] {
        let error = fit_challenge(&phone, &limits, &FitPolicy::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(says), "{error}");
        if limits != formats {
            assert!(error.message().contains("fit.min_scale"), "{error}");
        }
    }
    let policy = FitPolicy::default().min_scale(Ratio::percent(5));
    assert!(fit_challenge(&phone, &NONE.with_max_side(200), &policy).is_ok());
}

/// A job that is resumed by another run of the program is mapped by a picture made anew.
#[test]
fn the_same_challenge_gives_the_same_picture_on_every_thread() {
    let make = || {
        let picture = noisy(700, 1_500).with_region(Rect::new(3.5, 7.5, 600.0, 1_400.0));
        let limits = NONE.with_max_side(500).with_max_bytes(20_000);
        let fitted = fit(&picture.unwrap(), limits);
        (fitted.challenge.screenshot().clone(), fitted.mapping)
    };
    let first: (Screenshot, _) = make();
    let threads: Vec<_> = (0..3).map(|_| std::thread::spawn(make)).collect();
    for thread in threads {
        assert!(thread.join().unwrap() == first);
    }
}
