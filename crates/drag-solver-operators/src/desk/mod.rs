//! Where operators sit and challenges wait for them.

mod case;
mod line;
mod scores;
mod seat;
mod seats;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use drag_solver_core::{DragChallenge, JobId, Verdict};
use rand::RngExt as _;
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) use self::case::{Place, Step};
pub(crate) use self::seat::{Card, Refused, SeatId, Seated};
#[cfg(feature = "pages")]
pub(crate) use self::seat::{Gone, View};
pub(crate) use self::state::Presence;
use self::state::State;
use crate::DeskPolicy;

/// Where operators sit: who is at the page gets the challenges of all [`Operators`](crate::Operators) of this desk, each
/// challenge to one person, in the order in which they came.
///
/// Clones are the same desk. It is in memory: what waits here belongs to a call of
/// [`solve`](drag_solver_core::DragSolver::solve) under way, and leaves with it.
#[derive(Clone)]
pub struct Desk(Arc<Shared>);

struct Shared {
    policy: DeskPolicy,
    state: Mutex<State>,
    /// Marked as changed when an operator comes, goes, or looks away.
    presence: watch::Sender<()>,
}

impl Desk {
    /// A desk without operators.
    #[must_use]
    pub fn new(policy: DeskPolicy) -> Self {
        let lease = policy.lease.max(DeskPolicy::SHORTEST_LEASE);
        let undo = policy.undo.min(DeskPolicy::LONGEST_UNDO);
        Self(Arc::new(Shared {
            policy: policy.lease(lease).undo(undo),
            state: Mutex::new(State::default()),
            presence: watch::Sender::new(()),
        }))
    }

    /// How people work here.
    #[must_use]
    pub fn policy(&self) -> &DeskPolicy {
        &self.0.policy
    }

    /// Operators that are there.
    #[must_use]
    pub fn operators(&self) -> usize {
        self.change(|state, _| state.present())
    }

    /// Challenges that wait for an operator.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting()
    }

    /// Challenges that an operator has on the screen.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        self.lock().in_hand()
    }

    /// Tells pages that so many challenges will come: they show them with those that wait.
    pub fn expect(&self, challenges: usize) {
        self.change(|state, _| state.expected = challenges);
    }

    /// Answers that can still be undone, or that their calls have yet to take.
    #[must_use]
    pub fn uncounted(&self) -> usize {
        self.lock().uncounted()
    }

    /// From now on, answers count at once, also those that could still be undone: for a process that is about to stop.
    pub fn hurry(&self) {
        self.change(State::hurry);
    }

    /// Sends all operators away: their pages are told that the service stops, and ask again until it is back. Calls under way
    /// keep waiting.
    pub fn close(&self) {
        self.change(|state, _| state.close(false));
    }

    /// Sends all operators away for good: their pages say that this has ended, and do not ask again.
    pub fn end(&self) {
        self.change(|state, _| state.close(true));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and then gives out what can be given out and tells all pages.
    fn change<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.lock();
        let now = Instant::now();
        let before = state.presence(now);
        let output = change(&mut state, now);
        state.settle(now, self.0.policy.lease);
        let is_changed = state.presence(now) != before;
        drop(state);
        if is_changed {
            self.0.presence.send_replace(());
        }
        output
    }

    /// Lets a challenge wait for an operator, unless so many do already.
    pub(crate) fn place(
        &self,
        challenge: &DragChallenge,
        job: JobId,
        was_shown: bool,
        max_waiting: u32,
    ) -> Option<Place> {
        self.change(|state, _| {
            if !was_shown && state.unseen() >= max_waiting as usize {
                return None;
            }
            let (case, step) = state.place(challenge.clone(), job, was_shown);
            Some(Place::new(self.clone(), case, step))
        })
    }

    /// Counts what became of an answer. Says whether it is known who gave it.
    pub(crate) fn report(&self, job: &JobId, verdict: Verdict) -> bool {
        self.change(|state, _| state.scores.reported(job, verdict))
    }

    pub(crate) fn presence(&self) -> Presence {
        self.lock().presence(Instant::now())
    }

    pub(crate) fn presence_changes(&self) -> watch::Receiver<()> {
        self.0.presence.subscribe()
    }
}

/// What an operator's page does.
impl Desk {
    /// Takes a seat, or the one that this operator had. `None` if all are taken or the desk is closed.
    pub(crate) fn sit(&self, operator: &str, former: Option<SeatId>) -> Option<Seated> {
        let most = self.0.policy.max_operators as usize;
        let taken = self.change(|state, now| state.sit(operator, former, most, now));
        let (seat, view, stream) = taken?;
        Some(Seated::new(self.clone(), seat, view, stream))
    }

    pub(crate) fn heard(&self, operator: &str, seat: SeatId) -> Result<(), Refused> {
        self.change(|state, now| state.heard(operator, seat, now))
    }

    pub(crate) fn leave(&self, operator: &str, seat: SeatId) -> Result<(), Refused> {
        self.change(|state, now| {
            state.heard(operator, seat, now)?;
            state.leave(seat);
            Ok(())
        })
    }

    /// The challenge that this seat has on the screen.
    pub(crate) fn challenge(
        &self,
        operator: &str,
        seat: SeatId,
        job: &str,
    ) -> Result<DragChallenge, Refused> {
        self.change(|state, now| {
            state.heard(operator, seat, now)?;
            state.challenge(seat, job)
        })
    }

    /// Takes an answer, or with `None` that there is none. Says for how long it can be undone.
    pub(crate) fn answer(
        &self,
        operator: &str,
        seat: SeatId,
        job: &str,
        drag: Option<drag_solver_core::Drag>,
    ) -> Result<std::time::Duration, Refused> {
        let undo = self.0.policy.undo;
        self.change(|state, now| {
            state.heard(operator, seat, now)?;
            state.answer(seat, job, drag, undo, now)
        })
    }

    pub(crate) fn undo(&self, operator: &str, seat: SeatId, job: &str) -> Result<(), Refused> {
        self.change(|state, now| {
            state.heard(operator, seat, now)?;
            state.undo(seat, job, now)
        })
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// An id that cannot be guessed.
fn draw_id() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// The id of a challenge that an operator is asked for the first time.
pub(crate) fn new_job() -> JobId {
    // Hexadecimal digits are what an id may be made of.
    JobId::new(draw_id()).unwrap_or_else(|_| JobId::from(0))
}
