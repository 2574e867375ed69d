//! Who has what. All of it is changed under one lock, and nothing here waits.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::case::{Case, CaseId, Step};
use super::scores::Scores;
use super::seat::{Board, Seat, SeatId};

/// Whether an operator is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    There,
    /// None, but a page that was there may come back until then.
    Until(Instant),
    Absent,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) cases: HashMap<CaseId, Case>,
    /// Counts challenges and those who become free, so that each has an order.
    pub(super) turns: u64,
    /// Those that wait, the next first.
    pub(super) line: VecDeque<CaseId>,
    pub(super) seats: HashMap<SeatId, Seat>,
    pub(super) scores: Scores,
    pub(super) lease: Duration,
    /// Answers count at once: the process is about to stop.
    pub(super) hurries: bool,
    pub(super) is_closed: bool,
    /// Challenges that will be placed: pages count them with those that wait.
    pub(super) expected: usize,
}

impl State {
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    pub(super) fn in_hand(&self) -> usize {
        self.seats
            .values()
            .filter(|seat| seat.case.is_some())
            .count()
    }

    pub(super) fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

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
            None => Presence::Absent,
        }
    }

    /// Forgets pages that did not come back, gives out what can be given out, and tells all pages the figures.
    pub(super) fn settle(&mut self, now: Instant, lease: Duration) {
        self.lease = lease;
        self.forget(now);
        self.give_out(now);
        let operators = self.present();
        let waiting = self.line.len().saturating_add(self.expected);
        for seat in self.seats.values() {
            let score = self.scores.of(&seat.operator);
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

    pub(super) fn forget(&mut self, now: Instant) {
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
            if case.answer_within.is_some() {
                self.show(id, now);
            }
        }
    }

    /// Answers that do not count yet, or that their calls have yet to take.
    pub(super) fn uncounted(&self) -> usize {
        let is_answered = |case: &&Case| matches!(*case.step.borrow(), Step::Answered { .. });
        self.cases.values().filter(is_answered).count()
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

    /// Sends all operators away; for good if it `is_over`.
    pub(super) fn close(&mut self, is_over: bool) {
        self.is_closed = true;
        for seat in self.seats.values() {
            seat.view.send_modify(|view| {
                view.is_closed = true;
                view.is_over = is_over;
            });
        }
    }
}
