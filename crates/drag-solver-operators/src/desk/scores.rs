//! What each operator has done, and whether it was right.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use drag_solver_core::{JobId, Verdict};

use super::seat::Score;

/// Answers of which it is known who gave them, for reports.
const REMEMBERED: usize = 10_000;

/// Since the process began.
#[derive(Default)]
pub(super) struct Scores {
    by_operator: HashMap<Arc<str>, Score>,
    /// The latest last.
    answered: VecDeque<(JobId, Arc<str>)>,
}

impl Scores {
    pub(super) fn of(&self, operator: &str) -> Score {
        self.by_operator.get(operator).copied().unwrap_or_default()
    }

    pub(super) fn answered(&mut self, operator: &Arc<str>, job: &JobId) {
        self.score(operator).answered += 1;
        if self.answered.len() == REMEMBERED {
            self.answered.pop_front();
        }
        self.answered.push_back((job.clone(), Arc::clone(operator)));
    }

    pub(super) fn skipped(&mut self, operator: &Arc<str>) {
        self.score(operator).skipped += 1;
    }

    /// Says whether it is known who gave the answer.
    pub(super) fn reported(&mut self, job: &JobId, verdict: Verdict) -> bool {
        let known = self.answered.iter().find(|(known, _)| known == job);
        let Some((_, operator)) = known.cloned() else {
            return false;
        };
        let score = self.score(&operator);
        match verdict {
            Verdict::Correct => score.right += 1,
            Verdict::Incorrect => score.wrong += 1,
        }
        true
    }

    /// Operators are those who have a key: there are few.
    fn score(&mut self, operator: &Arc<str>) -> &mut Score {
        self.by_operator.entry(Arc::clone(operator)).or_default()
    }
}
