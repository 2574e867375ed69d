//! A drawn challenge and its answer.

use std::error::Error;

use drag_solver_core::{Drag, DragChallenge, Point, Rect, Screenshot, ScreenshotError, Seeded};
use png::{ColorType, Encoder, EncodingError};

use super::canvas::Row;
use super::layout::{CARD, Layout};
use super::{answer_key, scene};

/// Smallest side, in pixels: below it the piece is no longer seen.
const MIN_SIDE: u32 = 64;

/// Size when none is asked for, in pixels: a phone screenshot at a third of its resolution or so.
const DEFAULT_SIZE: (u32, u32) = (591, 1149);

/// A phone-like test picture whose true drag is known. See the [module](super).
#[derive(Clone, Debug)]
pub struct TestPicture {
    screenshot: Screenshot,
    drag: Drag,
    region: Rect,
}

impl TestPicture {
    /// Draws the picture of this seed at 591 x 1149 pixels: some tens of kilobytes.
    ///
    /// # Errors
    ///
    /// None that is known; see [`draw_sized`](Self::draw_sized).
    pub fn draw(seed: u64) -> Result<Self, DrawError> {
        Self::draw_sized(seed, DEFAULT_SIZE.0, DEFAULT_SIZE.1)
    }

    /// Draws the picture of this seed at `width` x `height` pixels. Keeps the thread busy meanwhile:
    /// a phone's screen takes a fraction of a second, the largest size minutes.
    ///
    /// # Errors
    ///
    /// [`DrawError::Size`] if a side is shorter than 64 or longer than [`Screenshot::MAX_SIDE`].
    pub fn draw_sized(seed: u64, width: u32, height: u32) -> Result<Self, DrawError> {
        let allowed = MIN_SIDE..=Screenshot::MAX_SIDE;
        if !allowed.contains(&width) || !allowed.contains(&height) {
            return Err(DrawError::Size { width, height });
        }
        let mut seeded = Seeded::new(seed);
        let layout = Layout::new(&mut seeded, width, height);
        let ((x1, y1), (x2, y2)) = (layout.piece, layout.gap);
        let drag = Drag::new(Point::new(x1, y1), Point::new(x2, y2));
        let paint_row = |y, pixels: &mut [u8]| {
            scene::draw_row(&mut Row::new(y, pixels), &mut seeded.clone(), &layout);
        };
        let file = encode(width, height, &drag, paint_row)
            .map_err(|error| DrawError::Encode(Box::new(error)))?;
        Ok(Self {
            screenshot: Screenshot::from_bytes(file).map_err(DrawError::Screenshot)?,
            drag,
            region: region(&layout),
        })
    }

    /// The picture, a PNG file.
    #[must_use]
    pub fn screenshot(&self) -> &Screenshot {
        &self.screenshot
    }

    /// The true drag, in whole pixels: from the centre of the piece to the centre of the gap.
    #[must_use]
    pub fn drag(&self) -> Drag {
        self.drag
    }

    /// The card that holds the puzzle (piece, gap and slider), in whole pixels.
    #[must_use]
    pub fn region(&self) -> Rect {
        self.region
    }

    /// The picture as a challenge, without region, instruction and deadline.
    #[must_use]
    pub fn challenge(&self) -> DragChallenge {
        DragChallenge::new(self.screenshot.clone())
    }
}

/// The picture as a PNG file, with `drag` in its text chunk. Holds one row of pixels at a time.
fn encode(
    width: u32,
    height: u32,
    drag: &Drag,
    paint_row: impl Fn(u32, &mut [u8]),
) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.add_text_chunk(answer_key::KEYWORD.to_owned(), answer_key::chunk(drag))?;
    let mut writer = encoder.write_header()?;
    let mut rows = writer.stream_writer()?;
    let mut row = vec![0; width as usize * 3];
    for y in 0..height {
        paint_row(y, &mut row);
        std::io::Write::write_all(&mut rows, &row)?;
    }
    rows.finish()?;
    writer.finish()?;
    Ok(file)
}

/// The smallest rectangle of whole pixels around the card.
fn region(layout: &Layout) -> Rect {
    let (x, top) = layout.card_top;
    let (half, height) = (CARD.0 * layout.unit / 2.0, CARD.1 * layout.unit);
    let (left, upper) = ((x - half).floor(), top.floor());
    let (right, lower) = ((x + half).ceil(), (top + height).ceil());
    Rect::new(left, upper, right - left, lower - upper)
}

/// Why a test picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// A side that is too short or too long.
    #[error(
        "a test picture of {width}x{height} px cannot be drawn: each side must have {MIN_SIDE} to {} px",
        Screenshot::MAX_SIDE
    )]
    Size {
        /// Width asked for, in pixels.
        width: u32,
        /// Height asked for, in pixels.
        height: u32,
    },
    /// The PNG encoder failed.
    #[error("the test picture could not be encoded")]
    Encode(#[source] Box<dyn Error + Send + Sync>),
    /// The file is not a usable screenshot.
    #[error("the test picture is not a usable screenshot")]
    Screenshot(#[source] ScreenshotError),
}
