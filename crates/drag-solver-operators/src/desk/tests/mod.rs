//! Operators of the tests, and what happens between them and the solver.

mod contract;
mod hands;
mod money;
mod undo;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Event, Observer, Solution, SolveError, async_trait,
};
use drag_solver_mock::fixtures;
use tokio::task::JoinHandle;

use super::seat::Gone;
use super::{Card, Refused, SeatId, Seated};
use crate::{Desk, DeskPolicy, Operators, OperatorsPolicy, WhenAbsent};

const LEASE: Duration = Duration::from_secs(15);
const UNDO: Duration = Duration::from_secs(3);
/// A moment before it is over.
const ALMOST_A_LEASE: Duration = Duration::from_secs(14);
const ALMOST_TOO_LATE: Duration = Duration::from_millis(2_999);

fn desk() -> Desk {
    Desk::new(DeskPolicy::default())
}

/// Somebody at the page.
struct Hand {
    desk: Desk,
    name: &'static str,
    seated: Seated,
}

impl Hand {
    fn at(desk: &Desk, name: &'static str) -> Self {
        Self {
            desk: desk.clone(),
            name,
            seated: desk.sit(name, None).unwrap(),
        }
    }

    fn seat(&self) -> SeatId {
        self.seated.seat
    }

    fn card(&self) -> Option<Card> {
        self.seated.view.borrow().card.clone()
    }

    fn gone(&self) -> Option<Gone> {
        let gone = self.seated.view.borrow().gone;
        gone.map(|(_, why)| why)
    }

    /// The next challenge, when it is there.
    async fn next(&mut self) -> Card {
        loop {
            if let Some(card) = self.card() {
                return card;
            }
            self.seated.view.changed().await.unwrap();
        }
    }

    fn answer(&self, card: &Card) -> Result<Duration, Refused> {
        let drag = Some(fixtures::drag());
        let job = card.job.as_str();
        self.desk.answer(self.name, self.seat(), job, drag)
    }

    fn skip(&self, card: &Card) -> Result<Duration, Refused> {
        let job = card.job.as_str();
        self.desk.answer(self.name, self.seat(), job, None)
    }

    fn undo(&self, card: &Card) -> Result<(), Refused> {
        self.desk.undo(self.name, self.seat(), card.job.as_str())
    }

    fn looks(&self) {
        self.desk.heard(self.name, self.seat()).unwrap();
    }
}

type Outcome = Result<Solution, SolveError>;

/// Asks in a task of its own, and lets it come as far as it can.
async fn asked(people: &Operators, challenge: DragChallenge) -> JoinHandle<Outcome> {
    let people = people.clone();
    let call = tokio::spawn(async move { people.solve(&challenge).await });
    pause().await;
    call
}

/// Lets everybody do what can be done now.
async fn pause() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn kind(outcome: Outcome) -> ErrorKind {
    outcome.unwrap_err().kind()
}

/// Writes down what observers hear.
#[derive(Debug, Default)]
struct Heard {
    events: Mutex<Vec<String>>,
    refuses: bool,
}

#[async_trait]
impl Observer for Heard {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let said = match event {
            Event::Settled { billed, .. } => format!("Settled {billed}"),
            other => {
                let text = format!("{other:?}");
                text.split([' ', '{']).next().unwrap_or_default().to_owned()
            }
        };
        self.events.lock().unwrap().push(said);
        if self.refuses {
            return Err(SolveError::new(ErrorKind::BudgetExhausted, "no money"));
        }
        Ok(())
    }
}

impl Heard {
    fn all(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }
}

fn observed(refuses: bool) -> (DragChallenge, Arc<Heard>) {
    let heard = Arc::new(Heard {
        refuses,
        ..Heard::default()
    });
    let challenge = fixtures::challenge().with_observer(Arc::clone(&heard) as _);
    (challenge, heard)
}
