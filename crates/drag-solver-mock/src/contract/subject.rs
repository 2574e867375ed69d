//! The solver under test, and what is known about it.

use std::fmt;
use std::time::Duration;

use drag_solver_core::{
    Drag, DragChallenge, DragSolver, ErrorKind, Solution, SolveError, Verdict, builder_setters,
};
use tokio::time::{Instant, timeout};

use super::Check;

/// Calls at once that memory takes without noticing, and time for any provider to begin: on a paused
/// clock.
const PAUSED: (usize, Duration) = (1_000, Duration::from_secs(60));
/// As many as sockets take, and no longer than a test may take.
const REAL: (usize, Duration) = (50, Duration::from_millis(50));

/// A solver, a challenge it solves, and what else the checks may use.
///
/// `Debug` does not show the secrets.
#[must_use]
pub struct SolverUnderTest<'a> {
    pub(super) solver: &'a dyn DragSolver,
    pub(super) solvable: DragChallenge,
    pub(super) expected: Option<(Drag, f64)>,
    pub(super) failures: Vec<Failure<'a>>,
    pub(super) endless: Option<DragChallenge>,
    /// The verdicts that it takes reports of, if that is known.
    pub(super) reported: Option<Vec<Verdict>>,
    pub(super) has_no_jobs: bool,
    pub(super) left_out: Vec<(Check, String)>,
    answerers: Vec<String>,
    pub(super) secrets: Vec<String>,
    at_once: Option<usize>,
    pub(super) patience: Duration,
    pub(super) is_paused: bool,
}

/// A solver, a challenge that it fails at, and with which kind of error: any will do unless it is named.
type Failure<'a> = (&'a dyn DragSolver, DragChallenge, Option<ErrorKind>);

impl<'a> SolverUnderTest<'a> {
    /// `solver` solves `solvable` every time it is asked.
    pub fn new(solver: &'a dyn DragSolver, solvable: DragChallenge) -> Self {
        let mut answerers = solver.profile().solvers;
        answerers.push(solver.name().to_owned());
        Self {
            solver,
            solvable,
            expected: None,
            failures: Vec::new(),
            endless: None,
            reported: None,
            has_no_jobs: false,
            left_out: Vec::new(),
            answerers,
            secrets: Vec::new(),
            at_once: None,
            patience: Duration::from_secs(30),
            is_paused: false,
        }
    }

