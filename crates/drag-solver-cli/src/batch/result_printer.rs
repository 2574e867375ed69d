//! Prints results, in the order in which the tasks were given or as they come.

use std::collections::BTreeMap;
use std::io;

use super::options::BatchOptions;
use crate::exit::Exit;
use crate::format::Format;
use crate::json_line::JsonLine;
use crate::task::{Failure, TaskResult};
use crate::ui::console::{eprint_line, eprint_unless_quiet, print};
use crate::ui::explanation::explanation;
use crate::ui::progress_view::ProgressView;
use crate::ui::solution_text::solution_text;

/// Results come as they come and leave in order, unless that was not wanted: a run can then be compared
/// with another, and with its input. Those that are early wait here.
#[derive(Debug)]
pub(super) struct ResultPrinter<'a> {
    options: &'a BatchOptions,
    several: bool,
    view: &'a ProgressView,
    early: BTreeMap<usize, TaskResult<'a>>,
    next: usize,
    exit: Exit,
}

impl<'a> ResultPrinter<'a> {
    pub(super) fn new(options: &'a BatchOptions, several: bool, view: &'a ProgressView) -> Self {
        Self {
            options,
            several,
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
    pub(super) fn add(&mut self, index: usize, result: TaskResult<'a>) -> io::Result<()> {
        if self.options.unordered {
            return self.print(&result);
        }
        self.early.insert(index, result);
        while let Some(result) = self.early.remove(&self.next) {
            self.next += 1;
            self.print(&result)?;
        }
        Ok(())
    }

    /// Takes the result of a task that is given up, to be printed at the end.
    pub(super) fn add_last(&mut self, index: usize, result: TaskResult<'a>) {
        self.early.insert(index, result);
    }

    /// Prints what is left when no more will come. Returns the gravest exit status.
    pub(super) fn finish(mut self) -> Exit {
        for result in std::mem::take(&mut self.early).into_values() {
            if self.print(&result).is_err() {
                self.exit = self.exit.max(Exit::Config);
            }
        }
        self.exit
    }

    /// The result for programs or for people, and for people why there is none.
    fn print(&mut self, result: &TaskResult<'_>) -> io::Result<()> {
        let task = result.task;
        let line = match (self.options.format, &result.result) {
            (Format::Json, _) => Some(serde_json::to_string(&JsonLine::from(result))?),
            (Format::Text, Ok(solution)) => {
                let mut line = solution_text(&task.path, solution, self.several);
                if result.on_record {
                    line += " (on record)";
                }
                Some(line)
            }
            (Format::Text, Err(_)) => None,
        };
        self.view.suspend(|| {
            let printed = line.map_or(Ok(()), |line| print_result(&line));
            if let Err(failure) = &result.result {
                self.exit = self.exit.max(failure.exit());
                let text = explanation(task, failure, &self.options.asked);
                match failure {
                    // The command stops for it, and what was paid for is named nowhere else.
                    Failure::Interrupted(_) => eprint_line(&text),
                    _ => eprint_unless_quiet(&text),
                }
            }
            printed
        })
    }
}

/// Prints a result. One that cannot be delivered was paid for nonetheless, so it is shown anyway.
fn print_result(line: &str) -> io::Result<()> {
    print(line).inspect_err(|_| eprint_line(line))
}
