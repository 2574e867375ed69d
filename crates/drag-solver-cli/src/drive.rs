//! Works on several screenshots at a time, and prints what becomes of each.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use crate::args::Format;
use crate::outcome::{Exit, Outcome};
use crate::printer::Printer;
use crate::progress::Board;
use crate::{console, interrupt};

/// What there is to do, and how it is shown.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How many screenshots there are.
    pub(crate) total: usize,
    /// How many are worked on at the same time.
    pub(crate) concurrency: usize,
    pub(crate) format: Format,
    /// The file of the chain that is asked, for hints.
    pub(crate) config: Option<PathBuf>,
    pub(crate) board: Arc<Board>,
}

/// Does `work` with each number from 0 up, until done or interrupted, and prints the outcomes in
/// that order. `done` sees each outcome, with what the work left over.
pub(crate) async fn drive<F, T>(
    plan: Plan,
    work: impl FnMut(usize) -> F,
    mut done: impl FnMut(&Outcome, T),
) -> Exit
where
    F: Future<Output = (Outcome, T)>,
{
    let board = plan.board;
    let mut work = work;
    let mut printer = Printer::new(plan.format, plan.total > 1, plan.config, &board);
    let mut outcomes = pin!(
        stream::iter(0..plan.total)
            .map(|index| {
                let work = work(index);
                async move { (index, work.await) }
            })
            .buffer_unordered(plan.concurrency)
    );
    let mut stop = pin!(interrupt::signal());
    let ended: io::Result<Exit> = loop {
        tokio::select! {
            biased;
            exit = &mut stop => break Ok(exit),
            next = outcomes.next() => match next {
                None => break Ok(Exit::Success),
                Some((index, (outcome, left_over))) => {
                    done(&outcome, left_over);
                    if let Err(error) = printer.add(index, outcome) {
                        break Err(error);
                    }
                }
            }
        }
    };

    // Whatever has not ended now is abandoned; nothing of it is left behind unsaid.
    board.clear();
    let ended = ended.unwrap_or_else(|error| {
        console::note(&format!("error: cannot write to standard output: {error}"));
        Exit::Unusable
    });
    for (index, work) in board.under_way() {
        printer.interrupted(index, work);
    }
    printer.finish(plan.total).max(ended)
}
