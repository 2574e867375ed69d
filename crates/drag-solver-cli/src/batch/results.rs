//! What is done with the result of each screenshot: it is counted, printed, drawn.

use std::io;

use drag_solver::SolveError;
use tokio::time::Instant;

use super::drawings::Drawings;
use super::options::BatchOptions;
use super::result_printer::ResultPrinter;
use super::tally::Tally;
use crate::exit::Exit;
use crate::task::{Answer, Failure, Task, TaskResult};
use crate::ui::console::eprint_unless_quiet;
use crate::ui::progress_view::ProgressView;

/// Takes the results of all `tasks`, as they come.
#[derive(Debug)]
pub(super) struct Results<'a> {
    tasks: &'a [Task],
    started: Instant,
    view: &'a ProgressView,
    printer: ResultPrinter<'a>,
    drawings: Drawings<'a>,
    tally: Tally,
}

impl<'a> Results<'a> {
    pub(super) fn new(
        tasks: &'a [Task],
        options: &'a BatchOptions,
        view: &'a ProgressView,
    ) -> Self {
        Self {
            tasks,
            started: Instant::now(),
            view,
            printer: ResultPrinter::new(options, tasks.len() > 1, view),
            drawings: Drawings::new(view),
            tally: Tally::default(),
        }
    }

    /// Takes the result of the task number `index`, which cost nothing now if it was on record. It is handed to the printer before it is drawn: the
    /// answer was paid for, and the picture was not.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written to.
    pub(super) async fn add(
        &mut self,
        index: usize,
        result: Result<Answer, Failure>,
        on_record: bool,
    ) -> io::Result<()> {
        let (result, drawing) = match result {
            Err(failure) => (Err(failure), None),
            Ok(Answer {
                solution,
                annotation,
            }) => {
                let drawing = annotation.map(|annotation| (annotation, *solution.drag()));
                (Ok(solution), drawing)
            }
        };
        let result = TaskResult {
            task: &self.tasks[index],
            on_record: on_record && result.is_ok(),
            result,
        };
        self.tally.add(&result.result, result.on_record);
        self.view.count(&self.tally);
        self.printer.add(index, result)?;
        if let Some((annotation, drag)) = drawing {
            self.drawings.start(annotation, drag).await;
        }
        Ok(())
    }

    /// Takes what is known of the task number `index`, on which no work continues.
    pub(super) fn abandon(&mut self, index: usize, error: SolveError) {
        let result = TaskResult {
            task: &self.tasks[index],
            on_record: false,
            result: Err(Failure::Interrupted(error)),
        };
        self.tally.add(&result.result, false);
        self.printer.add_last(index, result);
    }

    /// Prints and draws what is left, when no more will come. Returns the gravest exit status.
    pub(super) async fn finish(self) -> Exit {
        let printed = self.printer.finish();
        let drawn = self.drawings.finish().await;
        self.view.clear();
        let total = self.tasks.len();
        if total > 1 {
            let elapsed = self.started.elapsed();
            eprint_unless_quiet(&self.tally.summary(total, elapsed));
        }
        printed.max(drawn)
    }
}
