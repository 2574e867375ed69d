//! The solver under test, and what is known about it.

use std::time::Duration;

use drag_solver_core::{Drag, DragChallenge, DragSolver};

/// A solver, a challenge it solves, and what else the checks may use.
#[derive(Debug)]
pub struct Subject<'a> {
    pub(super) solver: &'a dyn DragSolver,
    pub(super) solvable: DragChallenge,
    pub(super) expected: Option<(Drag, f64)>,
    pub(super) unsolvable: Option<DragChallenge>,
    pub(super) endless: Option<DragChallenge>,
    pub(super) providers: Vec<String>,
    secrets: Vec<String>,
    pub(super) at_once: usize,
    pub(super) patience: Duration,
    pub(super) paused: bool,
}

impl<'a> Subject<'a> {
    /// `solver` solves `solvable` every time it is asked.
    pub fn new(solver: &'a dyn DragSolver, solvable: DragChallenge) -> Self {
        Self {
            solver,
            solvable,
            expected: None,
            unsolvable: None,
            endless: None,
            providers: vec![solver.name().to_owned()],
            secrets: Vec::new(),
            at_once: 50,
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
        self.unsolvable = Some(unsolvable);
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

    /// How many calls are made at once. 50 unless set.
    #[must_use]
    pub fn with_calls_at_once(mut self, calls: usize) -> Self {
        self.at_once = calls;
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
