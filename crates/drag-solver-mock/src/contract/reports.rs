//! How a solver takes reports of whether its answers were right.

use drag_solver_core::{Billed, ErrorKind, Solution, SolveError, Verdict};
use tokio::time::timeout;

use super::{Checked, Finding, SolverUnderTest, skip};

impl SolverUnderTest<'_> {
    /// A report about a solution is taken, or refused with [`ErrorKind::Unsupported`]: taken if its verdict
    /// was [named](SolverUnderTest::reporting), and refused if only others were. If none was named: skipped
    /// once it has refused one, as there is nothing else to see.
    pub(super) async fn reports_are_answered(&self) -> Checked {
        let mut solution = self.solve(&self.solvable).await?;
        for verdict in [Verdict::Correct, Verdict::Incorrect] {
            let is_due = self.reported.as_ref().map(|it| it.contains(&verdict));
            if is_due.is_some() {
                // Some services take one report of an answer.
                solution = self.solve(&self.solvable).await?;
            }
            let Err(error) = self.report(&solution, verdict).await? else {
                ensure!(
                    is_due != Some(false),
                    "it took a report that it was {verdict}, which it was not to take"
                );
                continue;
            };
            let is_refused = error.kind() == ErrorKind::Unsupported && is_due != Some(true);
            ensure!(is_refused, "a report that it was {verdict} failed: {error}");
            let is_free = error.billed() == Billed::No;
            ensure!(is_free, "a report was refused, and cost money: {error}");
            if is_due.is_none() {
                let advice = "(say which it takes, with `reporting`)";
                return Ok(skip(format!(
                    "it takes no report that it was {verdict} {advice}"
                )));
            }
        }
        // A solution that was read from a file, with a route that leads nowhere and another solver's name
        // on it, is nothing to report on. It may be refused or ignored, with any error that is sensible.
        let stranger = Solution::new(*solution.drag(), "stranger");
        let routes = [0, 1, usize::MAX].map(|child| stranger.clone().push_route(child));
        for stranger in [stranger].iter().chain(&routes) {
            for verdict in [Verdict::Correct, Verdict::Incorrect] {
                let _ = self.report(stranger, verdict).await?;
            }
        }
        Ok(Finding::Passed)
    }

    /// What came of a report. Its error is a sensible one.
    async fn report(
        &self,
        solution: &Solution,
        verdict: Verdict,
    ) -> Result<Result<(), SolveError>, String> {
        let report = self.solver.report(solution, verdict);
        let answer = timeout(self.patience, report).await;
        let answer =
            answer.map_err(|_| format!("a report on `{}` was stuck", solution.solver()))?;
        if let Err(error) = &answer {
            self.check_error(error)?;
        }
        Ok(answer)
    }
}
