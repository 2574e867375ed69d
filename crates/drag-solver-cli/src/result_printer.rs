//! Prints results in the order in which the tasks were given.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use crate::exit::Exit;
use crate::format::Format;
use crate::json_line::JsonLine;
use crate::task::TaskResult;
use crate::ui::console::{eprint_line, print};
use crate::ui::explanation::explanation;
use crate::ui::progress_view::ProgressView;
use crate::ui::solution_text::solution_text;

/// Results come as they come and leave in order: a run can then be compared with another, and with
/// its input. Those that are early wait here.
#[derive(Debug)]
pub(crate) struct ResultPrinter<'a> {
    format: Format,
    several: bool,
    config: Option<PathBuf>,
    view: &'a ProgressView,
    early: BTreeMap<usize, TaskResult<'a>>,
    next: usize,
    exit: Exit,
}

impl<'a> ResultPrinter<'a> {
    /// `config` is the file of the chain that is asked.
    pub(crate) fn new(
        format: Format,
        several: bool,
        config: Option<PathBuf>,
        view: &'a ProgressView,
    ) -> Self {
        Self {
            format,
            several,
            config,
            view,
            early: BTreeMap::new(),
            next: 0,
            exit: Exit::Success,
        }
    }

    /// Takes the result of the task number `index`, and prints what is due.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written to. What should have been there went to standard error,
    /// because it may have cost money.
    pub(crate) fn add(&mut self, index: usize, result: TaskResult<'a>) -> io::Result<()> {
        self.early.insert(index, result);
        while let Some(result) = self.early.remove(&self.next) {
            self.next += 1;
            self.print(&result)?;
        }
        Ok(())
    }

    /// Takes the result of a task that is given up, unless it had another, to be printed at the end.
    pub(crate) fn add_unless_known(&mut self, index: usize, result: TaskResult<'a>) {
        if index >= self.next {
            self.early.entry(index).or_insert(result);
        }
    }

    /// Prints what is left of `total` when no more will come. Returns the gravest exit status.
    pub(crate) fn finish(mut self, total: usize) -> Exit {
        let untouched = total.saturating_sub(self.next + self.early.len());
        for result in std::mem::take(&mut self.early).into_values() {
            if self.print(&result).is_err() {
                self.exit = self.exit.max(Exit::Config);
            }
        }
        if untouched > 0 {
            eprint_line(&format!(
                "{untouched} of {total} screenshots were not begun"
            ));
        }
        self.exit
    }

    fn print(&mut self, result: &TaskResult<'_>) -> io::Result<()> {
        if let Err(failure) = &result.result {
            self.exit = self.exit.max(failure.exit());
        }
        self.view.suspend(|| match (self.format, &result.result) {
            (Format::Json, _) => print_result(&serde_json::to_string(&JsonLine::from(result))?),
            (Format::Text, Ok(solution)) => {
                print_result(&solution_text(&result.task.path, solution, self.several))
            }
            (Format::Text, Err(failure)) => {
                eprint_line(&explanation(result.task, failure, self.config.as_deref()));
                Ok(())
            }
        })
    }
}

/// Prints a result. One that cannot be delivered was paid for nonetheless, so it is shown anyway.
fn print_result(line: &str) -> io::Result<()> {
    print(line).inspect_err(|_| eprint_line(line))
}
