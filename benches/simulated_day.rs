//! What README says of the simulation holds: the full chain has at most 0.4 of the p99 of one provider
//! with retry, at no more than 1.15 of its cost per solved challenge.

#[path = "support/simulation/mod.rs"]
mod simulation;

use simulation::{BASELINE, FULL};

const CHALLENGES: u32 = 3_000;

#[test]
fn the_full_chain_is_quick_and_hardly_dearer() {
    for seed in [1, 2] {
        let all = simulation::simulate(CHALLENGES, seed).unwrap();
        let find = |name| all.iter().find(|figures| figures.chain == name).unwrap();
        let (baseline, full) = (find(BASELINE), find(FULL));
        let figures = simulation::table(&all);
        let p99 = |of: &simulation::Figures| of.quantile(0.99).as_secs_f64();
        assert!(p99(full) <= 0.4 * p99(baseline), "seed {seed}\n{figures}");
        assert!(
            full.cost_per_solved() <= 1.15 * baseline.cost_per_solved(),
            "seed {seed}\n{figures}"
        );
        assert!(
            full.solved_percent() > baseline.solved_percent(),
            "{figures}"
        );
    }
}

#[test]
fn a_seed_repeats_to_the_last_digit() {
    let run = || {
        let all = simulation::simulate(300, 7).unwrap();
        (simulation::table(&all), simulation::svg(&all))
    };
    let (table, plot) = run();
    assert_eq!((table, plot.clone()), run());
    assert_eq!(
        plot.matches("<path fill=\"none\"").count(),
        5,
        "a line for each chain"
    );
}
