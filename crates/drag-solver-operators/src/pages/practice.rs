//! Pictures to practise on.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use drag_solver_core::{Drag, DragChallenge};
use tokio::sync::Semaphore;

use super::caller::Problem;

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

/// Pictures that are kept: each is asked for twice, with its answer and as a file.
const KEPT: usize = 4;

/// Those who may wait for a picture to be drawn.
const WAITING: usize = 8;

/// Where pictures to practise on come from.
#[derive(Clone, Default)]
pub struct Practice(Option<Arc<Studio>>);

struct Studio {
    draw: Box<Draw>,
    /// One picture is drawn at a time.
    turn: Semaphore,
    waiting: Arc<Semaphore>,
    kept: Mutex<VecDeque<(u32, PracticePicture)>>,
}

impl Practice {
    /// There are none, and the page has no practice.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// `draw` makes the picture of a number, the same each time. It may take a while: it runs on a thread for such work, one
    /// at a time.
    #[must_use]
    pub fn new(draw: impl Fn(u32) -> Option<PracticePicture> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Studio {
            draw: Box::new(draw),
            turn: Semaphore::new(1),
            waiting: Arc::new(Semaphore::new(WAITING)),
            kept: Mutex::default(),
        })))
    }

    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn draw(&self, number: u32) -> Result<PracticePicture, Problem> {
        let studio = Arc::clone(self.0.as_ref().ok_or(Problem::NotFound)?);
        let waiting = Arc::clone(&studio.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_| Problem::Full)?;
        let work = studio;
        // In a task of its own: who leaves meanwhile does not let a second picture be begun beside it.
        let drawn = tokio::spawn(async move {
            let _waiting = waiting;
            let _turn = work.turn.acquire().await;
            if let Some(kept) = work.find(number) {
                return Some(kept);
            }
            let drawing = Arc::clone(&work);
            let drawn = tokio::task::spawn_blocking(move || (drawing.draw)(number)).await;
            let drawn = drawn.ok().flatten()?;
            work.keep(number, drawn.clone());
            Some(drawn)
        });
        drawn.await.ok().flatten().ok_or(Problem::NotFound)
    }
}

impl Studio {
    fn kept(&self) -> MutexGuard<'_, VecDeque<(u32, PracticePicture)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, number: u32) -> Option<PracticePicture> {
        let kept = self.kept();
        let found = kept.iter().find(|(known, _)| *known == number);
        found.map(|(_, picture)| picture.clone())
    }

    fn keep(&self, number: u32, picture: PracticePicture) {
        let mut kept = self.kept();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((number, picture));
    }
}

impl fmt::Debug for Practice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Practice").field(&self.is_there()).finish()
    }
}
