//! How two things compare on a machine that is busy with a third.

use std::time::Instant;

/// Rounds in which each side has its turn.
const ROUNDS: usize = 301;

/// How many times as long `one` takes as `other`: the median over rounds in which they take turns, so
/// that what slows the machine down slows both.
pub(crate) fn ratio(mut one: impl FnMut(), mut other: impl FnMut()) -> f64 {
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| seconds(&mut one) / seconds(&mut other))
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ROUNDS / 2]
}

fn seconds(run: &mut impl FnMut()) -> f64 {
    let started = Instant::now();
    run();
    started.elapsed().as_secs_f64()
}