    builder_setters! {
        /// The true answer to the solvable challenge, and how far off each of its points may be, in
        /// pixels. Unless it is given, any drag on the picture will do.
        expecting(drag: Drag, tolerance: f64) |it| it.expected = Some((drag, tolerance));

        /// A challenge that the solver fails at every time, with any error.
        failing(challenge: DragChallenge) |it| it.failures.push((it.solver, challenge, None));

        /// A challenge that the solver fails at every time with this kind of error. Name one for each
        /// kind that it can show: [`Report::kinds`](super::Report::kinds) says which were seen.
        failing_with(kind: ErrorKind, challenge: DragChallenge)
            |it| it.failures.push((it.solver, challenge, Some(kind)));

        /// The same of a `solver` in another state than the one under test: with a wrong token, say, or
        /// with an address at which nothing listens.
        with_unrelated_failure(kind: ErrorKind, solver: &'a dyn DragSolver, challenge: DragChallenge)
            |it| it.failures.push((solver, challenge, Some(kind)));

        /// A challenge for whose answer the solver waits until the deadline.
        never_answering(endless: DragChallenge) |it| it.endless = Some(endless);

        /// The verdicts that the solver takes reports of: of each a report is made on a fresh answer, and has to
        /// be taken; those of other verdicts have to be refused as [`ErrorKind::Unsupported`]. `[]` if it
        /// takes none.
        reporting(verdicts: impl IntoIterator<Item = Verdict>)
            |it| it.reported.get_or_insert_default().extend(verdicts);

        /// Says that the solver's service answers in one call and has no jobs. Then no answer has a job, and a
        /// challenge that brings one of the solver's name is refused with [`ErrorKind::Unsupported`] before
        /// anything is sent, handing it back: it was paid for, and may be known to another solver.
        answering_in_one_call() |it| it.has_no_jobs = true;

        /// Leaves out a check that cannot be made of this solver. The [report](super::Report::left_out) says
        /// why, and does not count it as skipped.
        without(check: Check, why: impl Into<String>) |it| it.left_out.push((check, why.into()));

        /// Names that solutions and errors may come from, besides the solver's own and those in its
        /// [profile](DragSolver::profile).
        answered_by(names: impl IntoIterator<Item = impl Into<String>>)
            |it| it.answerers.extend(names.into_iter().map(Into::into));

        /// Text that nothing the solver shows may contain. An empty one is ignored.
        with_secret(secret: impl Into<String>)
            |it| it.secrets.extend(Some(secret.into()).filter(|secret| !secret.is_empty()));

        /// How many calls are made at once. Unless set: 1,000 on a paused clock, and 50 otherwise, as a
        /// socket each has two ends in one process.
        with_calls_at_once(calls: usize) |it| it.at_once = Some(calls);

        /// How long one call may take before it counts as stuck. 30 s unless set.
        with_patience(patience: Duration) |it| it.patience = patience;

        /// Says that the clock is paused, so that instants can be asked for exactly.
        on_paused_clock() |it| it.is_paused = true;
    }

    /// Asks `solver`, and fails if it takes longer than patience allows.
    pub(super) async fn ask(
        &self,
        solver: &dyn DragSolver,
        challenge: &DragChallenge,
    ) -> Result<Result<Solution, SolveError>, String> {
        let left = challenge.remaining().unwrap_or_default();
        let limit = self.patience + left.min(PAUSED.1);
        let call = timeout(limit, solver.solve(challenge));
        call.await
            .map_err(|_| format!("a call was stuck for {limit:?}"))
    }

    fn scale(&self) -> (usize, Duration) {
        if self.is_paused { PAUSED } else { REAL }
    }

    pub(super) fn at_once(&self) -> usize {
        self.at_once.unwrap_or(self.scale().0)
    }

    /// The challenge that is never answered, with its deadline.
    pub(super) fn endless_with_deadline(&self) -> Option<DragChallenge> {
        let deadline = Instant::now() + self.scale().1;
        Some(self.endless.clone()?.with_deadline(deadline))
    }

    /// Whose name a paid job has to have to be the solver's: its own, or that of the first one inside.
    pub(super) fn buyer(&self) -> String {
        let inside = self.solver.profile().solvers.into_iter().next();
        inside.unwrap_or_else(|| self.solver.name().to_owned())
    }

    /// Everything that there is to ask: which solver, and what.
    pub(super) fn questions(&self) -> impl Iterator<Item = (&'a dyn DragSolver, DragChallenge)> {
        let own = [Some(self.solvable.clone()), self.endless_with_deadline()];
        let own = own.into_iter().flatten();
        let own = own.map(|challenge| (self.solver, challenge));
        let failures = self.failures.iter();
        own.chain(failures.map(|(solver, challenge, _)| (*solver, challenge.clone())))
    }

    /// Fails if `text` contains a secret, without repeating it.
    pub(super) fn check_hidden(&self, what: &str, text: &str) -> Result<(), String> {
        let has_secret = self.secrets.iter().any(|secret| text.contains(secret));
        ensure!(!has_secret, "{what} shows a secret");
        Ok(())
    }

    /// Fails if none called `name` may answer.
    pub(super) fn check_answerer(&self, what: &str, name: &str) -> Result<(), String> {
        let answerers = &self.answerers;
        ensure!(
            answerers.iter().any(|answerer| answerer == name),
            "{what} is from `{name}`, and only {answerers:?} may answer"
        );
        Ok(())
    }
}

impl fmt::Debug for SolverUnderTest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SolverUnderTest")
            .field("solver", &self.solver)
            .field("solvable", &self.solvable)
            .field("calls_at_once", &self.at_once())
            .finish_non_exhaustive()
    }
}
