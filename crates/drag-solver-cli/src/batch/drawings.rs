//! Pictures that are drawn while other screenshots are worked on.

use drag_solver::Drag;
use tokio::task::JoinSet;

use crate::exit::Exit;
use crate::ui::annotate::Annotation;
use crate::ui::console::eprint_unless_quiet;
use crate::ui::progress_view::ProgressView;

/// Most pictures in memory at the same time: when answers come faster than they can be drawn, they wait.
const AT_ONCE: usize = 4;

/// Each is drawn on a thread beside the async one. One that cannot be written is told, and keeps no other
/// from being drawn: the answers have been printed, and the pictures cost nothing.
#[derive(Debug)]
pub(super) struct Drawings<'a> {
    view: &'a ProgressView,
    under_way: JoinSet<anyhow::Result<()>>,
    exit: Exit,
}

impl<'a> Drawings<'a> {
    pub(super) fn new(view: &'a ProgressView) -> Self {
        Self {
            view,
            under_way: JoinSet::new(),
            exit: Exit::Success,
        }
    }

    /// Begins to draw, or waits until it can.
    pub(super) async fn start(&mut self, annotation: Annotation, drag: Drag) {
        while self.under_way.len() >= AT_ONCE {
            self.end_one().await;
        }
        self.under_way
            .spawn_blocking(move || annotation.save(&drag));
    }

    /// Waits for all of them.
    pub(super) async fn finish(mut self) -> Exit {
        while !self.under_way.is_empty() {
            self.end_one().await;
        }
        self.exit
    }

    async fn end_one(&mut self) {
        let error = match self.under_way.join_next().await {
            Some(Ok(Err(error))) => format!("{error:#}"),
            Some(Err(panicked)) => format!("cannot draw: {panicked}"),
            Some(Ok(Ok(()))) | None => return,
        };
        self.exit = Exit::Config;
        self.view
            .suspend(|| eprint_unless_quiet(&format!("error: {error}")));
    }
}
