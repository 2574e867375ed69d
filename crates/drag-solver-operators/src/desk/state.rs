//! Who has what. All of it is changed under one lock, and nothing here waits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Drag, DragChallenge, JobId, Verdict};
use tokio::sync::watch;
use tokio::time::Instant;

use super::case::{Case, CaseId, Step};
use super::seat::{Board, Card, Gone, Refused, Score, Seat, SeatId, View};

/// Pages that one operator may have open.
const SEATS_EACH: usize = 8;

/// Answers of which it is known who gave them, for reports.
const REMEMBERED: usize = 10_000;

/// Whether an operator is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    There,
    /// Nobody, but a page that was there may come back until then.
    Until(Instant),
    Nobody,
}

#[derive(Default)]
pub(super) struct State {
    cases: HashMap<CaseId, Case>,
    /// Counts challenges and those who become free, so that each has an order.
    turns: u64,
    /// Those that wait, the next first.
    line: VecDeque<CaseId>,
    seats: HashMap<SeatId, Seat>,
    scores: HashMap<Arc<str>, Score>,
    answered: VecDeque<(JobId, Arc<str>)>,
    lease: Duration,
    /// Answers count at once: the process is about to stop.
    hurries: bool,
    is_closed: bool,
}

/// For challenges.
impl State {
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    pub(super) fn in_hand(&self) -> usize {
        self.seats
            .values()
            .filter(|seat| seat.case.is_some())
            .count()
    }

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
            may_be_shown: false,
            due: None,
            was_shown,
        };
        self.cases.insert(id, case);
        self.queue(id);
        (id, changes)
    }

    /// Puts a challenge into the line: what somebody has seen comes before what nobody has, each in the order in which they came.
    fn queue(&mut self, id: CaseId) {
        let place = |id: &CaseId| {
            let was_shown = self.cases.get(id).is_some_and(|case| case.was_shown);
            (!was_shown, id.0)
        };
        let own = place(&id);
        let after = self.line.iter().position(|other| place(other) > own);
        self.line.insert(after.unwrap_or(self.line.len()), id);
    }

    /// Those that wait and that nobody has seen: they are what a line may be full of.
    pub(super) fn unseen(&self) -> usize {
        let unseen = |id: &&CaseId| self.cases.get(id).is_some_and(|case| !case.was_shown);
        self.line.iter().filter(unseen).count()
    }

    pub(super) fn show_from_now(&mut self, id: CaseId, due: Option<Instant>, now: Instant) {
        let Some(case) = self.cases.get_mut(&id) else {
            return;
        };
        case.may_be_shown = true;
        case.due = due;
        self.show(id, now);
    }

    /// Puts a challenge on the screen of the operator who has taken it.
    fn show(&mut self, id: CaseId, now: Instant) {
        let Some(case) = self.cases.get_mut(&id) else {
            return;
        };
        let Some(seat) = case.seat.and_then(|seat| self.seats.get_mut(&seat)) else {
            return;
        };
        seat.heard = now;
        seat.put(Card {
            due: case.due,
            again: case.was_shown,
            ..Card::new(&case.job, &case.challenge)
        });
        case.was_shown = true;
        case.step.send_replace(Step::Shown);
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
    fn give_back(&mut self, id: CaseId) {
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
        let score = self.scores.entry(Arc::clone(operator)).or_default();
        if drag.is_some() {
            score.answered += 1;
            if self.answered.len() == REMEMBERED {
                self.answered.pop_front();
            }
            self.answered
                .push_back((case.job.clone(), Arc::clone(operator)));
        } else {
            score.skipped += 1;
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

    pub(super) fn report(&mut self, job: &JobId, verdict: Verdict) -> bool {
        let Some((_, operator)) = self.answered.iter().find(|(known, _)| known == job) else {
            return false;
        };
        let score = self.scores.entry(Arc::clone(operator)).or_default();
        match verdict {
            Verdict::Correct => score.right += 1,
            Verdict::Incorrect => score.wrong += 1,
        }
        true
    }
}

/// For operators.
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
        // A page comes back by itself: that says nothing of whether somebody looks at it.
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

    /// From now on, answers count at once.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.hurries = true;
        for case in self.cases.values() {
            case.step.send_if_modified(|step| match step {
                Step::Answered { counts_at, .. } => {
                    *counts_at = now;
                    true
                }
                _ => false,
            });
        }
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

    pub(super) fn close(&mut self) {
        self.is_closed = true;
        for seat in self.seats.values() {
            seat.view.send_modify(|view| view.is_closed = true);
        }
    }
}

/// For everybody.
impl State {
    pub(super) fn present(&self) -> usize {
        self.seats.values().filter(|seat| seat.is_there()).count()
    }

    pub(super) fn presence(&self, now: Instant) -> Presence {
        if self.seats.values().any(Seat::is_there) {
            return Presence::There;
        }
        let gone = self.seats.values().filter(|seat| !seat.is_connected);
        let back = gone
            .filter_map(|seat| seat.heard.checked_add(self.lease))
            .max();
        match back.filter(|back| *back > now) {
            Some(back) => Presence::Until(back),
            None => Presence::Nobody,
        }
    }

    /// Forgets pages that did not come back, gives out what can be given out, and tells everybody the figures.
    pub(super) fn settle(&mut self, now: Instant, lease: Duration) {
        self.lease = lease;
        self.forget(now);
        self.give_out(now);
        let operators = self.present();
        let waiting = self.line.len();
        for seat in self.seats.values() {
            let score = self.scores.get(&seat.operator).copied().unwrap_or_default();
            let board = Board {
                waiting,
                operators,
                score,
            };
            seat.view.send_if_modified(|view| {
                let is_new = view.board != board;
                view.board = board;
                is_new
            });
        }
    }

    fn forget(&mut self, now: Instant) {
        let lease = self.lease;
        let is_over =
            |seat: &Seat| !seat.is_connected && now.saturating_duration_since(seat.heard) >= lease;
        let over = self.seats.iter().filter(|(_, seat)| is_over(seat));
        let over: Vec<_> = over.map(|(id, _)| *id).collect();
        for seat in over {
            self.leave(seat);
        }
    }

    /// Gives the next challenges to those who have been free the longest.
    fn give_out(&mut self, now: Instant) {
        while let Some(&id) = self.line.front() {
            let free = self.seats.iter_mut().filter(|(_, seat)| seat.is_free());
            let Some((seat_id, seat)) = free.min_by_key(|(_, seat)| seat.free_since) else {
                return;
            };
            self.line.pop_front();
            let Some(case) = self.cases.get_mut(&id) else {
                continue;
            };
            seat.case = Some(id);
            seat.heard = now;
            case.seat = Some(*seat_id);
            case.step.send_replace(Step::Taken);
            if case.may_be_shown {
                self.show(id, now);
            }
        }
    }
}
