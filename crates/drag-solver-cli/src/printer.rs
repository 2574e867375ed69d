//! Prints outcomes in the order in which the screenshots were given.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::args::Format;
use crate::outcome::{Exit, Failure, Outcome};
use crate::progress::{Board, UnderWay};
use crate::{console, explain, output};

/// Outcomes come as they come and leave in order: a run can then be compared with another, and with
/// its input. Those that are early wait here.
pub(crate) struct Printer<'a> {
    format: Format,
    several: bool,
    config: Option<PathBuf>,
    board: &'a Board,
    early: BTreeMap<usize, Outcome>,
    next: usize,
    exit: Exit,
}

impl<'a> Printer<'a> {
    /// `config` is the file of the chain that is asked.
    pub(crate) fn new(
        format: Format,
        several: bool,
        config: Option<PathBuf>,
        board: &'a Board,
    ) -> Self {
        Self {
            format,
            several,
            config,
            board,
            early: BTreeMap::new(),
            next: 0,
            exit: Exit::Success,
        }
    }

    /// Takes the outcome of the screenshot number `index`, and prints what is due.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written to. What should have been there went to standard error,
    /// because it may have cost money.
    pub(crate) fn add(&mut self, index: usize, outcome: Outcome) -> io::Result<()> {
        self.early.insert(index, outcome);
        while let Some(outcome) = self.early.remove(&self.next) {
            self.next += 1;
            self.print(&outcome)?;
        }
        Ok(())
    }

    /// Takes a screenshot that is being given up, to be printed when its turn comes.
    pub(crate) fn interrupted(&mut self, index: usize, work: UnderWay) {
        let outcome = Outcome {
            screenshot: work.screenshot.clone(),
            region: None,
            result: Err(Failure::Interrupted(work)),
        };
        self.early.insert(index, outcome);
    }

    /// Prints what is left of `total` when no more will come. Returns the gravest exit status.
    pub(crate) fn finish(mut self, total: usize) -> Exit {
        let untouched = total.saturating_sub(self.next + self.early.len());
        for outcome in std::mem::take(&mut self.early).into_values() {
            if self.print(&outcome).is_err() {
                self.exit = self.exit.max(Exit::Unusable);
            }
        }
        if untouched > 0 {
            console::note(&format!(
                "{untouched} of {total} screenshots were not begun"
            ));
        }
        self.exit
    }

    fn print(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.exit = self.exit.max(Exit::from(outcome));
        self.board.suspend(|| match (self.format, &outcome.result) {
            (Format::Json, _) => result(&output::json(outcome)?),
            (Format::Text, Ok(solution)) => {
                result(&output::text(&outcome.screenshot, solution, self.several))
            }
            (Format::Text, Err(failure)) => {
                console::note(&story(&outcome.screenshot, failure, self.config.as_deref()));
                Ok(())
            }
        })
    }
}

/// Prints a result. One that cannot be delivered was paid for nonetheless, so it is shown anyway.
fn result(line: &str) -> io::Result<()> {
    console::print(line).inspect_err(|_| console::note(line))
}

fn story(screenshot: &str, failure: &Failure, config: Option<&Path>) -> String {
    match failure {
        Failure::Unusable(why) => format!("error: {why}; nothing was sent"),
        Failure::Unsolved { error, elapsed } => {
            explain::unsolved(screenshot, error, *elapsed, config)
        }
        Failure::Interrupted(work) => explain::interrupted(work, config),
    }
}
