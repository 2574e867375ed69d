//! How two things compare on a machine that is busy with a third.

use std::time::Instant;

/// Rounds in which each side has its turn.
const ROUNDS: usize = 301;

/// How many times as long `one` takes as `other`: the median over rounds in which they take turns, so
/// that what slows the machine down slows both.
#[allow(dead_code)] // one of the benches has its own rounds
pub(crate) fn ratio(one: impl FnMut(), other: impl FnMut()) -> f64 {
    ratio_of(ROUNDS, one, other)
}

/// The same over so many rounds.
pub(crate) fn ratio_of(rounds: usize, mut one: impl FnMut(), mut other: impl FnMut()) -> f64 {
    let mut ratios: Vec<f64> = (0..rounds)
        .map(|_| seconds(&mut one) / seconds(&mut other))
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[rounds / 2]
}

fn seconds(run: &mut impl FnMut()) -> f64 {
    let started = Instant::now();
    run();
    started.elapsed().as_secs_f64()
}
