//! Making a challenge fit.

use drag_solver_core::{
    DragChallenge, ErrorKind, Frame, ImageFormat, Screenshot, ScreenshotLimits, SolveError,
};
use image::RgbImage;
use image::imageops::FilterType;

use crate::FitPolicy;
use crate::decode::decode;
use crate::encode::{Misfit, encode};
use crate::mapping::{Crop, Mapping};

/// What each further try makes of both sides, when the lowest quality is still too many bytes.
const STEP: f64 = 0.8;

/// A challenge that fits, and the way back from its answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FittedChallenge {
    /// What to send. If the original already fitted it is the original, byte for byte; otherwise its
    /// screenshot is another one, and has no region.
    pub challenge: DragChallenge,
    /// From the answer to the original screenshot.
    pub mapping: Mapping,
}

/// Makes `challenge` fit into `limits`, as [`Fit`](crate::Fit) does. Keeps the thread busy for some
/// hundredths of a second: on an async thread use [`Fit`](crate::Fit), or `spawn_blocking`.
///
/// The same challenge, limits and policy always give the same picture and mapping.
///
/// # Errors
///
/// [`ErrorKind::InvalidChallenge`] for a damaged picture; [`ErrorKind::Unsupported`] for one that
/// cannot be made to fit, or that takes too much to decode.
///
/// ```
/// use drag_solver_core::{Point, ScreenshotLimits};
/// use drag_solver_image::{FitPolicy, fit_challenge};
/// use drag_solver_mock::pictures::TestPicture;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let challenge = TestPicture::draw_sized(7, 400, 800)?.challenge();
/// let limits = ScreenshotLimits::none().with_max_side(200);
/// let fitted = fit_challenge(&challenge, &limits, &FitPolicy::default())?;
/// assert_eq!(fitted.challenge.screenshot().height(), 200);
/// let clicked = Point::new(10.0, 20.0);
/// assert_eq!(fitted.mapping.point_to_original(clicked), Point::new(41.5, 81.5));
/// # Ok(())
/// # }
/// ```
pub fn fit_challenge(
    challenge: &DragChallenge,
    limits: &ScreenshotLimits,
    policy: &FitPolicy,
) -> Result<FittedChallenge, SolveError> {
    if fits(challenge, limits, policy) {
        return Ok(FittedChallenge {
            challenge: challenge.clone(),
            mapping: Mapping::identity(challenge.screenshot()),
        });
    }
    let (screenshot, mapping) = refit(challenge, limits, policy, &|| true)
        .map_err(|error| hand_back_jobs(challenge, error))?;
    Ok(FittedChallenge {
        challenge: challenge.clone().with_screenshot(screenshot),
        mapping,
    })
}

/// Whether the challenge is sent as it is.
pub(crate) fn fits(
    challenge: &DragChallenge,
    limits: &ScreenshotLimits,
    policy: &FitPolicy,
) -> bool {
    let screenshot = challenge.screenshot();
    let crop = Crop::of(screenshot, challenge.region());
    let is_cropped = policy.always_crop && !crop.is_whole(screenshot);
    !is_cropped && policy.within(limits).check(screenshot).is_ok()
}

/// Another screenshot of the same challenge that is within the limits. It is given up between two
/// steps if `is_wanted` says no.
pub(crate) fn refit(
    challenge: &DragChallenge,
    limits: &ScreenshotLimits,
    policy: &FitPolicy,
    is_wanted: &dyn Fn() -> bool,
) -> Result<(Screenshot, Mapping), SolveError> {
    let limits = policy.within(limits);
    if !limits.takes(ImageFormat::Jpeg) && !limits.takes(ImageFormat::Png) {
        let formats = limits.formats().unwrap_or_default();
        let problem = format!("only {formats:?} are taken, and only JPEG and PNG can be made");
        return Err(SolveError::new(ErrorKind::Unsupported, problem));
    }
    let screenshot = challenge.screenshot();
    let crop = Crop::of(screenshot, challenge.region());
    let mut scale = crop.scale_to(limits.max_side());
    let least_scale = policy.least_scale();
    // Before anything is decoded: a picture that is much too long is refused at no cost.
    if scale < least_scale {
        return Err(too_small(crop, &limits, policy, None));
    }
    let original = decode(screenshot, crop, policy.max_pixels)?;
    while is_wanted() {
        let size = crop.scaled(scale);
        let scaled;
        let picture = if size == original.dimensions() {
            &original
        } else {
            scaled = resize(&original, size);
            &scaled
        };
        match encode(picture, &limits, policy) {
            Ok(file) => return Ok((Screenshot::from_bytes(file)?, Mapping::new(crop, size))),
            Err(Misfit::Failed(error)) => return Err(error),
            Err(Misfit::TooLarge(bytes)) if scale * STEP < least_scale => {
                return Err(too_small(crop, &limits, policy, Some(bytes)));
            }
            Err(Misfit::TooLarge(_)) => scale *= STEP,
        }
    }
    let problem = "no caller waits for the screenshot any more";
    Err(SolveError::new(ErrorKind::DeadlineExceeded, problem))
}

/// The screenshot again in the frame in which it was sent, for an answer that is in pixels of that.
pub(crate) fn refit_as(
    challenge: &DragChallenge,
    frame: Frame,
    policy: &FitPolicy,
) -> Result<(Screenshot, Mapping), SolveError> {
    let (screenshot, mapping) = (challenge.screenshot(), Mapping::from(frame));
    if !frame.is_on(screenshot) {
        let problem = format!(
            "the job was paid for with another screenshot: its part {} is not on this one",
            mapping.crop()
        );
        return Err(SolveError::new(ErrorKind::InvalidChallenge, problem));
    }
    let size = (frame.sent_width, frame.sent_height);
    let original = decode(screenshot, mapping.part(), policy.max_pixels)?;
    match encode(&resize(&original, size), &ScreenshotLimits::none(), policy) {
        Ok(file) => Ok((Screenshot::from_bytes(file)?, mapping)),
        Err(Misfit::Failed(error)) => Err(error),
        Err(Misfit::TooLarge(bytes)) => Err(too_small(
            mapping.part(),
            &ScreenshotLimits::none(),
            policy,
            Some(bytes),
        )),
    }
}

/// The same error with the jobs that the challenge brought: no refusal forgets them.
pub(crate) fn hand_back_jobs(challenge: &DragChallenge, error: SolveError) -> SolveError {
    error.handing_back(challenge.paid_jobs().iter().cloned())
}

/// Sharp enough for text, and no more expensive than that. Centre of pixels to centre of pixels, as
/// the mapping has it.
fn resize(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    image::imageops::resize(picture, width, height, FilterType::CatmullRom)
}

fn too_small(
    crop: Crop,
    limits: &ScreenshotLimits,
    policy: &FitPolicy,
    bytes: Option<usize>,
) -> SolveError {
    let Crop { width, height, .. } = crop;
    let (scale, (quality, _)) = (policy.least_scale(), policy.qualities());
    let needs = match (bytes, limits.max_bytes(), limits.max_side()) {
        (Some(bytes), Some(most), _) => format!(
            "it still has {bytes} bytes instead of {most} at the lowest quality allowed ({quality})"
        ),
        (_, _, Some(side)) => format!("no side may exceed {side} px"),
        _ => "it does not fit".to_owned(),
    };
    SolveError::new(
        ErrorKind::Unsupported,
        format!(
            "{width}x{height} px cannot be made to fit at the least scale allowed ({scale}): {needs}; \
             give the challenge a (smaller) region, or lower fit.min_scale or fit.min_quality"
        ),
    )
}
