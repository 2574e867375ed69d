//! What a chain would have done, drawn from what its members did.
//!
//! The first attempt of every member is what it did with the same picture, so that pictures that are hard for all
//! stay hard. A further attempt of the same member is one of its calls at random: what it would have done with the same
//! picture again is not known.

use drag_solver_core::Seeded;

use super::candidate::Candidate;
use super::sample::{End, Sample, Samples};
use crate::call::Next;

/// The waits between attempts, in seconds, as a retry has them unless set: up to the first, doubled up to the second, and no
/// longer than the third on a provider's word.
const BACKOFF: (f64, f64) = (0.5, 10.0);
const LONGEST_RETRY_AFTER: f64 = 60.0;

/// What came of one picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub(super) seconds: f64,
    pub(super) usd: f64,
    pub(super) right: bool,
}

/// What one member did, with its retry around it, if it was let run to its end.
struct Run {
    seconds: f64,
    /// When each attempt began, and what it cost.
    bought: Vec<(f64, f64)>,
    end: End,
}

impl Run {
    /// What it cost if it was dropped at this time: all that had begun may be billed.
    fn cost_until(&self, seconds: f64) -> f64 {
        let begun = self.bought.iter().filter(|(at, _)| *at <= seconds);
        begun.map(|(_, usd)| usd).sum()
    }

    fn cost(&self) -> f64 {
        self.cost_until(f64::INFINITY)
    }

    fn right(&self) -> Option<bool> {
        match self.end {
            End::Answered { right } => Some(right),
            End::Failed(..) => None,
        }
    }

    fn stops(&self) -> bool {
        matches!(self.end, End::Failed(Next::Stop, _))
    }
}

/// Draws what `candidate` would have done with this picture. `limit` is the time that a member has in all, in seconds.
pub(super) fn trial(
    candidate: &Candidate,
    samples: &[Samples],
    picture: usize,
    limit: f64,
    seeded: &mut Seeded,
) -> Trial {
    let run = |member: usize, seeded: &mut Seeded| {
        run(&samples[member], candidate.attempts, picture, limit, seeded)
    };
    if let ([first, second], Some(delay)) = (&candidate.members[..], candidate.hedge_delay) {
        let (first, second) = (run(*first, seeded), run(*second, seeded));
        return hedge(&first, &second, delay.as_secs_f64());
    }
    let mut trial = Trial {
        seconds: 0.0,
        usd: 0.0,
        right: false,
    };
    for &member in &candidate.members {
        let run = run(member, seeded);
        trial.seconds += run.seconds;
        trial.usd += run.cost();
        if let Some(right) = run.right() {
            trial.right = right;
            break;
        }
        if run.stops() {
            break;
        }
    }
    trial
}

/// The first is asked, and the second after the delay, or when the first failed if that is sooner.
fn hedge(first: &Run, second: &Run, delay: f64) -> Trial {
    if first.seconds <= delay && (first.right().is_some() || first.stops()) {
        return Trial {
            seconds: first.seconds,
            usd: first.cost(),
            right: first.right().unwrap_or(false),
        };
    }
    let begun = delay.min(first.seconds);
    let ends = begun + second.seconds;
    // An answer ends it, and so does a stop of all.
    let first_ends = (first.right().is_some() || first.stops()).then_some(first.seconds);
    let second_ends = (second.right().is_some() || second.stops()).then_some(ends);
    let (seconds, winner) = match (first_ends, second_ends) {
        (Some(one), Some(other)) if other < one => (other, Some(second)),
        (Some(one), _) => (one, Some(first)),
        (None, Some(other)) => (other, Some(second)),
        (None, None) => (first.seconds.max(ends), None),
    };
    Trial {
        seconds,
        usd: first.cost_until(seconds) + second.cost_until(seconds - begun),
        right: winner.and_then(Run::right).unwrap_or(false),
    }
}

fn run(samples: &Samples, attempts: u32, picture: usize, limit: f64, seeded: &mut Seeded) -> Run {
    let any = |seeded: &mut Seeded| samples.all()[seeded.below(samples.all().len())];
    let mut next: Sample = samples.about(picture).unwrap_or_else(|| any(seeded));
    let (mut at, mut bought) = (0.0, Vec::new());
    for attempt in 1.. {
        bought.push((at, next.usd));
        let seconds = at + next.seconds;
        if seconds > limit {
            // The job that it paid for is not waited for any longer.
            let end = End::Failed(Next::Another, 0.0);
            return Run {
                seconds: limit,
                bought,
                end,
            };
        }
        let again = match next.end {
            End::Failed(Next::Again, retry_after) if attempt < attempts => {
                let doubled = BACKOFF.0 * 2.0_f64.powi(i32::try_from(attempt).unwrap_or(30) - 1);
                let backoff = doubled.min(BACKOFF.1) * seeded.fraction();
                let wait = backoff.max(retry_after);
                (retry_after <= LONGEST_RETRY_AFTER && seconds + wait < limit).then_some(wait)
            }
            _ => None,
        };
        let Some(wait) = again else {
            let end = match next.end {
                // A retry that gave up leaves the rest to others.
                End::Failed(Next::Again, _) => End::Failed(Next::Another, 0.0),
                end => end,
            };
            return Run {
                seconds,
                bought,
                end,
            };
        };
        at = seconds + wait;
        next = any(seeded);
    }
    unreachable!("the last attempt returns")
}
