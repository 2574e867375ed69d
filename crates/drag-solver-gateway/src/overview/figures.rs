//! What this process has seen of its jobs and solvers, for the administrator's page: counted since it began, in bounded
//! memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver::store::jiff::Timestamp;
use serde::Serialize;

use crate::jobs::outcome::Outcome;
use crate::keys::name_of_prefix;

/// Times that a median is made of.
const LATENCIES: usize = 500;

/// Those of them that are drawn.
const DRAWN: usize = 60;

/// Jobs that are listed after their end.
const ENDED: usize = 50;

#[derive(Default)]
pub(crate) struct Figures(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    solvers: BTreeMap<Box<str>, SolverSeen>,
    refusals: BTreeMap<&'static str, u64>,
    ended: VecDeque<EndedJob>,
}

#[derive(Default)]
struct SolverSeen {
    bought: u64,
    answered: u64,
    failed: u64,
    /// In milliseconds, the latest last.
    latencies: VecDeque<u32>,
}

/// What is shown of a solver.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct SolverFigures {
    bought: u64,
    answered: u64,
    failed: u64,
    p50_ms: Option<u32>,
    p95_ms: Option<u32>,
    recent_ms: Vec<u32>,
}

/// A job that has ended, as it is listed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EndedJob {
    id: String,
    key: String,
    protocol: Option<String>,
    created: Timestamp,
    ended: Timestamp,
    outcome: &'static str,
    solver: Option<String>,
    took_ms: u64,
    spent_usd: Option<drag_solver::Usd>,
}

/// How a purchase has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// With an answer, after so long; it is not known of one that was resumed.
    Answered(Option<Duration>),
    Failed,
}

impl Figures {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bought(&self, solver: &str) {
        self.seen().solver(solver).bought += 1;
    }

    pub(crate) fn ended(&self, solver: &str, end: End) {
        let mut seen = self.seen();
        let solver = seen.solver(solver);
        match end {
            End::Answered(took) => {
                solver.answered += 1;
                if let Some(took) = took {
                    if solver.latencies.len() == LATENCIES {
                        solver.latencies.pop_front();
                    }
                    let millis = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
                    solver.latencies.push_back(millis);
                }
            }
            End::Failed => solver.failed += 1,
        }
    }

    /// A request was refused for this reason, one of few.
    pub(crate) fn refused(&self, reason: &'static str) {
        *self.seen().refusals.entry(reason).or_default() += 1;
    }

    pub(crate) fn job_ended(&self, id: &str, outcome: &Outcome) {
        let answered = outcome.result.as_ref().ok();
        let prefix = id.split('/').next().unwrap_or_default();
        let ended = EndedJob {
            id: id.to_owned(),
            key: name_of_prefix(prefix).to_owned(),
            protocol: outcome.protocol.map(|protocol| protocol.to_string()),
            created: outcome.created,
            ended: outcome.ended,
            outcome: outcome.name(),
            solver: answered.map(|answered| answered.solver.clone()),
            took_ms: u64::try_from(outcome.took().as_millis()).unwrap_or(u64::MAX),
            spent_usd: answered.and_then(|answered| answered.spent),
        };
        let mut seen = self.seen();
        if seen.ended.len() == ENDED {
            seen.ended.pop_back();
        }
        seen.ended.push_front(ended);
    }

    /// Of a solver that was not asked yet, nothing.
    pub(super) fn of(&self, solver: &str) -> SolverFigures {
        let seen = self.seen();
        let known = seen.solvers.get(solver);
        known.map(SolverSeen::figures).unwrap_or_default()
    }

    /// The latest first.
    pub(super) fn ended_jobs(&self) -> Vec<EndedJob> {
        self.seen().ended.iter().cloned().collect()
    }

    /// The most frequent first.
    pub(super) fn refusals(&self) -> Vec<(&'static str, u64)> {
        let seen = self.seen();
        let mut refusals: Vec<_> = seen
            .refusals
            .iter()
            .map(|(reason, count)| (*reason, *count))
            .collect();
        refusals.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        refusals
    }
}

impl Seen {
    /// Solvers are those of chains: there are few.
    fn solver(&mut self, name: &str) -> &mut SolverSeen {
        self.solvers.entry(name.into()).or_default()
    }
}

impl SolverSeen {
    fn figures(&self) -> SolverFigures {
        let mut sorted: Vec<u32> = self.latencies.iter().copied().collect();
        sorted.sort_unstable();
        let drawn = self.latencies.len().saturating_sub(DRAWN);
        SolverFigures {
            bought: self.bought,
            answered: self.answered,
            failed: self.failed,
            p50_ms: nearest_rank(&sorted, 50),
            p95_ms: nearest_rank(&sorted, 95),
            recent_ms: self.latencies.iter().skip(drawn).copied().collect(),
        }
    }
}

/// The smallest value that so many percent are not above.
fn nearest_rank(sorted: &[u32], percent: usize) -> Option<u32> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_latest_times() {
        let figures = Figures::default();
        for millis in 0..=LATENCIES as u64 {
            let took = Duration::from_millis(millis);
            figures.bought("house");
            figures.ended("house", End::Answered(Some(took)));
        }
        figures.ended("house", End::Answered(None));
        figures.ended("house", End::Failed);
        let seen = figures.of("house");
        assert_eq!((seen.bought, seen.answered, seen.failed), (501, 502, 1));
        assert_eq!((seen.p50_ms, seen.p95_ms), (Some(250), Some(475)));
        assert_eq!(seen.recent_ms.len(), DRAWN);
        assert_eq!(seen.recent_ms.last(), Some(&500));
        assert_eq!(figures.of("other"), SolverFigures::default());
    }

    #[test]
    fn the_nearest_rank_of_few_values() {
        assert_eq!(nearest_rank(&[], 50), None);
        assert_eq!(nearest_rank(&[7], 50), Some(7));
        assert_eq!(nearest_rank(&[1, 2], 50), Some(1));
        assert_eq!(nearest_rank(&[1, 2], 95), Some(2));
    }

    #[test]
    fn refusals_are_told_by_how_many_there_were() {
        let figures = Figures::default();
        for reason in ["no_money", "busy", "busy"] {
            figures.refused(reason);
        }
        assert_eq!(figures.refusals(), [("busy", 2), ("no_money", 1)]);
    }
}
