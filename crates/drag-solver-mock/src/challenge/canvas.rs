//! Layers, painted row by row, so that a picture of any size takes the memory of one row.

use super::color::Rgb;
use super::shapes;

/// Part of a picture: colour and coverage (0 to 1) of each pixel in a box.
pub(super) struct Layer {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    paint: Box<dyn Fn(f64, f64) -> (Rgb, f64)>,
}

/// A picture: a background, and layers from the lowest to the highest.
pub(super) struct Canvas {
    background: Rgb,
    layers: Vec<Layer>,
}

impl Canvas {
    pub(super) fn new(background: Rgb) -> Self {
        Self {
            background,
            layers: Vec::new(),
        }
    }

    /// Adds what `paint` says of each pixel at most `reach_x`, `reach_y` from `x`, `y`. `paint` gets
    /// the pixel's place relative to `x`, `y`.
    pub(super) fn paint(
        &mut self,
        (x, y): (f64, f64),
        (reach_x, reach_y): (f64, f64),
        paint: impl Fn(f64, f64) -> (Rgb, f64) + 'static,
    ) {
        self.layers.push(Layer {
            left: x - reach_x,
            top: y - reach_y,
            right: x + reach_x,
            bottom: y + reach_y,
            paint: Box::new(move |px, py| paint(px - x, py - y)),
        });
    }

    /// Adds a rounded rectangle of one colour around `centre`.
    pub(super) fn rounded(
        &mut self,
        centre: (f64, f64),
        (width, height): (f64, f64),
        radius: f64,
        color: Rgb,
    ) {
        let reach = (width / 2.0 + 1.0, height / 2.0 + 1.0);
        self.paint(centre, reach, move |x, y| {
            let distance = shapes::rounded(x, y, width, height, radius);
            (color, shapes::coverage(distance))
        });
    }

    /// Paints the row of pixels `y` into `row`, three bytes a pixel.
    pub(super) fn paint_row(&self, y: u32, row: &mut [u8]) {
        let background = self.background.bytes();
        for pixel in row.chunks_exact_mut(3) {
            pixel.copy_from_slice(&background);
        }
        let y = f64::from(y) + 0.5;
        for layer in &self.layers {
            if (layer.top..layer.bottom).contains(&y) {
                paint_layer(layer, y, row);
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // such casts saturate
fn paint_layer(layer: &Layer, y: f64, row: &mut [u8]) {
    let (first, last) = (layer.left.max(0.0) as u32, layer.right.max(0.0) as u32);
    let pixels = row.chunks_exact_mut(3).skip(first as usize);
    for (x, pixel) in (first..=last).zip(pixels) {
        let (color, coverage) = (layer.paint)(f64::from(x) + 0.5, y);
        if coverage >= 1.0 {
            pixel.copy_from_slice(&color.bytes());
        } else if coverage > 0.0 {
            let below = Rgb::new(pixel[0], pixel[1], pixel[2]);
            pixel.copy_from_slice(&below.mix(color, coverage).bytes());
        }
    }
}
