//! An operator at the desk, and what is on their screen.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use drag_solver_core::{DragChallenge, JobId, Rect};
use rand::RngExt as _;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Desk;
use super::case::CaseId;

/// Which page it is. It cannot be guessed, and opens nothing without its operator's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SeatId(u128);

impl SeatId {
    pub(super) fn draw() -> Self {
        Self(rand::rng().random())
    }
}

impl fmt::Display for SeatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for SeatId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

/// Why an operator cannot do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such seat, or another operator sits there.
    NoSeat,
    /// It is not on their screen any more.
    NotYours,
    /// It is too late to undo it.
    TooLate,
}

/// Why a challenge is gone from a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gone {
    TooLate,
    NotNeeded,
    GivenBack,
}

/// What is on an operator's screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct View {
    pub(crate) card: Option<Card>,
    /// Which turn was taken away last, and why.
    pub(crate) gone: Option<(u64, Gone)>,
    /// The last turn that the operator has ended: it is not shown again.
    pub(crate) done: u64,
    pub(crate) board: Board,
    /// Which of its streams counts: another one has the seat now.
    pub(crate) stream: u64,
    pub(crate) is_closed: bool,
    /// It is closed for good: the page is not to come back.
    pub(crate) is_over: bool,
}

/// A challenge, as its operator sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Card {
    pub(crate) job: JobId,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) media_type: &'static str,
    pub(crate) instruction: Option<String>,
    pub(crate) region: Option<Rect>,
    pub(crate) due: Option<Instant>,
    /// An operator has seen it before.
    pub(crate) again: bool,
    /// Counts how often something was shown here: what is undone is shown again.
    pub(crate) turn: u64,
}

impl Card {
    pub(super) fn new(job: &JobId, challenge: &DragChallenge) -> Self {
        let shot = challenge.screenshot();
        Self {
            job: job.clone(),
            width: shot.width(),
            height: shot.height(),
            media_type: shot.format().mime(),
            instruction: challenge.instruction().map(str::to_owned),
            region: challenge.region(),
            due: None,
            again: false,
            turn: 0,
        }
    }
}

/// The figures that every operator sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Board {
    pub(crate) waiting: usize,
    pub(crate) operators: usize,
    #[serde(flatten)]
    pub(crate) score: Score,
}

/// What an operator has done since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Score {
    pub(crate) answered: u64,
    pub(crate) skipped: u64,
    pub(crate) right: u64,
    pub(crate) wrong: u64,
}

pub(super) struct Seat {
    pub(super) operator: Arc<str>,
    pub(super) view: watch::Sender<View>,
    pub(super) is_connected: bool,
    /// When the page was heard of last.
    pub(super) heard: Instant,
    /// Its place among those who are free: who has been for longer has a lower one.
    pub(super) free_since: u64,
    /// A challenge was given back because nothing was heard: nothing is given to this seat until it is heard of again.
    pub(super) is_away: bool,
    /// What is on the screen, or will be as soon as it is bought.
    pub(super) case: Option<CaseId>,
    /// What was answered last, while that can be undone.
    pub(super) last: Option<CaseId>,
    pub(super) turns: u64,
}

impl Seat {
    pub(super) fn is_there(&self) -> bool {
        self.is_connected && !self.is_away
    }

    pub(super) fn is_free(&self) -> bool {
        self.is_there() && self.case.is_none()
    }

    pub(super) fn put(&mut self, card: Card) {
        self.turns += 1;
        let turn = self.turns;
        self.view
            .send_modify(|view| view.card = Some(Card { turn, ..card }));
    }

    /// Takes away what is on the screen; says why, unless the operator has done it.
    pub(super) fn clear(&mut self, why: Option<Gone>, free_since: u64) {
        self.case = None;
        self.free_since = free_since;
        self.view.send_modify(|view| {
            // What was taken and not shown yet was on no screen.
            let Some(card) = view.card.take() else {
                return;
            };
            match why {
                Some(why) => view.gone = Some((card.turn, why)),
                None => view.done = card.turn,
            }
        });
    }
}

/// An open page of an operator. Dropping it says that the connection is gone: what is on the screen is given back unless
/// the page comes again.
pub(crate) struct Seated {
    desk: Desk,
    pub(crate) seat: SeatId,
    pub(crate) view: watch::Receiver<View>,
    stream: u64,
}

impl Seated {
    pub(super) fn new(desk: Desk, seat: SeatId, view: watch::Receiver<View>, stream: u64) -> Self {
        Self {
            desk,
            seat,
            view,
            stream,
        }
    }

    /// Whether this is still the seat's page, and the desk is open.
    pub(crate) fn counts(&self) -> bool {
        let view = self.view.borrow();
        view.stream == self.stream && !view.is_closed
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let (seat, stream) = (self.seat, self.stream);
        self.desk
            .change(|state, now| state.disconnect(seat, stream, now));
    }
}
