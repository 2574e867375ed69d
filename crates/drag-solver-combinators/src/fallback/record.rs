//! What the solvers of a fallback did recently, and the order that follows from it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{ErrorKind, JobId, Recovery, Solution, SolveError};
use tokio::time::Instant;

use super::OrderPolicy;
use crate::jitter::Jitter;
use crate::sync::{Mutex, lock};

/// How many calls of a solver are remembered at most.
pub(super) const REMEMBERED: usize = 100;

/// The records of all solvers of one fallback.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) policy: OrderPolicy,
    chance: Jitter,
    of: Vec<TrackRecord>,
}

/// What one solver of an [ordered](crate::Fallback::ordered) fallback did recently. Clones are the same
/// record.
///
/// Keep it to hand it to [another](crate::Fallback::with_track_records) fallback that takes this one's place.
#[derive(Clone, Debug, Default)]
pub struct TrackRecord(Arc<Mutex<VecDeque<PastCall>>>); // the latest call at the end

#[derive(Debug)]
struct PastCall {
    ended: Instant,
    took: Duration,
    good: bool,
    /// The job behind an answer, so that a verdict finds it.
    job: Option<JobId>,
}

impl Records {
    pub(super) fn new(policy: OrderPolicy, solvers: usize, chance: Jitter) -> Self {
        Self {
            policy,
            chance,
            of: (0..solvers).map(|_| TrackRecord::default()).collect(),
        }
    }

    /// Takes these for the records of the first solvers, as many as there are.
    pub(super) fn take_over(&mut self, records: impl IntoIterator<Item = TrackRecord>) {
        for (own, known) in self.of.iter_mut().zip(records) {
            *own = known;
        }
    }

    /// The records of all solvers.
    pub(super) fn all(&self) -> &[TrackRecord] {
        &self.of
    }

    /// A call of `child` ended like this.
    pub(super) fn add(
        &self,
        child: usize,
        outcome: Result<&Solution, &SolveError>,
        took: Duration,
    ) {
        let (good, job) = match outcome {
            Ok(solution) => (true, solution.job().cloned()),
            Err(error) if is_its_fault(error) => (false, None),
            Err(_) => return,
        };
        let mut record = lock(&self.of[child].0);
        if record.len() == REMEMBERED {
            record.pop_front();
        }
        record.push_back(PastCall {
            ended: Instant::now(),
            took,
            good,
            job,
        });
    }

    /// An answer of `child` turned out to be wrong: its call was none that succeeded. An answer
    /// without a job cannot be told from others, and the latest one is taken for it.
    pub(super) fn was_wrong(&self, child: usize, solution: &Solution) {
        let mut record = lock(&self.of[child].0);
        let mut calls = record.iter_mut().rev();
        if let Some(call) = calls.find(|call| call.good && call.job.as_ref() == solution.job()) {
            call.good = false;
        }
    }

    /// Everybody, the best first.
    pub(super) fn order(&self) -> Vec<usize> {
        let scores: Vec<Option<f64>> = self.of.iter().map(|record| self.score(record)).collect();
        // A solver that is not known yet is thought to be as good as the best, which leaves it where it is
        // listed, unless those before it turn out to be worse.
        let best = scores
            .iter()
            .flatten()
            .copied()
            .fold(f64::INFINITY, f64::min);
        let score = |child: usize| scores[child].unwrap_or(best);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&one, &other| score(one).total_cmp(&score(other)));
        self.explore(&mut order);
        order
    }

    /// The time that went by for each good answer, in seconds: the mean time of a call divided by
    /// the chance that it succeeds. To ask in this order finds an answer soonest, on average.
    /// Infinite if there was none, `None` if too few calls are known.
    fn score(&self, record: &TrackRecord) -> Option<f64> {
        let mut record = lock(&record.0);
        let window = self.policy.window;
        record.retain(|call| call.ended.elapsed() < window);
        if record.len() < self.policy.samples_needed() {
            return None;
        }
        let time: f64 = record.iter().map(|call| call.took.as_secs_f64()).sum();
        let good = record.iter().filter(|call| call.good).count();
        #[allow(clippy::cast_precision_loss)] // at most 100
        let score = if good == 0 {
            f64::INFINITY
        } else {
            time / good as f64
        };
        Some(score)
    }

    /// Now and then, a solver that was put behind others is asked first.
    fn explore(&self, order: &mut [usize]) {
        let put_back: Vec<usize> = (1..order.len())
            .filter(|&place| order[..place].iter().any(|&before| before > order[place]))
            .collect();
        if put_back.is_empty() || self.chance.fraction() >= self.policy.explore.get() {
            return;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss
        )] // a few
        let chosen = (self.chance.fraction() * put_back.len() as f64) as usize;
        order[..=put_back[chosen]].rotate_right(1);
    }
}

