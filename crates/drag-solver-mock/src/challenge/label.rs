//! The true answer, written into the picture.

use std::io::Cursor;

use drag_solver_core::{Drag, ImageFormat, Point, Screenshot};

/// Keyword of the PNG text chunk that holds the answer.
pub(super) const KEYWORD: &str = "drag-solver answer";

/// Most memory that reading somebody's picture may take, in bytes.
const MEMORY: usize = 512 * 1024;

/// The text of the chunk: `x1,y1,x2,y2` in pixels.
pub(super) fn write(drag: &Drag) -> String {
    format!("{},{}", drag.start, drag.end)
}

/// The answer in a picture's text chunk, if there is one and it is a drag on that picture. Takes
/// bounded time and memory, whatever is in the file, and decodes no pixels.
pub(super) fn read(screenshot: &Screenshot) -> Option<Drag> {
    if screenshot.format() != ImageFormat::Png {
        return None;
    }
    let limits = png::Limits { bytes: MEMORY };
    let file = Cursor::new(screenshot.bytes());
    let mut decoder = png::Decoder::new_with_limits(file, limits);
    decoder.set_ignore_iccp_chunk(true);
    let reader = decoder.read_info().ok()?;
    let mut answers = reader
        .info()
        .uncompressed_latin1_text
        .iter()
        .filter(|chunk| chunk.keyword == KEYWORD);
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
        assert_eq!(parse(&write(&drag), 591, 1149), Some(drag));
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
