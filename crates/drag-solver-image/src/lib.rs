//! Makes a screenshot fit what a provider takes, and maps the answer back to it.
//!
//! Providers state what they take: 2Captcha at most 600 kB and 1000 px a side, Anti-Captcha 500 kB and
//! 500 px. A phone's screenshot is beyond that. [`FitExt::fit`] around a provider makes it fit, and the
//! answer is in pixels of the screenshot as it was:
//!
//! ```
//! use drag_solver_core::{DragSolver, Drag, Point, ScreenshotLimits};
//! use drag_solver_image::{FitExt, FitPolicy};
//! # use drag_solver_mock::{MockSolver, pictures::TestPicture};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let limits = ScreenshotLimits::none().with_max_side(250);
//! # let answer = Drag::new(Point::new(10.0, 100.0), Point::new(60.0, 100.0));
//! # let provider = MockSolver::new("mock").with_limits(limits).always(answer);
//! # let challenge = TestPicture::draw_sized(7, 250, 500)?.challenge();
//! // `provider` takes at most 250 px a side, and the screenshot has 250 x 500.
//! let solver = provider.fit(FitPolicy::default());
//!
//! let solution = solver.solve(&challenge).await?;
//! // It saw 125 x 250 px, and clicked on 10,100 and 60,100.
//! assert_eq!(solution.drag().to_string(), "20.5,200.5 -> 120.5,200.5");
//! # Ok(())
//! # }
//! ```
//!
//! It knows the limits from the solver's [profile](drag_solver_core::Profile::limits). Limits of
//! one's own, to make uploads shorter, are in the [`FitPolicy`]: `.fit(FitPolicy::default()
//! .max_bytes(150_000).max_side(1_200))` works for a provider that takes everything, too.
//!
//! # What is sent
//!
//! 1. A challenge that fits is sent byte for byte, region and all. (With
//!    [`always_crop`](FitPolicy::always_crop) it is cropped to its region all the same.)
//! 2. Any other is cropped to its region, in whole pixels, if it has one.
//! 3. It is scaled down until no side is too long. Nothing is ever enlarged.
//! 4. It is encoded: as PNG if that is no larger than the best JPEG, which is so for flat colours, and
//!    loses nothing; else as the JPEG of the best quality that fits, from
//!    [`max_quality`](FitPolicy::max_quality) down to [`min_quality`](FitPolicy::min_quality).
//! 5. If that is still too many bytes, both sides are made smaller by a fifth, and again, down to
//!    [`min_scale`](FitPolicy::min_scale). Below that no person could see anything, and it is refused.
//!
//! Of a picture that is encoded anew the workers see the pixels of the file: of an animation the first
//! frame, transparent pixels on white, and no colour profile (colours of a wide-gamut screen look a little
//! paler). A file that is sent byte for byte is shown by the provider as the provider shows it.
//!
//! # Hostile pictures
//!
//! Nothing is decoded before its size in pixels is known and within
//! [`max_pixels`](FitPolicy::max_pixels), so a file that unpacks to gigabytes costs nothing; what
//! cannot be scaled enough is refused before that. A header that lies about the size, a file that is cut
//! off, and a codec that panics are errors of that one challenge. At most four pictures are worked on at
//! once.
//!
//! # The codecs
//!
//! Those of the crate [`image`], in pure Rust, with the four formats a screenshot can have and nothing
//! else: it is the one that is used and fuzzed most, and reads and writes all of them. Its JPEG encoder
//! keeps colour at full resolution, which thin coloured lines need. Measured and not taken:
//! `fast_image_resize` (2 ms instead of 30 for a phone's screen, of an answer that takes seconds) and
//! `jpeg-encoder` (a sixth smaller, but under one more licence).

mod decode;
mod encode;
mod fit;
mod mapping;
mod offload;
mod policy;
mod solver;

pub use crate::fit::{FittedChallenge, fit_challenge};
pub use crate::mapping::Mapping;
pub use crate::policy::FitPolicy;
pub use crate::solver::{Fit, FitExt};
