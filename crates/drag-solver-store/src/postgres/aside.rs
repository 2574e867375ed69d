//! Facts that the server refuses, each for a reason that may end: a right is missing, a table is gone, a trigger forbids it.
//! They are tried again apart from the rest, which they would hold up.

use std::collections::HashSet;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::changes::Mark;
use super::facts::About;
use super::problem::Problem;
use super::session::Session;
use super::writer::{AGAIN, AnyOp, LOST, Ops, Refused, refuse, write_batch};
use crate::StoreError;

/// How many are tried before others have their turn.
const SLICE: usize = 16;

/// What waits for facts that the server refuses.
#[derive(Default)]
pub(super) struct Held {
    about: HashSet<About>,
    error: Option<StoreError>,
}

impl Held {
    fn of(facts: &Ops, error: Option<&StoreError>) -> Self {
        Self {
            about: facts.iter().filter_map(|op| op.about()).collect(),
            error: error.cloned(),
        }
    }

    /// This one is refused.
    pub(super) fn add(&mut self, op: &dyn AnyOp, error: &StoreError) {
        self.about.extend(op.about());
        self.error = Some(error.clone());
    }

    /// What can be written now. The others are told, or are `behind`.
    pub(super) fn pass(
        &self,
        session: &Session,
        mut op: Box<dyn AnyOp>,
        behind: &mut Refused,
    ) -> Option<Box<dyn AnyOp>> {
        let Some(error) = &self.error else {
            return Some(op);
        };
        if op.is_flush() {
            op.end(Err(session.of_server(error.clone())));
            return None;
        }
        let about = op.about().filter(|_| op.looks_back());
        if about.is_some_and(|about| self.about.contains(&about)) {
            behind.push((op, Problem::of(error.clone())));
            return None;
        }
        Some(op)
    }
}

#[derive(Default)]
pub(super) struct Aside {
    facts: Ops,
    /// Those that were refused again, in this round.
    again: Ops,
    /// When they were tried, and why they are not written.
    tried: Option<(Instant, StoreError)>,
    /// Whether the server could not be asked then.
    is_away: bool,
}

impl Aside {
    pub(super) fn add(&mut self, session: &Session, refused: Refused) {
        for (mut op, problem) in refused {
            let error = problem.error;
            if self.is_empty() {
                tracing::warn!(%error, "the store refuses what has happened: it is kept, and tried again");
            }
            let _ = refuse(session, &mut *op, error.clone()); // nothing undoes a fact
            self.tried = Some((Instant::now(), error));
            self.facts.push_back(op);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.again.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.facts.len() + self.again.len()
    }

    /// Whether each has been tried for as long as the store's patience.
    pub(super) fn is_over(&self, session: &Session) -> bool {
        let mut all = self.facts.iter().chain(&self.again);
        all.all(|op| op.since().elapsed() >= session.options.patience)
    }

    /// Why not everything is written.
    pub(super) fn error(&self) -> Option<&StoreError> {
        let (_, error) = self.tried.as_ref().filter(|_| !self.is_empty())?;
        Some(error)
    }

    /// What waits for them.
    pub(super) fn held(&self) -> Held {
        let mut held = Held::of(&self.facts, self.error());
        held.about
            .extend(self.again.iter().filter_map(|op| op.about()));
        held
    }

    fn due(&self) -> Option<Instant> {
        let (tried, _) = self.tried.as_ref().filter(|_| !self.is_empty())?;
        match (self.is_away, self.again.is_empty()) {
            (true, _) => tried.checked_add(AGAIN.1),
            (false, true) => tried.checked_add(AGAIN.0),
            (false, false) => Some(*tried),
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.due().is_some_and(|due| due <= Instant::now())
    }

    /// What comes before they are due.
    pub(super) async fn until_due<T>(&self, next: impl Future<Output = T>) -> Option<T> {
        match self.due() {
            Some(due) => {
                let left = due.saturating_duration_since(Instant::now());
                timeout(left, next).await.ok()
            }
            None => Some(next.await),
        }
    }

    /// Tries them again, in order; for as long as the store's patience if it is closed.
    pub(super) async fn write_again(
        &mut self,
        session: &Session,
        ended: &mpsc::UnboundedSender<Mark>,
        is_closed: bool,
    ) {
        let rest = self.facts.split_off(self.facts.len().min(SLICE));
        let facts = std::mem::replace(&mut self.facts, rest);
        let held = Held::of(&self.again, self.error().filter(|_| !self.again.is_empty()));
        let written = write_batch(session, facts, ended, held).await;
        self.is_away = written.is_err();
        let (left, error): (Ops, _) = match written {
            Ok(refused) => {
                let error = refused.first().map(|(_, problem)| problem.error.clone());
                (refused.into_iter().map(|(op, _)| op).collect(), error)
            }
            Err((unwritten, problem)) => (unwritten, Some(problem.error)),
        };
        self.again.extend(left);
        if let Some(error) = error {
            self.tried = Some((Instant::now(), error));
        } else if self.is_empty() {
            tracing::info!("the store has taken what it refused");
        }
        if !self.facts.is_empty() {
            return;
        }
        self.facts = std::mem::take(&mut self.again);
        if is_closed && self.is_over(session) {
            let facts = self.facts.drain(..).count();
            if facts > 0 {
                tracing::error!(facts, "{LOST}");
            }
        }
    }
}
