//! A challenge in one word, for tests that do not care which.

use drag_solver_core::{Drag, DragChallenge, Point, Screenshot};

/// A screenshot of 591 x 1149 px, the size of a phone's screen. It has no pixels to decode: for test
/// pictures that show something, see the feature `pictures`.
#[must_use]
pub fn screenshot() -> Screenshot {
    screenshot_sized(591, 1149)
}

/// A challenge on a [`screenshot`] of 591 x 1149 px, without a deadline.
///
/// ```
/// let challenge = drag_solver_mock::fixtures::challenge();
/// assert_eq!(challenge.screenshot().width(), 591);
/// ```
#[must_use]
pub fn challenge() -> DragChallenge {
    DragChallenge::new(screenshot())
}

/// A drag on a [`screenshot`]: 83,560 -> 320,560.
#[must_use]
pub fn drag() -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0))
}

/// A [`screenshot`] of another size, in pixels.
///
/// # Panics
///
/// If it has no pixels at all.
#[must_use]
#[allow(clippy::expect_used)] // documented
pub fn screenshot_sized(width: u16, height: u16) -> Screenshot {
    let [width, height] = [width, height].map(u16::to_le_bytes);
    // A header, a picture with no data, and a trailer.
    let picture = b"\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;";
    let gif = [&b"GIF89a"[..], &width, &height, picture].concat();
    Screenshot::from_bytes(gif).expect("a GIF with pixels")
}

/// A challenge on a [`screenshot_sized`]: a double can tell challenges apart by their size.
///
/// # Panics
///
/// If it has no pixels at all.
#[must_use]
pub fn challenge_sized(width: u16, height: u16) -> DragChallenge {
    DragChallenge::new(screenshot_sized(width, height))
}
