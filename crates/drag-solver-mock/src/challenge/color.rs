//! Colours and how they are laid over each other.

/// Red, green and blue, 0 to 255 each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rgb(pub(super) f64, pub(super) f64, pub(super) f64);

pub(super) const WHITE: Rgb = Rgb(255.0, 255.0, 255.0);
pub(super) const BLACK: Rgb = Rgb(0.0, 0.0, 0.0);

impl Rgb {
    #[allow(clippy::cast_lossless)] // `f64::from` is not const
    pub(super) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self(red as f64, green as f64, blue as f64)
    }

    /// This colour with `part` (0 to 1) of `other` in it.
    pub(super) fn mix(self, other: Self, part: f64) -> Self {
        let part = part.clamp(0.0, 1.0);
        let channel = |a: f64, b: f64| a + (b - a) * part;
        Self(
            channel(self.0, other.0),
            channel(self.1, other.1),
            channel(self.2, other.2),
        )
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=255
    pub(super) fn bytes(self) -> [u8; 3] {
        let byte = |channel: f64| (channel + 0.5).clamp(0.0, 255.0) as u8;
        [byte(self.0), byte(self.1), byte(self.2)]
    }
}
