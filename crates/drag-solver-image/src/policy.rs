//! What may be done to a screenshot.

use drag_solver_core::{CheckSettings, ConfigError, Ratio, ScreenshotLimits, setters};

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
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
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
    /// JPEG quality to begin with, 1 to 100; what is beyond counts as the nearer of these. Default: 90,
    /// at which screen text shows no artefacts.
    pub max_quality: u8,
    /// The lowest JPEG quality, 1 to 100. Below it the picture is made smaller instead. Default: 60,
    /// because edges that a person has to click on blur below it. More than `max_quality` counts as
    /// `max_quality`.
    pub min_quality: u8,
    /// The least scale: what would have to be made smaller is refused. Default: 0.1, at which a
    /// finger-sized piece is a few pixels wide. Less than 0.01 counts as 0.01.
    pub min_scale: Ratio,
    /// The most pixels that are decoded. Default: 16 Mi (4096 x 4096), twice a 4K screen. It bounds the
    /// memory that one picture takes: at most 12 bytes for each of them, and usually 5 or 6.
    pub max_pixels: u64,
}

/// Below this scale, no person could see anything.
const LEAST_SCALE: f64 = 0.01;

impl FitPolicy {
    setters! {
        max_bytes: some usize,
        max_side: some u32,
        always_crop: bool,
        max_quality: u8,
        min_quality: u8,
        min_scale: Ratio,
        max_pixels: u64,
    }

    /// The lowest and the highest JPEG quality, such that an encoder can use them.
    pub(crate) fn qualities(&self) -> (u8, u8) {
        let highest = self.max_quality.clamp(1, 100);
        (self.min_quality.clamp(1, highest), highest)
    }

    pub(crate) fn least_scale(&self) -> f64 {
        self.min_scale.get().max(LEAST_SCALE)
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

    /// The settings that are not the defaults, as in `"max_bytes: 900, max_side: 50"`.
    pub(crate) fn changes(&self) -> String {
        let settings = self.settings().into_iter().zip(Self::default().settings());
        let changed = settings.filter(|(own, default)| own != default);
        let changed: Vec<String> = changed.filter_map(|(own, _)| own).collect();
        changed.join(", ")
    }

    fn settings(&self) -> [Option<String>; 7] {
        [
            self.max_bytes.map(|bytes| format!("max_bytes: {bytes}")),
            self.max_side.map(|side| format!("max_side: {side}")),
            Some(format!("always_crop: {}", self.always_crop)),
            Some(format!("max_quality: {}", self.max_quality)),
            Some(format!("min_quality: {}", self.min_quality)),
            Some(format!("min_scale: {}", self.min_scale)),
            Some(format!("max_pixels: {}", self.max_pixels)),
        ]
    }
}

impl CheckSettings for FitPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, problem: String| Err(ConfigError::new(key, problem));
        let (lowest, highest) = (self.min_quality, self.max_quality);
        for (key, quality) in [("max_quality", highest), ("min_quality", lowest)] {
            if !(1..=100).contains(&quality) {
                return refuse(key, format!("must be from 1 to 100, not {quality}"));
            }
        }
        if lowest > highest {
            let problem = format!("must be no more than max_quality, which is {highest}");
            return refuse("min_quality", problem);
        }
        let scale = self.min_scale.get();
        if scale < LEAST_SCALE {
            let problem = format!("must be from {LEAST_SCALE} to 1, not {scale}");
            return refuse("min_scale", problem);
        }
        let nothing = [
            ("max_bytes", self.max_bytes == Some(0)),
            ("max_side", self.max_side == Some(0)),
            ("max_pixels", self.max_pixels == 0),
        ];
        match nothing.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((key, _)) => refuse(key, "must be more than 0".to_owned()),
            None => Ok(()),
        }
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
            min_scale: Ratio::percent(10),
            max_pixels: 16 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_may_not_say_is_named() {
        let fine = FitPolicy::default;
        assert_eq!(fine().check(), Ok(()));
        for (bad, setting) in [
            (fine().max_quality(101), "max_quality"),
            (fine().min_quality(0), "min_quality"),
            (fine().max_quality(50), "min_quality"),
            (fine().min_scale(Ratio::ZERO), "min_scale"),
            (fine().max_bytes(0), "max_bytes"),
            (fine().max_side(0), "max_side"),
            (fine().max_pixels(0), "max_pixels"),
        ] {
            assert_eq!(bad.check().unwrap_err().path(), setting);
        }
        for bad in [r#"{"max_byte": 1}"#, r#"{"min_scale": 1.5}"#] {
            assert!(serde_json::from_str::<FitPolicy>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn code_that_says_it_gets_what_the_docs_promise() {
        let policy = FitPolicy::default;
        for (min, max, expected) in [
            (0, 0, (1, 1)),
            (60, 50, (50, 50)),
            (0, u8::MAX, (1, 100)),
            (u8::MAX, u8::MAX, (100, 100)),
        ] {
            let policy = policy().min_quality(min).max_quality(max);
            assert_eq!(policy.qualities(), expected);
        }
        for (scale, expected) in [(Ratio::ZERO, 0.01), (Ratio::ONE, 1.0)] {
            let least = policy().min_scale(scale).least_scale();
            assert!((least - expected).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn only_what_is_not_the_default_is_shown() {
        assert_eq!(FitPolicy::default().changes(), "");
        let policy = FitPolicy::default().max_side(50).always_crop(true);
        assert_eq!(policy.changes(), "max_side: 50, always_crop: true");
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
