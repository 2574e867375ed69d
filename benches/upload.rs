//! What an upload takes with the screenshot as it is, and made to fit: bytes, time to make it fit, and
//! time until the last byte is sent, calculated for lines of 5, 20 and 100 Mbit/s.
//!
//! `cargo bench -p drag-solver-benches --bench upload`

#![allow(clippy::print_stdout)] // the figures are what it is for

use std::error::Error;
use std::time::{Duration, Instant};

use drag_solver::testing::pictures::TestPicture;
use drag_solver::{DragChallenge, FitPolicy, Rect, Screenshot, ScreenshotLimits, fit_challenge};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

const LINES: [f64; 3] = [5e6, 20e6, 100e6]; // bits a second

/// How often each is made to fit. The shortest time counts: the others were disturbed.
const TIMES: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let drawn = TestPicture::draw_sized(1, 1_080, 2_400)?;
    let photographed = photographed(drawn.screenshot())?;
    for (name, screenshot) in [
        ("drawn", drawn.screenshot()),
        ("photographed", &photographed),
    ] {
        println!("{name}: {screenshot:?}");
        compare(screenshot, drawn.region())?;
    }
    Ok(())
}

fn compare(screenshot: &Screenshot, region: Rect) -> Result<(), Box<dyn Error>> {
    let none = ScreenshotLimits::none();
    let whole = DragChallenge::new(screenshot.clone());
    let card = whole.clone().with_region(region)?;
    let default = FitPolicy::default();
    for (name, challenge, limits, policy) in [
        ("500 px a side", &whole, none.with_max_side(500), default),
        ("1000 px a side", &whole, none.with_max_side(1_000), default),
        ("150 kB", &whole, none, default.max_bytes(150_000)),
        ("region", &card, none, default.always_crop(true)),
        (
            "region, 500 px a side",
            &card,
            none,
            default.always_crop(true).max_side(500),
        ),
    ] {
        let mut took = Duration::MAX;
        let mut sent = screenshot.clone();
        for _ in 0..TIMES {
            let begun = Instant::now();
            let fitted = fit_challenge(challenge, &limits, &policy)?;
            took = took.min(begun.elapsed());
            sent = fitted.challenge.screenshot().clone();
        }
        print!("  {name}: {sent:?} in {:.1} ms;", took.as_secs_f64() * 1e3);
        for line in LINES {
            let raw = on_the_line(screenshot, line);
            let fitted = took.as_secs_f64() + on_the_line(&sent, line);
            print!(
                " {:.0} Mbit/s {:.0} -> {:.0} ms, {:.1}x;",
                line / 1e6,
                raw * 1e3,
                fitted * 1e3,
                raw / fitted
            );
        }
        println!();
    }
    Ok(())
}

/// Seconds until the last byte of a body with this picture is sent: base64, as every provider wants it.
#[allow(clippy::cast_precision_loss)] // a file has fewer than 2^52 bytes
fn on_the_line(screenshot: &Screenshot, bits_a_second: f64) -> f64 {
    let base64 = screenshot.bytes().len().div_ceil(3) * 4;
    base64 as f64 * 8.0 / bits_a_second
}

/// The same picture with the noise of a camera, which is what makes a PNG of a photograph large.
fn photographed(screenshot: &Screenshot) -> Result<Screenshot, Box<dyn Error>> {
    let mut picture = image::load_from_memory(screenshot.bytes())?.into_rgb8();
    let mut state: u32 = 1;
    for byte in picture.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = state.to_be_bytes()[0] % 13;
        *byte = byte.saturating_add(noise).saturating_sub(6);
    }
    let mut file = Vec::new();
    let (compression, filter) = (CompressionType::Default, FilterType::Adaptive);
    picture.write_with_encoder(PngEncoder::new_with_quality(&mut file, compression, filter))?;
    Ok(Screenshot::from_bytes(file)?)
}
