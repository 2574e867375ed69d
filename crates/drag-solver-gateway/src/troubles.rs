//! Troubles with providers that only who runs the gateway can end: the log says when they begin and when they are over.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use drag_solver::{Attempt, ErrorKind, Solution, SolveError};
use tokio::time::Instant;

/// How often one trouble of one provider is told, at most.
const AGAIN: Duration = Duration::from_secs(60);

/// What came of a job. The log is one for the process, and so is what was told in it.
pub(crate) fn note(result: &Result<Solution, SolveError>) {
    static TOLD: Troubles = Troubles(Mutex::new(Vec::new()));
    for line in TOLD.note(result) {
        match line {
            Line::Begins(text) => tracing::warn!("{text}"),
            Line::IsOver(text) => tracing::info!("{text}"),
        }
    }
}

/// Those that were told, one for each provider and kind.
#[derive(Default)]
struct Troubles(Mutex<Vec<Trouble>>);

struct Trouble {
    solver: String,
    kind: ErrorKind,
    told: Instant,
    lasts: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Begins(String),
    IsOver(String),
}

impl Troubles {
    fn note(&self, result: &Result<Solution, SolveError>) -> Vec<Line> {
        let (failed, solved_by) = match result {
            Ok(solution) if solution.failed_attempts().is_empty() => (Vec::new(), Some(solution)),
            Ok(solution) => (solution.failed_attempts().to_vec(), Some(solution)),
            Err(error) => (error.attempts(), None),
        };
        let solved_by = solved_by.map(Solution::solver);
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        for (n, attempt) in failed.iter().enumerate() {
            let (Some(kind), Some(solver)) = (of_the_operator(attempt.kind), &attempt.solver)
            else {
                continue;
            };
            // A retry may have helped: the last one of each provider counts.
            let later = failed.get(n + 1..).unwrap_or_default();
            let is_last = later.iter().all(|later| later.solver != attempt.solver);
            if !is_last || solved_by == Some(solver) {
                continue;
            }
            let now = Instant::now();
            let known = told
                .iter_mut()
                .find(|one| one.solver == *solver && one.kind == kind);
            match known {
                Some(known) if now - known.told < AGAIN => continue,
                Some(known) => (known.told, known.lasts) = (now, true),
                None => told.push(Trouble {
                    solver: solver.clone(),
                    kind,
                    told: now,
                    lasts: true,
                }),
            }
            lines.push(begins(solver, attempt, solved_by));
        }
        for trouble in told.iter_mut().filter(|one| one.lasts) {
            if solved_by == Some(&trouble.solver) {
                trouble.lasts = false;
                let line = format!("{} answers again ({} before)", trouble.solver, trouble.kind);
                lines.push(Line::IsOver(line));
            }
        }
        lines
    }
}

fn begins(solver: &str, attempt: &Attempt, solved_by: Option<&str>) -> Line {
    let so = match solved_by {
        Some(other) => format!("{other} is asked in its place"),
        None => "jobs fail".to_owned(),
    };
    let why = attempt.message.escape_debug();
    Line::Begins(format!("{solver}: {}: {why}; {so}", attempt.kind))
}

/// The kind of trouble, if it is one that time and clients do not end.
fn of_the_operator(kind: ErrorKind) -> Option<ErrorKind> {
    match kind {
        ErrorKind::Unauthorized | ErrorKind::InsufficientBalance => Some(kind),
        ErrorKind::Unavailable | ErrorKind::CircuitOpen => Some(ErrorKind::Unavailable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::testing::fixtures;

    use super::*;

    fn failed(kind: ErrorKind) -> Result<Solution, SolveError> {
        Err(SolveError::new(kind, "no").with_solver("house"))
    }

    fn solution() -> Solution {
        Solution::new(fixtures::drag(), "house")
    }

    #[tokio::test(start_paused = true)]
    async fn a_trouble_is_told_once_in_a_minute_and_when_it_is_over() {
        let troubles = Troubles::default();
        assert_eq!(troubles.note(&Ok(solution())), []);
        let begins = Line::Begins("house: unauthorized: no; jobs fail".to_owned());
        assert_eq!(troubles.note(&failed(ErrorKind::Unauthorized)), [begins]);
        assert_eq!(troubles.note(&failed(ErrorKind::Unauthorized)), []);
        assert_eq!(troubles.note(&failed(ErrorKind::CircuitOpen)).len(), 1);
        assert_eq!(troubles.note(&failed(ErrorKind::Unavailable)), []);
        assert_eq!(troubles.note(&failed(ErrorKind::Unsolvable)), []);
        assert_eq!(troubles.note(&Ok(solution())).len(), 2);
        assert_eq!(troubles.note(&Ok(solution())), []);
        assert_eq!(troubles.note(&failed(ErrorKind::Unauthorized)), []);
        assert_eq!(troubles.note(&Ok(solution())), [], "and so is its end");
        tokio::time::advance(AGAIN).await;
        assert_eq!(troubles.note(&failed(ErrorKind::Unauthorized)).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_another_provider_makes_good_is_told_and_one_that_a_retry_has_ended_is_not() {
        let troubles = Troubles::default();
        let earlier = |solver: &str| {
            let error = SolveError::new(ErrorKind::Unavailable, "no").with_solver(solver);
            Ok(solution().with_failed_attempts(error.attempts()))
        };
        assert_eq!(troubles.note(&earlier("house")), []);
        let text = "other: unavailable: no; house is asked in its place".to_owned();
        assert_eq!(troubles.note(&earlier("other")), [Line::Begins(text)]);
    }
}
