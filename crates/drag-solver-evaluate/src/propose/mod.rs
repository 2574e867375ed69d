//! Which chain to build of the measured solvers, and why.

mod candidate;
mod proposal;
mod sample;
mod simulate;
mod toml;
mod why;

use std::time::Duration;

use drag_solver_core::Seeded;

pub use self::candidate::Candidate;
use self::candidate::candidates;
pub use self::proposal::{Estimated, Goal, Proposal};
use self::sample::Samples;
use self::simulate::{Trial, trial};
pub use self::toml::{ProviderEntry, chain_file};
pub(crate) use self::why::money;
use self::why::why;
use crate::call::Call;
use crate::figures::{Estimate, float, of_sorted};

/// How many pictures each candidate is tried on, at the least.
const TRIALS: usize = 20_000;

/// How often the calls are drawn anew, to see how far the figures of the proposed chain may be off.
const RESAMPLES: u64 = 200;

/// With so many pictures, one of those that take longer than the 99th percentile is among them with 95 %.
const ENOUGH: usize = 299;

/// What calls were made, and of whom.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)] // made by callers of `propose`
pub struct Evidence<'a> {
    /// The names of the solvers.
    pub names: &'a [String],
    /// What was measured.
    pub calls: &'a [Call],
    /// How many pictures there are.
    pub pictures: usize,
    /// How far off a right answer may be, in pixels.
    pub tolerance: f64,
    /// Time that each call had.
    pub limit: Duration,
}

/// Finds the cheapest chain that does what `goal` says, of solvers that were measured each by itself: those of `members`, counted
/// from 0. The same calls give the same proposal.
///
/// Each chain is tried on the calls that were made: a fallback asks the second where the first failed, with what the
/// second said about the same picture. Money is counted per right answer; the time of a failed challenge counts in
/// full. `None` if no member has a call whose time is known, or the cost of one is not known.
#[must_use]
pub fn propose(evidence: Evidence<'_>, members: &[usize], goal: Goal) -> Option<Proposal> {
    let samples: Vec<Samples> = (0..evidence.names.len())
        .map(|solver| {
            let Evidence {
                calls,
                pictures,
                tolerance,
                ..
            } = evidence;
            Samples::of(solver, calls, pictures, tolerance)
        })
        .collect();
    let usable = |member: &&usize| samples.get(**member).is_some_and(|own| !own.is_empty());
    let members: Vec<usize> = members.iter().filter(usable).copied().collect();
    if members.is_empty() || members.iter().any(|&member| !samples[member].has_costs) {
        return None;
    }
    let measured = members.iter().map(|&member| samples[member].all().len());
    let measured = measured.max().unwrap_or_default();
    let limit = evidence.limit.as_secs_f64();
    let in_order: Vec<usize> = (0..evidence.pictures).collect();
    let mut all: Vec<Estimated> = candidates(&samples, &members)
        .into_iter()
        .map(|candidate| {
            let rounds = TRIALS.div_ceil(evidence.pictures.max(1));
            let mut seeded = Seeded::new(1); // the same luck for all
            let pictures = (0..rounds).flat_map(|_| in_order.iter().copied());
            let trials = pictures.map(|at| trial(&candidate, &samples, at, limit, &mut seeded));
            let mut estimated = estimate(trials.collect(), candidate.clone());
            estimated.meets_goal = goal.is_met(&estimated);
            estimated
        })
        .collect();
    all.sort_by(|one, other| {
        order(one)
            .partial_cmp(&order(other))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let is_met = all
        .first()
        .is_some_and(|first| first.meets_goal && first.usd_per_right.is_some());
    let mut proposal = Proposal {
        goal,
        candidates: all,
        is_met,
        seconds_p99: None,
        usd_per_right: None,
        why: Vec::new(),
    };
    if let Some(chosen) = proposal.chosen().cloned() {
        let spread = spread(&chosen.candidate, &samples, evidence.pictures, limit);
        let around = |value: f64, mut drawn: Vec<f64>| {
            drawn.sort_by(f64::total_cmp);
            let bound = |q| of_sorted(&drawn, q).map_or(value, |bound| bound.value);
            let (low, high) = (bound(0.025).min(value), bound(0.975).max(value));
            Estimate { value, low, high }
        };
        let mut seconds = around(chosen.seconds_p99, spread.0);
        if measured < ENOUGH {
            seconds.high = f64::INFINITY; // of so few, the longest bounds nothing
        }
        proposal.seconds_p99 = Some(seconds);
        proposal.usd_per_right = chosen.usd_per_right.map(|usd| around(usd, spread.1));
    }
    proposal.why = why(&proposal, evidence.names);
    if goal.within.is_some() && measured < ENOUGH {
        let few = format!(
            "Of {measured} pictures, those that take longest may be missing: measure {ENOUGH} or more."
        );
        proposal.why.push(few);
    }
    Some(proposal)
}

/// First what does what was asked, then what is cheap, then what is often right, then what is small.
fn order(estimated: &Estimated) -> (bool, f64, f64, (usize, bool, u32), f64) {
    (
        !estimated.meets_goal,
        estimated.usd_per_right.unwrap_or(f64::INFINITY),
        -estimated.share_right,
        estimated.candidate.size(),
        estimated.seconds_p99,
    )
}

fn estimate(trials: Vec<Trial>, candidate: Candidate) -> Estimated {
    let count = float(trials.len().max(1) as u64);
    let right = float(trials.iter().filter(|trial| trial.right).count() as u64);
    let usd: f64 = trials.iter().map(|trial| trial.usd).sum();
    let mut seconds: Vec<f64> = trials.into_iter().map(|trial| trial.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let at = |q| of_sorted(&seconds, q).map_or(0.0, |seconds| seconds.value);
    Estimated {
        candidate,
        share_right: right / count,
        seconds_p50: at(0.5),
        seconds_p99: at(0.99),
        usd_per_challenge: usd / count,
        usd_per_right: (right > 0.0).then(|| usd / right),
        meets_goal: false,
    }
}

/// The 99th percentile and the price of a right answer, had other pictures of the same kind been drawn: the bootstrap.
fn spread(
    candidate: &Candidate,
    samples: &[Samples],
    pictures: usize,
    limit: f64,
) -> (Vec<f64>, Vec<f64>) {
    let drawn = (0..RESAMPLES).map(|resample| {
        let mut seeded = Seeded::new(resample + 2);
        let trials = (0..pictures).map(|_| {
            let picture = seeded.below(pictures);
            trial(candidate, samples, picture, limit, &mut seeded)
        });
        let estimated = estimate(trials.collect(), candidate.clone());
        let usd = estimated.usd_per_right.unwrap_or(f64::INFINITY);
        (estimated.seconds_p99, usd)
    });
    drawn.unzip()
}

#[cfg(test)]
mod tests;
