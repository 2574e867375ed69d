//! Challenges: in line, on a screen, answered.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Drag, DragChallenge, JobId};
use tokio::sync::watch;
use tokio::time::Instant;

use super::case::{Case, CaseId, Step};
use super::seat::{Card, Gone};
use super::state::State;

impl State {
    pub(super) fn place(
        &mut self,
        challenge: DragChallenge,
        job: JobId,
        was_shown: bool,
    ) -> (CaseId, watch::Receiver<Step>) {
        let id = CaseId(self.turn());
        let (step, changes) = watch::channel(Step::Waiting);
        let case = Case {
            job,
            challenge,
            step,
            seat: None,
            answer_within: None,
            due: None,
            was_shown,
        };
        self.cases.insert(id, case);
        self.queue(id);
        (id, changes)
    }

    /// Puts a challenge into the line: what an operator has seen comes before the rest, each in the order of arrival.
    fn queue(&mut self, id: CaseId) {
        let place = |id: &CaseId| {
            let was_shown = self.cases.get(id).is_some_and(|case| case.was_shown);
            (!was_shown, id.0)
        };
        let own = place(&id);
        let after = self.line.iter().position(|other| place(other) > own);
        self.line.insert(after.unwrap_or(self.line.len()), id);
    }

    /// Those that wait and that no operator has seen: only they count against the limit of the line.
    pub(super) fn unseen(&self) -> usize {
        let unseen = |id: &&CaseId| self.cases.get(id).is_some_and(|case| !case.was_shown);
        self.line.iter().filter(unseen).count()
    }

    /// Lets it be seen, and answered within so long from when it first is.
    pub(super) fn show_from_now(&mut self, id: CaseId, within: Duration, now: Instant) {
        let Some(case) = self.cases.get_mut(&id) else {
            return;
        };
        case.answer_within = Some(within);
        self.show(id, now);
    }

    /// Puts a challenge on the screen of the operator who has taken it.
    pub(super) fn show(&mut self, id: CaseId, now: Instant) {
        let Some(case) = self.cases.get_mut(&id) else {
            return;
        };
        let Some(seat) = case.seat.and_then(|seat| self.seats.get_mut(&seat)) else {
            return;
        };
        seat.heard = now;
        if case.due.is_none() {
            let own = case
                .answer_within
                .and_then(|within| now.checked_add(within));
            case.due = own.into_iter().chain(case.challenge.deadline()).min();
        }
        seat.put(Card {
            due: case.due,
            again: case.was_shown,
            ..Card::new(&case.job, &case.challenge)
        });
        case.was_shown = true;
        case.step.send_replace(Step::Shown);
    }

    pub(super) fn due_of(&self, id: CaseId) -> Option<Instant> {
        self.cases.get(&id)?.due
    }

    pub(super) fn heard_of(&self, id: CaseId) -> Option<Instant> {
        let seat = self.cases.get(&id)?.seat?;
        self.seats.get(&seat).map(|seat| seat.heard)
    }

    pub(super) fn lapse(&mut self, id: CaseId, lease: Duration, now: Instant) {
        let Some(seat) = self.cases.get(&id).and_then(|case| case.seat) else {
            return;
        };
        let Some(seat) = self.seats.get_mut(&seat) else {
            return;
        };
        if now.saturating_duration_since(seat.heard) >= lease {
            seat.is_away = true;
            self.give_back(id);
        }
    }

    /// Takes a challenge from its operator, for the next one who is free.
    pub(super) fn give_back(&mut self, id: CaseId) {
        let turn = self.turn();
        let Some(case) = self.cases.get_mut(&id) else {
            return;
        };
        let seat = case.seat.take();
        case.step.send_replace(Step::Waiting);
        if let Some(seat) = seat.and_then(|seat| self.seats.get_mut(&seat)) {
            seat.clear(Some(Gone::GivenBack), turn);
        }
        self.queue(id);
    }

    /// Makes the answer count, unless it was undone: from here on it cannot be.
    pub(super) fn count(&mut self, id: CaseId) -> Option<(Option<Drag>, Arc<str>)> {
        let case = self.cases.get(&id)?;
        let Step::Answered { drag, operator, .. } = &*case.step.borrow() else {
            return None;
        };
        if drag.is_some() {
            self.scores.answered(operator, &case.job);
        } else {
            self.scores.skipped(operator);
        }
        if let Some(seat) = case.seat.and_then(|seat| self.seats.get_mut(&seat)) {
            seat.last.take_if(|last| *last == id);
        }
        Some((*drag, Arc::clone(operator)))
    }

    pub(super) fn remove(&mut self, id: CaseId, gone: Gone) {
        let Some(case) = self.cases.remove(&id) else {
            return;
        };
        self.line.retain(|waiting| *waiting != id);
        let turn = self.turn();
        let Some(seat) = case.seat.and_then(|seat| self.seats.get_mut(&seat)) else {
            return;
        };
        if seat.case == Some(id) {
            seat.clear(Some(gone), turn);
        }
        seat.last.take_if(|last| *last == id);
    }
}
