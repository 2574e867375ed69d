//! What became of many screenshots, in numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use drag_solver::{Solution, Usd};

use crate::task::Failure;

/// Counts results and adds up what they cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    solved: usize,
    /// How many of those were on record, and cost nothing now.
    on_record: usize,
    /// How many failed in each way.
    failed: BTreeMap<String, usize>,
    spent: Usd,
    /// Of how many it is not known what they cost.
    unknown: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, result: &Result<Solution, Failure>, on_record: bool) {
        let spent = match result {
            Ok(_) if on_record => {
                self.solved += 1;
                self.on_record += 1;
                return;
            }
            Ok(solution) => {
                self.solved += 1;
                solution.spent()
            }
            Err(failure) => {
                let kind = match failure {
                    Failure::Interrupted(_) => "interrupted".to_owned(),
                    _ => failure.error().kind().to_string(),
                };
                *self.failed.entry(kind).or_default() += 1;
                failure.error().spent()
            }
        };
        match spent {
            Some(spent) => self.spent = self.spent + spent,
            None => self.unknown += 1,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.solved + self.failed()
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed.values().sum()
    }

    /// What all of it cost.
    pub(crate) fn money(&self) -> String {
        let Self { spent, unknown, .. } = self;
        if *unknown == 0 {
            format!("${spent}")
        } else if *spent == Usd::ZERO {
            "cost unknown".to_owned()
        } else {
            format!("at least ${spent} ({unknown} of unknown cost)")
        }
    }

    /// What became of `total` screenshots, in one line.
    pub(crate) fn summary(&self, total: usize, elapsed: Duration) -> String {
        let mut line = format!("{} of {total} solved", self.solved);
        // Writing to a String cannot fail.
        if self.on_record > 0 {
            let _ = write!(line, " ({} on record)", self.on_record);
        }
        if self.failed() > 0 {
            let kinds = self.failed.iter();
            let kinds: Vec<_> = kinds
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            let _ = write!(line, ", {} failed ({})", self.failed(), kinds.join(", "));
        }
        let not_begun = total.saturating_sub(self.count());
        if not_begun > 0 {
            let _ = write!(line, ", {not_begun} not begun");
        }
        let _ = write!(line, "; {:.1} s, {}", elapsed.as_secs_f64(), self.money());
        line
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::{Billed, Drag, ErrorKind, Point, SolveError};

    use super::*;

    fn solved() -> Solution {
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(3.0, 4.0));
        Solution::new(drag, "a")
    }

    fn failed(kind: ErrorKind) -> SolveError {
        SolveError::new(kind, "no").with_solver("a")
    }

    fn paid(kind: ErrorKind) -> SolveError {
        failed(kind).with_billed(Billed::Yes)
    }

    fn summary(results: &[Result<Solution, Failure>], total: usize) -> String {
        let mut tally = Tally::default();
        for result in results {
            tally.add(result, false);
        }
        tally.summary(total, Duration::from_millis(12_340))
    }

    #[test]
    fn it_counts_what_was_solved_what_failed_and_what_was_spent() {
        let timeout = || paid(ErrorKind::Timeout).with_cost(Usd::from_micros(100));
        let mut results = vec![
            Ok(solved().with_cost(Usd::from_micros(900))),
            Err(Failure::Unsolved(failed(ErrorKind::Unauthorized))),
            Err(Failure::Unsolved(timeout())),
            Err(Failure::Unsolved(timeout())),
        ];
        assert_eq!(
            summary(&results, 4),
            "1 of 4 solved, 3 failed (2 timeout, 1 unauthorized); 12.3 s, $0.0011"
        );
        results.push(Ok(solved()));
        results.push(Err(Failure::Interrupted(paid(ErrorKind::Timeout))));
        assert_eq!(
            summary(&results, 9),
            "2 of 9 solved, 4 failed (1 interrupted, 2 timeout, 1 unauthorized), 3 not begun; \
             12.3 s, at least $0.0011 (2 of unknown cost)"
        );
    }

    #[test]
    fn what_is_not_known_is_not_called_nothing() {
        assert_eq!(
            summary(&[Ok(solved())], 1),
            "1 of 1 solved; 12.3 s, cost unknown"
        );
        assert_eq!(
            summary(&[Ok(solved().with_cost(Usd::ZERO))], 1),
            "1 of 1 solved; 12.3 s, $0"
        );
    }
}
