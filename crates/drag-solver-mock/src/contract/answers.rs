//! What a solver says: its name, its answers, its errors.

use std::error::Error;

use drag_solver_core::{Billed, DragChallenge, ErrorKind, Rect, Solution, SolveError};

use super::money::exceeds;
use super::{Checked, Finding, SolverUnderTest, skip};

/// What breaks a request that is put together by hand.
const ODD_TEXT: &str = "Kéo \"mảnh ghép\"\\ \u{0}\n</script> {} %s \u{1F9E9}\u{202E}";

/// Longest name, in characters: it is a label in every log line and metric.
const MAX_NAME: usize = 64;

impl SolverUnderTest<'_> {
    /// The name is short, stable and lower case: it labels errors, logs and metrics. Visible ASCII
    /// characters, as in `omocaptcha` or, for a chain, `a|b`.
    #[allow(clippy::unused_async)] // a row of the table
    pub(super) async fn the_name_is_a_label(&self) -> Checked {
        let name = self.solver.name();
        let has_length = (1..=MAX_NAME).contains(&name.len());
        ensure!(has_length, "`{name}` must have 1 to {MAX_NAME} characters");
        let is_label = |c: char| c.is_ascii_graphic() && !c.is_ascii_uppercase();
        if let Some(odd) = name.chars().find(|&c| !is_label(c)) {
            let advice = "use visible lower-case ASCII characters";
            return Err(format!("`{name}` has {odd:?} in it: {advice}"));
        }
        let same = self.solver.name() == name;
        ensure!(same, "`{name}` was another name when asked again");
        Ok(Finding::Passed)
    }

    /// `Debug`, plain and pretty, shows none of the secrets. Skipped if there are none.
    #[allow(clippy::unused_async)] // a row of the table
    pub(super) async fn debug_hides_secrets(&self) -> Checked {
        if self.secrets.is_empty() {
            return Ok(skip("no secret was named with `with_secret`"));
        }
        let solver = self.solver;
        self.check_hidden("Debug", &format!("{solver:?}"))?;
        self.check_hidden("pretty Debug", &format!("{solver:#?}"))?;
        Ok(Finding::Passed)
    }

    /// The solvable challenge is solved: with a drag on the picture, at no negative cost and within the
    /// worst case, and with the expected drag if one is known.
    pub(super) async fn a_known_challenge_is_solved(&self) -> Checked {
        self.solve(&self.solvable).await?;
        Ok(Finding::Passed)
    }

    /// What else a challenge says (an instruction in any characters, a region that is the whole
    /// picture) changes nothing: it is solved as without.
    pub(super) async fn an_instruction_and_a_region_do_no_harm(&self) -> Checked {
        let shot = self.solvable.screenshot();
        let whole = Rect::new(0.0, 0.0, shot.width().into(), shot.height().into());
        let challenge = self.solvable.clone().with_instruction(ODD_TEXT);
        let challenge = challenge.with_region(whole).map_err(|e| e.to_string())?;
        self.solve(&challenge).await?;
        Ok(Finding::Passed)
    }

    /// Solves, and holds the answer against what every answer must be.
    pub(super) async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, String> {
        let outcome = self.ask(self.solver, challenge).await?;
        let solution = outcome.map_err(|error| format!("it failed: {error}"))?;
        let (shot, drag) = (challenge.screenshot(), solution.drag());
        drag.check(shot.width(), shot.height(), 0.0)
            .map_err(|error| error.to_string())?;
        self.check_contributors(&solution)?;
        self.check_hidden("the Debug of a solution", &format!("{solution:?}"))?;
        if let Some(cost) = solution.cost().filter(|cost| cost.is_negative()) {
            return Err(format!("it cost ${cost}, less than nothing"));
        }
        let worst = self.solver.profile().worst_case;
        let is_within = !exceeds(solution.cost(), worst.cost);
        ensure!(is_within, "it cost more than its worst case ({worst})");
        if let Some((expected, tolerance)) = &self.expected {
            let off = drag.start.distance(expected.start);
            let off = off.max(drag.end.distance(expected.end));
            ensure!(
                off <= *tolerance,
                "it answered {drag}, and the answer is {expected}: {off:.1} px off"
            );
        }
        Ok(solution)
    }

    fn check_contributors(&self, solution: &Solution) -> Result<(), String> {
        match solution.contributors() {
            [] => self.check_answerer("the solution", solution.solver()),
            several => several
                .iter()
                .try_for_each(|part| self.check_contributors(part)),
        }
    }

    /// The error of each challenge that cannot be solved is of the kind that was named for it, names
    /// the solver, says something, hides the secrets, agrees with itself about money, and is the same
    /// after a way through JSON. Skipped if no such challenge was named.
    pub(super) async fn errors_are_sensible(&self) -> Checked {
        if self.failures.is_empty() {
            return Ok(skip("no challenge was named with `failing`"));
        }
        for (solver, challenge, kind) in &self.failures {
            let expected = kind.map_or("any error", ErrorKind::as_str);
            match self.ask(*solver, challenge).await? {
                Ok(solution) => {
                    let drag = solution.drag();
                    return Err(format!("in place of {expected} it was solved: {drag}"));
                }
                Err(error) if kind.is_some_and(|kind| kind != error.kind()) => {
                    return Err(format!("the error is not {expected}: {error}"));
                }
                Err(error) => self.check_error(&error)?,
            }
        }
        Ok(Finding::Passed)
    }

    /// What every error must be.
    pub(super) fn check_error(&self, error: &SolveError) -> Result<(), String> {
        match error.solver() {
            Some(solver) => self.check_answerer("the error", solver)?,
            // A chain that ran out names none: all of them failed.
            None if error.kind() == ErrorKind::AllFailed => {}
            None => return Err(format!("the error does not say who it is from: {error}")),
        }
        let is_silent = error.message().is_empty();
        ensure!(!is_silent, "the error does not say what happened: {error}");
        let may_be_billed = !error.kind().is_local_refusal() || !error.unfinished_jobs().is_empty();
        ensure!(
            may_be_billed || error.billed() == Billed::No,
            "nothing was sent, so nothing was billed: {error}"
        );
        let texts = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
        for text in texts.map(ToString::to_string) {
            self.check_hidden("an error", &text)?;
        }
        self.check_hidden("the Debug of an error", &format!("{error:?}"))?;
        let json = serde_json::to_string(error).map_err(|e| e.to_string())?;
        self.check_hidden("the JSON of an error", &json)?;
        let back: SolveError = serde_json::from_str(&json).map_err(|e| format!("{e} in {json}"))?;
        let facts = |error: &SolveError| {
            let money = (error.billed(), error.unfinished_jobs());
            (error.kind(), error.recovery(), money, error.to_string())
        };
        let is_same = facts(&back) == facts(error);
        ensure!(is_same, "as JSON the error became another: {error}, {back}");
        Ok(())
    }
}
