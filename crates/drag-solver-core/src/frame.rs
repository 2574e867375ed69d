//! Which part of a screenshot was sent, and at which size.

use crate::Screenshot;

/// Which part of a screenshot a solver was sent, and at which size: what is needed to read an answer to
/// it. In whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[allow(clippy::exhaustive_structs)] // a rectangle and a size
pub struct Frame {
    /// Left edge of the part, in pixels of the screenshot.
    pub left: u32,
    /// Its top edge.
    pub top: u32,
    /// How wide it is, in pixels of the screenshot.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// How wide it was when it was sent, in pixels of the picture that was sent.
    pub sent_width: u32,
    /// How high.
    pub sent_height: u32,
}

impl Frame {
    /// The whole screenshot, as it is.
    #[doc(hidden)]
    #[must_use]
    pub fn whole(screenshot: &Screenshot) -> Self {
        let (width, height) = (screenshot.width(), screenshot.height());
        Self {
            left: 0,
            top: 0,
            width,
            height,
            sent_width: width,
            sent_height: height,
        }
    }

    /// Whether it is a part of this screenshot, not empty, and was sent no larger than it is.
    #[doc(hidden)]
    #[must_use]
    pub fn is_on(&self, screenshot: &Screenshot) -> bool {
        let fits = |from: u32, length: u32, sent: u32, all: u32| {
            (1..=length).contains(&sent) && from.checked_add(length).is_some_and(|end| end <= all)
        };
        let across = fits(self.left, self.width, self.sent_width, screenshot.width());
        across && fits(self.top, self.height, self.sent_height, screenshot.height())
    }
}
