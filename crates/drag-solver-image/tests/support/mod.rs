//! Pictures whose drag is drawn in, and a solver that finds it in what arrives.

#![allow(dead_code, clippy::unwrap_used)] // each test uses its part; a failed `unwrap` is a failed test

use std::sync::{Arc, Mutex};

use drag_solver_core::{
    Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot, Solution, SolveError,
    async_trait,
};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{Rgb, RgbImage};

/// `SplitMix64`: the same numbers everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` up to, and not including, `high`.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + u32::try_from(self.next() % u64::from(high - low)).unwrap()
    }

    /// From 0 up to, and not including, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        f64::from(self.between(0, 1 << 24)) / f64::from(1 << 24)
    }
}

/// Greys all over, as a screen of text and photographs has them: no colour, so that the two discs are
/// the only coloured things. `noise` is 0 to 255.
pub(crate) fn background(random: &mut Random, width: u32, height: u32, noise: u32) -> RgbImage {
    let mut picture = RgbImage::new(width, height);
    let (across, down) = (random.between(1, 7), random.between(1, 7));
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let mut grey = 60 + (x * across + y * down) / 16 % 120;
        if noise > 0 {
            grey += random.between(0, noise);
        }
        *pixel = Rgb([u8::try_from(grey.min(255)).unwrap(); 3]);
    }
    for _ in 0..12 {
        let (left, top) = (random.between(0, width), random.between(0, height));
        let grey = u8::try_from(random.between(0, 256)).unwrap();
        for y in top..(top + 3).min(height) {
            for x in left..(left + 40).min(width) {
                picture.put_pixel(x, y, Rgb([grey; 3]));
            }
        }
    }
    picture
}

/// Draws a disc and returns the centre of the pixels that it covers.
pub(crate) fn disc(picture: &mut RgbImage, centre: Point, radius: f64, color: [u8; 3]) -> Point {
    let (mut x_sum, mut y_sum, mut count) = (0.0, 0.0, 0.0);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let at = Point::new(x.into(), y.into());
        if at.distance(centre) <= radius {
            *pixel = Rgb(color);
            x_sum += at.x;
            y_sum += at.y;
            count += 1.0;
        }
    }
    Point::new(x_sum / count, y_sum / count)
}

pub(crate) const START: [u8; 3] = [255, 0, 255];
pub(crate) const END: [u8; 3] = [0, 255, 0];

pub(crate) fn png(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive);
    picture.write_with_encoder(encoder).unwrap();
    file
}

pub(crate) fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder.encode_image(picture).unwrap();
    file
}

pub(crate) fn webp(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut file);
    picture.write_with_encoder(encoder).unwrap();
    file
}

pub(crate) fn challenge(file: Vec<u8>) -> DragChallenge {
    DragChallenge::new(Screenshot::from_bytes(file).unwrap())
}

/// Looks at the pixels that arrive, and drags from the magenta disc to the green one. Knows nothing of
/// how they came to be where they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finder {
    /// Bytes, width and height of each picture.
    pub(crate) seen: Arc<Mutex<Vec<(usize, u32, u32)>>>,
}

#[async_trait]
impl DragSolver for Finder {
    fn name(&self) -> &'static str {
        "finder"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let file = challenge.screenshot().bytes();
        let picture = image::load_from_memory(file).unwrap().into_rgb8();
        let (width, height) = picture.dimensions();
        self.seen.lock().unwrap().push((file.len(), width, height));
        match (
            centre(&picture, |[r, g, b]| r.min(b) - g),
            centre(&picture, |[r, g, b]| g - r.max(b)),
        ) {
            (Some(start), Some(end)) => Ok(Solution::new(Drag::new(start, end), "finder")),
            _ => Err(SolveError::new(ErrorKind::Unsolvable, "no discs")),
        }
    }
}

/// The centre of the pixels of one colour, each as heavy as it is coloured.
pub(crate) fn centre(picture: &RgbImage, color: impl Fn([i32; 3]) -> i32) -> Option<Point> {
    let (mut x_sum, mut y_sum, mut weights) = (0.0, 0.0, 0.0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let weight = color(pixel.0.map(i32::from));
        if weight > 80 {
            x_sum += f64::from(weight) * f64::from(x);
            y_sum += f64::from(weight) * f64::from(y);
            weights += f64::from(weight);
        }
    }
    (weights > 0.0).then(|| Point::new(x_sum / weights, y_sum / weights))
}
