//! What README says of the simulation holds: the full chain has at most 0.4 of the p99 of one provider
//! with retry, at no more than 1.15 of its cost per solved challenge; and the routed one is as quick as the full one, and
//! costs less.

#[path = "support/simulation/mod.rs"]
mod simulation;

use std::time::Duration;

use simulation::{BASELINE, FULL, ROUTED};

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

/// As many challenges as in BENCHMARKS.md: of 3,000 the slowest thirty decide, and chance decides which these are.
#[test]
fn the_routed_chain_is_as_quick_as_the_full_one_and_costs_less() {
    let day = |chain| simulation::one_day(chain, 40_000, 1).unwrap();
    let both = [day(FULL), day(ROUTED)];
    let figures = simulation::table(&both);
    let [full, routed] = &both;
    // But for a millisecond, the least that a timer tells apart.
    let p99 = full.quantile(0.99) + Duration::from_millis(1);
    assert!(routed.quantile(0.99) <= p99, "{figures}");
    assert!(
        routed.cost_per_solved() <= 0.97 * full.cost_per_solved(),
        "{figures}"
    );
    assert!(
        routed.solved_percent() >= full.solved_percent(),
        "{figures}"
    );
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
        6,
        "a line for each chain"
    );
}
