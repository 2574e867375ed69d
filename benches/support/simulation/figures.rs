//! How a chain did.

use std::fmt::Write as _;
use std::time::Duration;

use drag_solver::prelude::*;

/// What a day in one chain came to.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) chain: &'static str,
    /// How long each challenge took, solved or not, the shortest first.
    pub(crate) sorted: Vec<Duration>,
    /// How long those took that were solved, the shortest first.
    pub(crate) solved: Vec<Duration>,
    pub(crate) billed: Usd,
}

impl Figures {
    pub(super) fn new(chain: &'static str, took: Vec<(Duration, bool)>, billed: Usd) -> Self {
        let mut sorted: Vec<Duration> = took.iter().map(|(took, _)| *took).collect();
        sorted.sort_unstable();
        let solved = took.into_iter().filter(|(_, solved)| *solved);
        let mut solved: Vec<Duration> = solved.map(|(took, _)| took).collect();
        solved.sort_unstable();
        Self {
            chain,
            sorted,
            solved,
            billed,
        }
    }

    /// The time that this part of the challenges did not exceed. One that failed counts with all the
    /// time it took to fail.
    pub(crate) fn quantile(&self, quantile: f64) -> Duration {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss
        )] // some ten thousand
        let index = (quantile * self.sorted.len() as f64).ceil() as usize;
        self.sorted[index.clamp(1, self.sorted.len()) - 1]
    }

    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn solved_percent(&self) -> f64 {
        100.0 * self.solved.len() as f64 / self.sorted.len() as f64
    }

    /// US dollars per challenge solved.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn cost_per_solved(&self) -> f64 {
        self.billed.to_f64_lossy() / self.solved.len() as f64
    }
}

/// The figures as a table, in Markdown.
pub(crate) fn table(all: &[Figures]) -> String {
    let mut table = String::from(
        "| chain | solved | p50 | p99 | cost per solved challenge |\n|---|---|---|---|---|\n",
    );
    for figures in all {
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| {} | {:.2} % | {:.1} s | {:.1} s | ${:.6} |",
            figures.chain,
            figures.solved_percent(),
            figures.quantile(0.50).as_secs_f64(),
            figures.quantile(0.99).as_secs_f64(),
            figures.cost_per_solved(),
        );
    }
    table
}