/// Whether an error says something about the solver: not if it was made on this side, and not if
/// no solver could have done better.
fn is_its_fault(error: &SolveError) -> bool {
    let attempts = error.attempts();
    let ours = |kind: ErrorKind| kind.is_local_refusal();
    let all_ours = !attempts.is_empty() && attempts.iter().all(|attempt| ours(attempt.kind));
    error.recovery() != Recovery::Stop && !ours(error.kind()) && !all_ours
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{Drag, Point, Ratio};

    use super::*;
    use crate::tests::{error, millis, secs};

    fn answer(job: Option<u64>) -> Solution {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        let solution = Solution::new(drag, "a");
        job.map_or(solution.clone(), |id| solution.with_job(JobId::from(id)))
    }

    fn records(solvers: usize) -> Records {
        let policy = OrderPolicy::default().min_samples(2).explore(Ratio::ZERO);
        Records::new(policy, solvers, Jitter::seeded(1))
    }

    fn good(records: &Records, child: usize, took: u64) {
        records.add(child, Ok(&answer(None)), secs(took));
    }

    fn bad(records: &Records, child: usize, took: u64) {
        let down = error(ErrorKind::Unavailable);
        records.add(child, Err(&down), secs(took));
    }

    #[tokio::test(start_paused = true)]
    async fn the_least_time_per_answer_goes_first() {
        let records = records(3);
        for _ in 0..4 {
            good(&records, 0, 10); // 10 s an answer
            good(&records, 1, 3);
            bad(&records, 1, 3); // 6 s an answer
            good(&records, 2, 7); // 7 s an answer
        }
        assert_eq!(records.order(), [1, 2, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn too_few_calls_change_nothing() {
        let records = records(2);
        good(&records, 1, 1);
        bad(&records, 0, 60);
        assert_eq!(records.order(), [0, 1]);
        // The unknown stays behind the one that is known to be good.
        good(&records, 0, 3);
        assert_eq!(records.order(), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_never_answers_goes_last() {
        let records = records(2);
        for _ in 0..2 {
            bad(&records, 0, 0);
            good(&records, 1, 60);
        }
        assert_eq!(records.order(), [1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_the_solvers_fault_does_not_count() {
        let records = records(2);
        for _ in 0..2 {
            good(&records, 0, 3);
            good(&records, 1, 4);
        }
        for &kind in ErrorKind::ALL {
            let ours = kind.is_local_refusal() || kind.recovery() == Recovery::Stop;
            assert_eq!(is_its_fault(&error(kind)), !ours, "{kind}");
            if ours {
                for _ in 0..10 {
                    records.add(0, Err(&error(kind)), secs(60));
                }
            }
        }
        let nested = vec![error(ErrorKind::CircuitOpen)];
        assert!(!is_its_fault(&SolveError::all_failed(nested)));
        assert_eq!(records.order(), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_answer_is_none_and_is_counted_once() {
        let records = records(1);
        for job in 1..=3 {
            records.add(0, Ok(&answer(Some(job))), secs(6));
        }
        assert_eq!(records.score(&records.of[0]), Some(6.0));
        for _ in 0..2 {
            records.was_wrong(0, &answer(Some(2)));
            assert_eq!(records.score(&records.of[0]), Some(9.0));
        }
        records.was_wrong(0, &answer(Some(77)));
        assert_eq!(records.score(&records.of[0]), Some(9.0), "a stranger");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_answer_without_a_job_is_the_latest_answer_and_no_failure() {
        let records = records(1);
        good(&records, 0, 6);
        good(&records, 0, 6);
        bad(&records, 0, 6);
        records.was_wrong(0, &answer(None));
        assert_eq!(records.score(&records.of[0]), Some(18.0));
    }

    #[tokio::test(start_paused = true)]
    async fn old_calls_are_forgotten_at_the_very_instant() {
        let records = records(2);
        for _ in 0..2 {
            bad(&records, 0, 1);
            good(&records, 1, 5);
        }
        tokio::time::advance(millis(599_999)).await;
        assert_eq!(records.order(), [1, 0]);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(records.order(), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let records = records(1);
        for _ in 0..1_000 {
            good(&records, 0, 1);
        }
        assert_eq!(lock(&records.of[0].0).len(), REMEMBERED);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_solver_that_was_put_back_is_explored_and_as_often_as_said() {
        let policy = OrderPolicy::default()
            .min_samples(2)
            .explore(Ratio::percent(25));
        let records = Records::new(policy, 3, Jitter::seeded(1));
        for _ in 0..1_000 {
            assert_eq!(records.order(), [0, 1, 2], "none was put back");
        }
        for _ in 0..2 {
            bad(&records, 0, 1);
            good(&records, 1, 5);
            good(&records, 2, 9);
        }
        let orders: Vec<_> = (0..1_000).map(|_| records.order()).collect();
        let explored = orders.iter().filter(|order| **order == [0, 1, 2]).count();
        assert!((200..300).contains(&explored), "{explored}");
        let rest = orders.iter().filter(|order| **order == [1, 2, 0]).count();
        assert_eq!(explored + rest, 1_000);
    }
    #[tokio::test(start_paused = true)]
    async fn each_solver_that_was_put_back_is_explored_as_often_as_the_other() {
        let policy = OrderPolicy::default().min_samples(1).explore(Ratio::ONE);
        let records = Records::new(policy, 3, Jitter::seeded(1));
        for (child, took) in [(0, 9), (1, 7), (2, 5)] {
            good(&records, child, took);
        }
        let orders: Vec<_> = (0..1_000).map(|_| records.order()).collect();
        let second = orders.iter().filter(|order| **order == [1, 2, 0]).count();
        let third = orders.iter().filter(|order| **order == [0, 2, 1]).count();
        assert_eq!(second + third, 1_000);
        assert!((400..600).contains(&second), "{second}");
    }
}
