//! What operators practise on.

use drag_solver::operators::pages::{Practice, PracticePicture};
use drag_solver_mock::pictures::TestPicture;

/// The pictures of the project's tests, whose answers are known.
pub(crate) fn practice() -> Practice {
    Practice::new(|number| {
        let picture = TestPicture::draw(u64::from(number)).ok()?;
        Some(PracticePicture {
            challenge: picture.challenge(),
            drag: picture.drag(),
        })
    })
}
