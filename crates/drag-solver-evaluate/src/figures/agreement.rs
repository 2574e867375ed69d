//! How often two solvers say the same.

use std::collections::HashMap;

use drag_solver_core::Drag;
use serde::Serialize;

use super::interval::{Estimate, wilson};
use crate::call::{Call, CallOutcome};

/// How often the answers of two solvers agree: their starts, and their ends, are at most the tolerance apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Agreement {
    /// The one, counted from 0.
    pub one: usize,
    /// The other.
    pub other: usize,
    /// How many pictures both answered.
    pub both_answered: u64,
    /// In how many of those they agree.
    pub agree: u64,
    /// In how many of those both are right.
    pub both_right: u64,
    /// The share of agreement.
    pub share: Option<Estimate>,
}

/// The agreement of every two of so many solvers.
#[must_use]
pub fn agreement(solvers: usize, calls: &[Call], tolerance: f64) -> Vec<Agreement> {
    let mut answers: HashMap<(usize, usize), (&Drag, bool)> = HashMap::new();
    let mut pictures = 0;
    for call in calls {
        if let CallOutcome::Answered { drag, off_px } = &call.outcome {
            answers.insert((call.solver, call.picture), (drag, *off_px <= tolerance));
            pictures = pictures.max(call.picture + 1);
        }
    }
    let pairs = (0..solvers).flat_map(|one| (one + 1..solvers).map(move |other| (one, other)));
    pairs
        .map(|(one, other)| {
            let (mut both_answered, mut agree, mut both_right) = (0, 0, 0);
            for picture in 0..pictures {
                let pair = answers
                    .get(&(one, picture))
                    .zip(answers.get(&(other, picture)));
                let Some(((first, first_right), (second, second_right))) = pair else {
                    continue;
                };
                let together = first.start.distance(second.start) <= tolerance
                    && first.end.distance(second.end) <= tolerance;
                both_answered += 1;
                agree += u64::from(together);
                both_right += u64::from(*first_right && *second_right);
            }
            Agreement {
                one,
                other,
                both_answered,
                agree,
                both_right,
                share: wilson(agree, both_answered),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{ErrorKind, Point};

    use super::*;
    use crate::call::Next;

    fn answer(solver: usize, picture: usize, x: f64, off_px: f64) -> Call {
        let drag = Drag::new(Point::new(x, 0.0), Point::new(x + 100.0, 0.0));
        Call {
            picture,
            solver,
            outcome: CallOutcome::Answered { drag, off_px },
            took: None,
            spent: None,
            from_store: false,
        }
    }

    #[test]
    fn only_pictures_that_both_answered_count() {
        let mut failed = answer(1, 2, 0.0, 0.0);
        failed.outcome = CallOutcome::Failed {
            kind: ErrorKind::Unsolvable,
            next: Next::Again,
            retry_after: None,
        };
        let calls = [
            answer(0, 0, 5.0, 0.0),
            answer(1, 0, 15.0, 10.0),
            answer(0, 1, 5.0, 0.0),
            answer(1, 1, 15.5, 10.5),
            answer(0, 2, 5.0, 0.0),
            failed,
        ];
        let pairs = agreement(3, &calls, 10.0);
        assert_eq!(pairs.len(), 3);
        let first = &pairs[0];
        assert_eq!(
            (first.both_answered, first.agree, first.both_right),
            (2, 1, 1)
        );
        assert!(first.share.is_some() && pairs[1].share.is_none());
    }
}
