//! Pictures to practise on.

use std::fmt;
use std::sync::Arc;

use drag_solver_core::{Drag, DragChallenge};

/// A picture with a known answer.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs)] // a question and its answer
pub struct PracticePicture {
    /// The picture, and the instruction if there is one.
    pub challenge: DragChallenge,
    /// The true drag.
    pub drag: Drag,
}

type Draw = dyn Fn(u32) -> Option<PracticePicture> + Send + Sync;

/// Where pictures to practise on come from.
#[derive(Clone, Default)]
pub struct Practice(Option<Arc<Draw>>);

impl Practice {
    /// There are none, and the page has no practice.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// `draw` makes the picture of a number, the same each time. It may take a while: it runs on a thread for such work.
    #[must_use]
    pub fn new(draw: impl Fn(u32) -> Option<PracticePicture> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(draw)))
    }

    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn draw(&self, number: u32) -> Option<PracticePicture> {
        let draw = Arc::clone(self.0.as_ref()?);
        let drawn = tokio::task::spawn_blocking(move || draw(number)).await;
        drawn.ok().flatten()
    }
}

impl fmt::Debug for Practice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Practice").field(&self.is_there()).finish()
    }
}
