//! The solver that knows the test pictures, and the text chunk that it reads.

use std::io::Cursor;
use std::time::Duration;

use drag_solver_core::{
    Drag, DragChallenge, DragSolver, ErrorKind, ImageFormat, Point, Profile, Screenshot, Solution,
    SolveError, Usd, Verdict, WorstCase, async_trait,
};

/// Keyword of the PNG text chunk that holds the answer.
pub(super) const KEYWORD: &str = "drag-solver answer";

/// Most memory that reading an unknown picture may take, in bytes.
const MEMORY: usize = 512 * 1024;

/// Answers [test pictures](super::TestPicture), by the answer that is written into them, and says
/// [`ErrorKind::Unsolvable`] to every other picture: it never invents a drag.
///
/// It answers at once, costs nothing, and looks at nothing but the file. The picture must arrive as
/// it was drawn: re-encoding it loses the answer.
///
/// ```
/// use drag_solver_core::{DragSolver, ErrorKind};
/// use drag_solver_mock::pictures::{AnswerKey, TestPicture};
/// use drag_solver_mock::fixtures;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let picture = TestPicture::draw_sized(7, 200, 400)?;
/// let solution = AnswerKey.solve(&picture.challenge()).await?;
/// assert_eq!(*solution.drag(), picture.drag());
///
/// let error = AnswerKey.solve(&fixtures::challenge()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unsolvable);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerKey;

#[async_trait]
impl DragSolver for AnswerKey {
    fn name(&self) -> &'static str {
        "answer-key"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        if challenge.is_expired() {
            let message = "the challenge's deadline had already passed";
            return Err(challenge.refuse(self.name(), ErrorKind::DeadlineExceeded, message));
        }
        let Some(drag) = read(challenge.screenshot()) else {
            let message =
                "not one of the project's own test pictures, or no longer as it was drawn";
            return Err(SolveError::new(ErrorKind::Unsolvable, message).with_solver(self.name()));
        };
        Ok(Solution::new(drag, self.name()))
    }

    /// Accepts every report, and does nothing with it.
    async fn report(&self, _: &Solution, _: Verdict) -> Result<(), SolveError> {
        Ok(())
    }

    fn profile(&self) -> Profile {
        let once = WorstCase::one_purchase();
        Profile::new(once.with_time(Duration::ZERO).with_cost(Usd::ZERO))
    }
}

/// The text of the chunk: `x1,y1,x2,y2` in pixels.
pub(super) fn chunk(drag: &Drag) -> String {
    format!("{},{}", drag.start, drag.end)
}

/// The answer in a picture's text chunk, if there is one and it is a drag on that picture. Takes
/// bounded time and memory for any file, and decodes no pixels.
fn read(screenshot: &Screenshot) -> Option<Drag> {
    if screenshot.format() != ImageFormat::Png {
        return None;
    }
    let limits = png::Limits { bytes: MEMORY };
    let file = Cursor::new(screenshot.bytes());
    let mut decoder = png::Decoder::new_with_limits(file, limits);
    decoder.set_ignore_iccp_chunk(true);
    let reader = decoder.read_info().ok()?;
    let chunks = reader.info().uncompressed_latin1_text.iter();
    let mut answers = chunks.filter(|chunk| chunk.keyword == KEYWORD);
    // Two answers are none.
    let (Some(answer), None) = (answers.next(), answers.next()) else {
        return None;
    };
    parse(&answer.text, screenshot.width(), screenshot.height())
}

fn parse(text: &str, width: u32, height: u32) -> Option<Drag> {
    let numbers: Result<Vec<f64>, _> = text.split(',').take(5).map(str::parse).collect();
    let &[x1, y1, x2, y2] = numbers.ok()?.as_slice() else {
        return None;
    };
    let drag = Drag::new(Point::new(x1, y1), Point::new(x2, y2));
    drag.check(width, height, 0.0).ok().map(|()| drag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_drag_on_the_picture_is_an_answer() {
        let drag = Drag::new(Point::new(83.0, 560.5), Point::new(320.0, 560.5));
        assert_eq!(parse(&chunk(&drag), 591, 1149), Some(drag));
        for bad in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "a,b,c,d",
            "NaN,2,3,4",
            "inf,2,3,4",
            "-1,2,3,4",
            "1,2,591,4",
            "1,2,1,2",
            "1,2,3,4,",
        ] {
            assert_eq!(parse(bad, 591, 1149), None, "{bad}");
        }
    }
}
