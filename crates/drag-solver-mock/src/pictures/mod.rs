//! Phone-like test pictures with a known answer, and the solver that knows it.
//!
//! A [`TestPicture`] shows a screen with a card on it, and on the card a landscape with a gap, the
//! missing piece and a slider: a person solves it at a glance. The same seed and size give the same
//! picture on every machine. The true drag goes from the centre of the piece to the centre of the
//! gap, on one height; it is written into the file, in a PNG text chunk, where [`AnswerKey`] finds
//! it.
//!
//! ```
//! use drag_solver_mock::pictures::TestPicture;
//!
//! let picture = TestPicture::draw_sized(7, 200, 400)?;
//! let drag = picture.drag();
//! assert_eq!(drag.start.y, drag.end.y);
//! assert_eq!(picture.screenshot().width(), 200);
//! # Ok::<(), drag_solver_mock::pictures::DrawError>(())
//! ```

mod answer_key;
mod canvas;
mod jigsaw;
mod landscape;
mod layout;
mod lettering;
mod picture;
mod scene;

pub use self::answer_key::AnswerKey;
pub use self::picture::{DrawError, TestPicture};

#[cfg(test)]
mod tests;
