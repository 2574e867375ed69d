//! What may be done to a screenshot.

use drag_solver_core::ScreenshotLimits;
use serde::{Deserialize, Serialize};

/// What may be done to a screenshot that does not fit, and limits of one's own.
///
/// A screenshot is touched only if it is beyond the provider's limits, or beyond
/// [`max_bytes`](Self::max_bytes) or [`max_side`](Self::max_side), which are there to shorten an
/// upload.
///
/// ```
/// use drag_solver_image::FitPolicy;
///
/// let policy = FitPolicy::default().max_bytes(200_000).max_side(1_200);
/// let from_file: FitPolicy =
///     serde_json::from_str(r#"{"max_bytes": 200000, "max_side": 1200}"#)?;
/// assert_eq!(from_file, policy);
/// assert_eq!(
///     FitPolicy::default().min_quality(0).check().unwrap_err().to_string(),
///     "fit.min_quality must be from 1 to 100, not 0"
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FitPolicy {
    /// The most bytes that are sent, if the provider does not say less. Default: what it says.
    pub max_bytes: Option<usize>,
    /// The longest side that is sent, in pixels, if the provider does not say less. Default: what it
    /// says.
    pub max_side: Option<u32>,
    /// Whether a challenge with a region is cropped to it even if the whole screenshot fits. Default:
    /// no, what fits is sent byte for byte.
    pub always_crop: bool,
    /// JPEG quality to begin with, 1 to 100. Default: 90, at which screen text shows no artefacts.
    pub max_quality: u8,
    /// The lowest JPEG quality, 1 to 100. Below it the picture is made smaller instead. Default: 60,
    /// because edges that a person has to click on blur below it.
    pub min_quality: u8,
    /// The least scale, 0.01 to 1: what would have to be made smaller is refused. Default: 0.1, at
    /// which a finger-sized piece is a few pixels wide.
    pub min_scale: f64,
    /// The most pixels that are decoded. Default: 16 Mi (4096 x 4096), twice a 4K screen. It bounds the
    /// memory that one picture takes: 12 bytes for each of them at the most, and usually 5 or 6.
    pub max_pixels: u64,
}

impl FitPolicy {
    /// Sets [`max_bytes`](Self::max_bytes).
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Sets [`max_side`](Self::max_side), in pixels.
    #[must_use]
    pub const fn max_side(mut self, pixels: u32) -> Self {
        self.max_side = Some(pixels);
        self
    }

    /// Sets [`always_crop`](Self::always_crop).
    #[must_use]
    pub const fn always_crop(mut self, always: bool) -> Self {
        self.always_crop = always;
        self
    }

    /// Sets [`max_quality`](Self::max_quality).
    #[must_use]
    pub const fn max_quality(mut self, quality: u8) -> Self {
        self.max_quality = quality;
        self
    }

    /// Sets [`min_quality`](Self::min_quality).
    #[must_use]
    pub const fn min_quality(mut self, quality: u8) -> Self {
        self.min_quality = quality;
        self
    }

    /// Sets [`min_scale`](Self::min_scale).
    #[must_use]
    pub const fn min_scale(mut self, scale: f64) -> Self {
        self.min_scale = scale;
        self
    }

    /// Sets [`max_pixels`](Self::max_pixels).
    #[must_use]
    pub const fn max_pixels(mut self, pixels: u64) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// Whether a solver can work with these settings.
    ///
    /// # Errors
    ///
    /// A limit of zero, a quality outside 1 to 100, a `min_quality` above the `max_quality`, or a
    /// `min_scale` outside 0.01 to 1.
    pub fn check(&self) -> Result<(), InvalidFitPolicy> {
        let refuse = |setting, problem| Err(InvalidFitPolicy { setting, problem });
        for (setting, quality) in [
            ("max_quality", self.max_quality),
            ("min_quality", self.min_quality),
        ] {
            if !(1..=100).contains(&quality) {
                return refuse(setting, format!("must be from 1 to 100, not {quality}"));
            }
        }
        if self.min_quality > self.max_quality {
            let most = self.max_quality;
            return refuse(
                "min_quality",
                format!("must be no more than max_quality, which is {most}"),
            );
        }
        if !(0.01..=1.0).contains(&self.min_scale) {
            let scale = self.min_scale;
            return refuse("min_scale", format!("must be from 0.01 to 1, not {scale}"));
        }
        let nothing = [
            ("max_bytes", self.max_bytes == Some(0)),
            ("max_side", self.max_side == Some(0)),
            ("max_pixels", self.max_pixels == 0),
        ];
        match nothing.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((setting, _)) => refuse(setting, "must be more than 0".to_owned()),
            None => Ok(()),
        }
    }

    /// The provider's limits and one's own, whichever is nearer.
    pub(crate) fn within(&self, limits: &ScreenshotLimits) -> ScreenshotLimits {
        let mut both = *limits;
        if let Some(bytes) = self.max_bytes {
            both =
                both.with_max_bytes(limits.max_bytes().map_or(bytes, |theirs| theirs.min(bytes)));
        }
        if let Some(side) = self.max_side {
            both = both.with_max_side(limits.max_side().map_or(side, |theirs| theirs.min(side)));
        }
        both
    }
}

impl Default for FitPolicy {
    fn default() -> Self {
        Self {
            max_bytes: None,
            max_side: None,
            always_crop: false,
            max_quality: 90,
            min_quality: 60,
            min_scale: 0.1,
            max_pixels: 16 * 1024 * 1024,
        }
    }
}

/// A setting that nothing can be made to fit with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fit.{setting} {problem}")]
pub struct InvalidFitPolicy {
    setting: &'static str,
    problem: String,
}

impl InvalidFitPolicy {
    /// What is wrong with it, as in `"must be more than 0"`.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The name of the setting, as in `"min_scale"`.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_refused_by_name() {
        let fine = FitPolicy::default;
        assert_eq!(fine().check(), Ok(()));
        for (bad, setting) in [
            (fine().max_quality(101), "max_quality"),
            (fine().min_quality(0), "min_quality"),
            (fine().max_quality(50), "min_quality"),
            (fine().min_scale(0.0), "min_scale"),
            (fine().min_scale(1.5), "min_scale"),
            (fine().min_scale(f64::NAN), "min_scale"),
            (fine().max_bytes(0), "max_bytes"),
            (fine().max_side(0), "max_side"),
            (fine().max_pixels(0), "max_pixels"),
        ] {
            assert_eq!(bad.check().unwrap_err().setting(), setting);
        }
        assert!(serde_json::from_str::<FitPolicy>(r#"{"max_byte": 1}"#).is_err());
    }

    #[test]
    fn the_nearer_limit_counts() {
        let theirs = ScreenshotLimits::none()
            .with_max_bytes(500)
            .with_max_side(50);
        let nearer = FitPolicy::default().max_bytes(400).max_side(40);
        let farther = FitPolicy::default().max_bytes(600).max_side(60);
        let none = ScreenshotLimits::none();
        assert_eq!(farther.within(&theirs), theirs);
        assert_eq!(FitPolicy::default().within(&theirs), theirs);
        let ours = none.with_max_bytes(400).with_max_side(40);
        assert_eq!(nearer.within(&theirs), ours);
        assert_eq!(nearer.within(&none), ours);
    }
}
