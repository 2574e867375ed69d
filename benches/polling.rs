//! How long answers lie there before they are fetched, and how many polls that takes. Computed on a
//! paused clock: the same on every machine.
//!
//! `cargo bench -p drag-solver-benches --bench polling`

#![allow(clippy::print_stdout)] // the figures are what it is for

#[path = "support/polling.rs"]
mod polling;

use std::time::Duration;

use polling::{Figures, Latency, OTHERS, PROVIDERS};
use tower::BoxError;

const JOBS: usize = 20_000;

fn main() -> Result<(), BoxError> {
    for latency in PROVIDERS {
        let Latency { median, sigma } = latency;
        println!(
            "jobs that take {median} s in the median (log-normal, sigma {sigma}), {JOBS} of them"
        );
        let mut best: Option<Figures> = None;
        for (first, every) in OTHERS {
            let name = format!("first after {first} s, then every {every} s");
            let (first, every) = (Duration::from_secs(first), Duration::from_secs(every));
            let figures = polling::fixed(latency, JOBS, first, every)?;
            show(&name, figures);
            if best.is_none_or(|best| figures.added < best.added) {
                best = Some(figures);
            }
        }
        let (two, documented) = (Duration::from_secs(2), "first after 2 s, then every 2 s");
        show(documented, polling::fixed(latency, JOBS, two, two)?);
        let (first, figures) = polling::floor(latency, JOBS);
        let known = format!("best possible: first after {first} s, then every 2 s");
        show(&known, figures);
        for callers in [1, 100] {
            let ours = polling::ours(latency, JOBS, callers)?;
            show(&format!("ours, {callers} at once"), ours);
            if let Some(best) = best {
                println!(
                    "    ours / best of the others: added {:.2}, polls {:.2}",
                    ours.added / best.added,
                    ours.polls / best.polls
                );
            }
        }
    }
    Ok(())
}

fn show(name: &str, Figures { added, polls }: Figures) {
    println!("  {name:50} added {added:.2} s, {polls:.2} polls a job");
}
