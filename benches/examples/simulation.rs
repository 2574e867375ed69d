//! What each chain makes of a day with two unreliable providers: how much is solved, how long it takes,
//! what it costs.
//!
//! ```sh
//! cargo run --release -p drag-solver-benches --example simulation
//! ```
//!
//! Prints a table, and draws `docs/simulation.svg` from it. A number as argument runs it with as many
//! challenges, in place of 40,000, and draws nothing.

#![allow(clippy::print_stdout)] // it is what it is for

#[path = "../support/simulation/mod.rs"]
mod simulation;

use simulation::{BASELINE, BoxError, FULL, Figures, ROUTED};

const CHALLENGES: u32 = 40_000;
const SEED: u64 = 1;
const PLOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulation.svg");

fn main() -> Result<(), BoxError> {
    let challenges = match std::env::args().nth(1) {
        Some(number) => number
            .parse()
            .map_err(|_| format!("`{number}` is not a number of challenges"))?,
        None => CHALLENGES,
    };
    let all = simulation::simulate(challenges, SEED)?;
    println!(
        "{challenges} challenges, seed {SEED}\n\n{}",
        simulation::table(&all)
    );
    let find = |name| all.iter().find(|figures| figures.chain == name);
    for (one, other) in [(FULL, BASELINE), (ROUTED, FULL)] {
        if let (Some(one), Some(other)) = (find(one), find(other)) {
            print_ratios(one, other);
        }
    }
    if challenges == CHALLENGES {
        std::fs::write(PLOT, simulation::svg(&all))?;
        println!("drew docs/simulation.svg");
    }
    Ok(())
}

fn print_ratios(one: &Figures, other: &Figures) {
    println!(
        "{} against {}: p99 x {:.2}, cost per solved challenge x {:.3}",
        one.chain,
        other.chain,
        one.quantile(0.99).as_secs_f64() / other.quantile(0.99).as_secs_f64(),
        one.cost_per_solved() / other.cost_per_solved(),
    );
}
