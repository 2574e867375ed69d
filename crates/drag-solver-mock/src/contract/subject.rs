//! The solver under test, and what is known about it.

use std::fmt;
use std::time::Duration;

use drag_solver_core::{Drag, DragChallenge, DragSolver, ErrorKind};

/// Calls at once that memory takes without noticing, and that sockets do.
const MANY_IN_MEMORY: usize = 1_000;
const MANY_OVER_SOCKETS: usize = 50;

/// A solver, a challenge it solves, and what else the checks may use.
///
/// `Debug` does not show the secrets.
pub struct Subject<'a> {
    pub(super) solver: &'a dyn DragSolver,
    pub(super) solvable: DragChallenge,
    pub(super) expected: Option<(Drag, f64)>,
    pub(super) failures: Vec<Failure<'a>>,
    pub(super) endless: Option<DragChallenge>,
    pub(super) providers: Vec<String>,
    secrets: Vec<String>,
    at_once: Option<usize>,
    pub(super) patience: Duration,
    pub(super) paused: bool,
}

/// A challenge that somebody fails at.
pub(super) struct Failure<'a> {
    /// The solver under test, unless it is another.
    pub(super) elsewhere: Option<&'a dyn DragSolver>,
    pub(super) challenge: DragChallenge,
    /// Any will do unless it is named.
    pub(super) kind: Option<ErrorKind>,
}

impl<'a> Subject<'a> {
    /// `solver` solves `solvable` every time it is asked.
    pub fn new(solver: &'a dyn DragSolver, solvable: DragChallenge) -> Self {
        Self {
            solver,
            solvable,
            expected: None,
            failures: Vec::new(),
            endless: None,
            providers: vec![solver.name().to_owned()],
            secrets: Vec::new(),
            at_once: None,
            patience: Duration::from_secs(30),
            paused: false,
        }
    }

    /// The true answer to the solvable challenge, and how far off each of its points may be, in
    /// pixels. Unless it is given, any drag on the picture will do.
    #[must_use]
    pub fn expecting(mut self, drag: Drag, tolerance: f64) -> Self {
        self.expected = Some((drag, tolerance));
        self
    }

    /// A challenge that the solver fails at every time, with whatever error.
    #[must_use]
    pub fn failing(mut self, unsolvable: DragChallenge) -> Self {
        self.failures.push(Failure {
            elsewhere: None,
            challenge: unsolvable,
            kind: None,
        });
        self
    }

    /// A challenge that the solver fails at every time with this kind of error. Name one for each
    /// kind that it can show: [`Report::kinds`](super::Report::kinds) says which were seen.
    #[must_use]
    pub fn failing_with(mut self, kind: ErrorKind, challenge: DragChallenge) -> Self {
        self.failures.push(Failure {
            elsewhere: None,
            challenge,
            kind: Some(kind),
        });
        self
    }

    /// The same of a `solver` in another state than the one under test: with a wrong token, say, or
    /// with nobody at the other end.
    #[must_use]
    pub fn failing_elsewhere(
        mut self,
        kind: ErrorKind,
        solver: &'a dyn DragSolver,
        challenge: DragChallenge,
    ) -> Self {
        self.failures.push(Failure {
            elsewhere: Some(solver),
            challenge,
            kind: Some(kind),
        });
        self
    }

    /// A challenge that the solver goes on waiting for until its deadline.
    #[must_use]
    pub fn never_answering(mut self, endless: DragChallenge) -> Self {
        self.endless = Some(endless);
        self
    }

    /// Who solutions and errors may say they come from, besides the solver's own name: for a chain,
    /// the names of those in it.
    #[must_use]
    pub fn answered_by<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.providers.extend(names.into_iter().map(Into::into));
        self
    }

    /// Text that nothing the solver shows may contain. An empty one is ignored.
    #[must_use]
    pub fn hiding(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self.secrets.retain(|secret| !secret.is_empty());
        self
    }

    /// How many calls are made at once. Unless set: 1,000 on a paused clock, and 50 otherwise, as a
    /// socket each has two ends in one process.
    #[must_use]
    pub fn with_calls_at_once(mut self, calls: usize) -> Self {
        self.at_once = Some(calls);
        self
    }

    /// How long one call may take before it counts as stuck. 30 s unless set.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Says that the clock is paused, so that instants can be asked for exactly.
    #[must_use]
    pub fn on_paused_clock(mut self) -> Self {
        self.paused = true;
        self
    }

    pub(super) fn at_once(&self) -> usize {
        let usual = if self.paused {
            MANY_IN_MEMORY
        } else {
            MANY_OVER_SOCKETS
        };
        self.at_once.unwrap_or(usual)
    }

    pub(super) fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Fails if `text` contains a secret, without repeating it.
    pub(super) fn check_hidden(&self, what: &str, text: &str) -> Result<(), String> {
        if self.secrets.iter().any(|secret| text.contains(secret)) {
            return Err(format!("{what} shows a secret"));
        }
        Ok(())
    }
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("solver", &self.solver)
            .field("solvable", &self.solvable)
            .field("calls_at_once", &self.at_once())
            .finish_non_exhaustive()
    }
}
