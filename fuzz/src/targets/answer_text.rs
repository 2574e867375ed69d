//! `x1|y1|x2|y2`, the answer of omocaptcha's v1.

use drag_solver::http::{ApiResponse, Found, JobApi as _, JobState};
use drag_solver::{Drag, Point};
use drag_solver_omocaptcha::OmocaptchaV1;
use serde_json::json;

use super::promises::{TOKEN, drag_is_sound};

/// The text is a drag of exactly the four numbers in it, or an invalid answer that was paid for; and
/// four numbers, written down, are read back to the last bit.
pub fn answer_text(data: &[u8]) {
    if let Some(drag) = read(&String::from_utf8_lossy(data)) {
        assert_eq!(read(&written(&drag)), Some(drag));
    }
    if let Some(drag) = four_numbers(data) {
        let points = [drag.start, drag.end];
        let is_finite = points.iter().all(|p| p.x.is_finite() && p.y.is_finite());
        let expected = is_finite.then_some(drag);
        assert_eq!(read(&written(&drag)), expected);
    }
}

/// The drag that a job with this result has, if it has one.
fn read(result: &str) -> Option<Drag> {
    let api = OmocaptchaV1::new(TOKEN.to_owned().into(), "24");
    let body = json!({"error": false, "status": "success", "result": result});
    match api.parse_poll(&ApiResponse::new(200, body.to_string())) {
        Ok(JobState::Solved(answer)) => match answer.found {
            Ok(Found::Drag(drag)) => {
                let parts: Vec<&str> = result.split('|').collect();
                assert_eq!(parts.len(), 4, "{result:?}");
                drag_is_sound(&drag);
                Some(drag)
            }
            Ok(other) => panic!("{result:?} is {other:?}"),
            Err(why) => {
                assert!(!why.is_empty(), "{result:?}");
                None
            }
        },
        other => panic!("{result:?} is {other:?}"),
    }
}

fn written(drag: &Drag) -> String {
    let (start, end) = (drag.start, drag.end);
    format!("{}|{}|{}|{}", start.x, start.y, end.x, end.y)
}

/// The first 32 bytes as four numbers, of which any may be infinite or none at all.
fn four_numbers(data: &[u8]) -> Option<Drag> {
    let (eights, _) = data.as_chunks::<8>();
    let &[x1, y1, x2, y2, ..] = eights else {
        return None;
    };
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(f64::from_le_bytes);
    Some(Drag::new(Point::new(x1, y1), Point::new(x2, y2)))
}
