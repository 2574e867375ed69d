//! A challenge on the desk.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Drag, DragChallenge, JobId};
use tokio::sync::watch;
use tokio::time::Instant;

use super::seat::{Gone, SeatId};
use super::{Desk, Presence};

/// Which one it is at this desk. The job's id says which one it is everywhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CaseId(pub(super) u64);

/// How far a challenge is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// It waits in line.
    Waiting,
    /// An operator has the time for it, and is shown it as soon as it is bought.
    Taken,
    /// An operator has it on the screen.
    Shown,
    /// An operator has answered; without a drag, that it cannot be solved. It counts from then on.
    Answered {
        drag: Option<Drag>,
        operator: Arc<str>,
        counts_at: Instant,
    },
}

pub(super) struct Case {
    pub(super) job: JobId,
    pub(super) challenge: DragChallenge,
    pub(super) step: watch::Sender<Step>,
    /// Who has it, or had it last while that can be undone.
    pub(super) seat: Option<SeatId>,
    /// How long its answer may take, once it is bought and may be shown.
    pub(super) answer_within: Option<Duration>,
    /// When its answer is too late, from when it was first shown.
    pub(super) due: Option<Instant>,
    /// An operator has seen it.
    pub(super) was_shown: bool,
}

/// The place of a challenge on the desk. Dropping it takes the challenge away from its operator.
pub(crate) struct Place {
    desk: Desk,
    case: CaseId,
    step: watch::Receiver<Step>,
    /// What its operator is told when it is taken away.
    gone: Gone,
}

impl Place {
    pub(super) fn new(desk: Desk, case: CaseId, step: watch::Receiver<Step>) -> Self {
        let gone = Gone::NotNeeded;
        Self {
            desk,
            case,
            step,
            gone,
        }
    }

    /// How far it is.
    pub(crate) fn step(&mut self) -> Step {
        self.step.borrow_and_update().clone()
    }

    /// Ends when it is somewhere else.
    pub(crate) async fn changed(&mut self) {
        // The sender is in the state for as long as this place is.
        let _ = self.step.changed().await;
    }

    /// Whether an operator is there, or until when one may come back.
    pub(crate) fn presence(&self) -> Presence {
        self.desk.presence()
    }

    pub(crate) fn presence_changes(&self) -> watch::Receiver<()> {
        self.desk.presence_changes()
    }

    /// Lets its operator see it, and answer within so long from when one first does.
    pub(crate) fn show(&self, within: Duration) {
        let case = self.case;
        self.desk
            .change(|state, now| state.show_from_now(case, within, now));
    }

    /// When its answer is too late, once an operator has seen it.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.desk.lock().due_of(self.case)
    }

    /// When it is given back unless something is heard from its operator.
    pub(crate) fn lease_end(&self) -> Option<Instant> {
        let heard = self.desk.lock().heard_of(self.case)?;
        heard.checked_add(self.desk.policy().lease)
    }

    /// Gives it back to the line if nothing was heard from its operator for so long.
    pub(crate) fn lapse(&self) {
        let (case, lease): (_, Duration) = (self.case, self.desk.policy().lease);
        self.desk.change(|state, now| state.lapse(case, lease, now));
    }

    /// Makes the answer count, unless it was undone: what it is, and whose.
    pub(crate) fn count(&self) -> Option<(Option<Drag>, Arc<str>)> {
        let case = self.case;
        self.desk.change(|state, _| state.count(case))
    }

    /// From now on, its operator is told that there is no time left.
    pub(crate) fn is_late(&mut self) {
        self.gone = Gone::TooLate;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (case, gone) = (self.case, self.gone);
        self.desk.change(|state, _| state.remove(case, gone));
    }
}
