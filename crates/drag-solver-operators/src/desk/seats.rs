//! Operators: they sit down, answer, take it back, and leave.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Drag, DragChallenge};
use tokio::sync::watch;
use tokio::time::Instant;

use super::case::{CaseId, Step};
use super::seat::{Refused, Seat, SeatId, View};
use super::state::State;

/// Pages that one operator may have open.
const SEATS_EACH: usize = 8;

impl State {
    pub(super) fn sit(
        &mut self,
        operator: &str,
        former: Option<SeatId>,
        most: usize,
        now: Instant,
    ) -> Option<(SeatId, watch::Receiver<View>, u64)> {
        if self.is_closed {
            return None;
        }
        self.forget(now);
        let former = former.filter(|id| {
            let seat = self.seats.get(id);
            seat.is_some_and(|seat| *seat.operator == *operator)
        });
        let id = former.unwrap_or_else(SeatId::draw);
        if former.is_none() {
            let own = self.seats.values();
            let own = own.filter(|seat| *seat.operator == *operator).count();
            if self.seats.len() >= most || own >= SEATS_EACH {
                return None;
            }
            let turn = self.turn();
            let seat = Seat {
                operator: operator.into(),
                view: watch::Sender::default(),
                is_connected: false,
                heard: now,
                free_since: turn,
                is_away: false,
                case: None,
                last: None,
                turns: 0,
            };
            self.seats.insert(id, seat);
        }
        let seat = self.seats.get_mut(&id)?;
        // A page comes back by itself: that does not show that a person looks at it.
        seat.is_connected = true;
        seat.heard = now;
        seat.view.send_modify(|view| {
            view.stream += 1;
            if let Some(card) = &mut view.card {
                card.again = true;
            }
        });
        let stream = seat.view.borrow().stream;
        Some((id, seat.view.subscribe(), stream))
    }

    fn seat(&mut self, operator: &str, id: SeatId) -> Result<&mut Seat, Refused> {
        let seat = self.seats.get_mut(&id);
        seat.filter(|seat| *seat.operator == *operator)
            .ok_or(Refused::NoSeat)
    }

    pub(super) fn heard(
        &mut self,
        operator: &str,
        id: SeatId,
        now: Instant,
    ) -> Result<(), Refused> {
        let seat = self.seat(operator, id)?;
        seat.heard = now;
        seat.is_away = false;
        Ok(())
    }

    /// The connection is gone, unless another one has taken the seat meanwhile.
    pub(super) fn disconnect(&mut self, id: SeatId, stream: u64, now: Instant) {
        let seat = self.seats.get_mut(&id);
        if let Some(seat) = seat.filter(|seat| seat.view.borrow().stream == stream) {
            seat.is_connected = false;
            seat.heard = now;
        }
    }

    pub(super) fn leave(&mut self, id: SeatId) {
        let Some(seat) = self.seats.remove(&id) else {
            return;
        };
        seat.view.send_modify(|view| view.is_closed = true);
        if let Some(case) = seat.case {
            self.give_back(case);
        }
    }

    fn on_screen(&self, id: SeatId, job: &str) -> Result<CaseId, Refused> {
        let case = self.seats.get(&id).and_then(|seat| seat.case);
        let case = case.filter(|case| {
            let case = self.cases.get(case);
            case.is_some_and(|case| case.job.as_str() == job && *case.step.borrow() == Step::Shown)
        });
        case.ok_or(Refused::NotYours)
    }

    pub(super) fn challenge(&self, id: SeatId, job: &str) -> Result<DragChallenge, Refused> {
        let case = self.cases.get(&self.on_screen(id, job)?);
        case.map(|case| case.challenge.clone())
            .ok_or(Refused::NotYours)
    }

    pub(super) fn answer(
        &mut self,
        id: SeatId,
        job: &str,
        drag: Option<Drag>,
        undo: Duration,
        now: Instant,
    ) -> Result<Duration, Refused> {
        let case_id = match self.on_screen(id, job) {
            Ok(case) => case,
            Err(refused) => return self.answer_again(id, job, drag, now).ok_or(refused),
        };
        let turn = self.turn();
        let undo = if self.hurries { Duration::ZERO } else { undo };
        let case = self.cases.get_mut(&case_id).ok_or(Refused::NotYours)?;
        let seat = self.seats.get_mut(&id).ok_or(Refused::NoSeat)?;
        let left = case.due.map(|due| due.saturating_duration_since(now) / 2);
        let undo = left.map_or(undo, |left| left.min(undo));
        case.step.send_replace(Step::Answered {
            drag,
            operator: Arc::clone(&seat.operator),
            counts_at: now + undo,
        });
        seat.clear(None, turn);
        seat.last = Some(case_id);
        Ok(undo)
    }

    /// Takes an answer that was sent again, as its reply was lost. Says how long it can still be undone.
    fn answer_again(
        &mut self,
        id: SeatId,
        job: &str,
        new: Option<Drag>,
        now: Instant,
    ) -> Option<Duration> {
        let last = self.seats.get(&id)?.last?;
        let case = self
            .cases
            .get(&last)
            .filter(|case| case.job.as_str() == job)?;
        let mut left = None;
        case.step.send_if_modified(|step| {
            if let Step::Answered {
                drag, counts_at, ..
            } = step
                && now < *counts_at
            {
                *drag = new;
                left = Some(*counts_at - now);
            }
            left.is_some()
        });
        left
    }

    pub(super) fn undo(&mut self, id: SeatId, job: &str, now: Instant) -> Result<(), Refused> {
        let seat = self.seats.get_mut(&id).ok_or(Refused::NoSeat)?;
        let last = seat.last.filter(|last| {
            let case = self.cases.get(last);
            case.is_some_and(|case| {
                let undoable =
                    matches!(*case.step.borrow(), Step::Answered { counts_at, .. } if now < counts_at);
                case.job.as_str() == job && undoable
            })
        });
        let last = last.ok_or(Refused::TooLate)?;
        seat.last = None;
        if let Some(other) = seat.case {
            self.give_back(other);
        }
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.case = Some(last);
        }
        self.show(last, now);
        Ok(())
    }
}
