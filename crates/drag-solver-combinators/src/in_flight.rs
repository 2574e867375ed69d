//! Several solvers asked at the same time for one challenge. Shared by `Hedge` and `Quorum`.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use drag_solver_core::{Attempt, DragChallenge, DragSolver, Solution, SolveError, Tracker};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::abandoned::AbandonedCount;
use crate::candidates::{Candidates, Turn};
use crate::resume::left_behind;

type Outcome = Result<Solution, SolveError>;

/// One solver that is at work.
struct Call<'a> {
    turn: Turn,
    began: Instant,
    /// When the solver was asked: later than `began` if the call had to wait here.
    asked: Option<Instant>,
    tracker: Tracker,
    future: Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>,
}

impl Call<'_> {
    /// How long the solver has worked, without what the call waited here.
    fn worked(&self) -> Duration {
        self.asked.unwrap_or(self.began).elapsed()
    }
}

/// The calls in flight for one challenge. Dropping it drops them all, and counts what they may have
/// bought as abandoned.
pub(crate) struct InFlight<'a> {
    challenge: &'a DragChallenge,
    candidates: &'a Candidates,
    abandoned: &'a AbandonedCount,
    calls: Vec<Call<'a>>,
    /// The timer for when the next solver is to be asked.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// What came first.
pub(crate) enum Next {
    /// Some calls ended. An answer is the last of them; errors before it came at the same time.
    Finished(Vec<Finished>),
    /// It is time to ask the next solver.
    Due,
}

/// A call that ended.
pub(crate) struct Finished {
    pub(crate) turn: Turn,
    /// How long the solver took, without what the call waited here.
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// A call that was dropped.
pub(crate) struct Cancelled {
    pub(crate) turn: Turn,
    /// How long the solver had been at work.
    pub(crate) after: Duration,
    /// For the history: one for each answer that may be billed, or a single free one.
    pub(crate) attempts: Vec<Attempt>,
}

impl<'a> InFlight<'a> {
    pub(crate) fn new(
        challenge: &'a DragChallenge,
        candidates: &'a Candidates,
        abandoned: &'a AbandonedCount,
    ) -> Self {
        Self {
            challenge,
            candidates,
            abandoned,
            calls: Vec::new(),
            alarm: None,
        }
    }

    /// How many calls are in flight.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Asks the next solvers, as many as there are up to `count`. Nothing happens before the next
    /// [`Self::next`].
    pub(crate) fn start_some(&mut self, turns: &mut VecDeque<Turn>, count: usize) {
        for turn in turns.drain(..count.min(turns.len())) {
            let solver = &*self.candidates.solvers()[turn.child];
            let (challenge, tracker) = turn.challenge(self.challenge).tracked();
            self.calls.push(Call {
                turn,
                began: Instant::now(),
                asked: None,
                tracker,
                future: Box::pin(async move { solver.solve(&challenge).await }),
            });
        }
    }

    /// Waits for a call to end, or until the next solver is due. `due` says when that is, from when
    /// the solver that was started last was asked.
    ///
    /// Calls are polled in the order they were started in, and before the clock is looked at: what
    /// comes at the very instant counts. An answer is returned at once, without another poll of those
    /// behind it, because that could make them buy something.
    pub(crate) async fn next(&mut self, due: impl Fn(&Turn, Instant) -> Option<Instant>) -> Next {
        poll_fn(|cx| {
            let mut finished = Vec::new();
            let mut answered = false;
            self.calls.retain_mut(|call| {
                if answered {
                    return true;
                }
                let polled = call.future.as_mut().poll(cx);
                if call.asked.is_none() && call.tracker.was_asked() {
                    call.asked = Some(Instant::now());
                }
                let Poll::Ready(outcome) = polled else {
                    return true;
                };
                answered = outcome.is_ok();
                finished.push(Finished {
                    turn: call.turn.clone(),
                    took: call.worked(),
                    outcome: outcome
                        .map_err(|error| error.with_default_elapsed(call.began.elapsed())),
                });
                false
            });
            if !finished.is_empty() {
                return Poll::Ready(Next::Finished(finished));
            }
            let newest = self.calls.last();
            let Some(at) = newest.and_then(|call| due(&call.turn, call.asked?)) else {
                return Poll::Pending;
            };
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
            alarm.as_mut().reset(at);
            alarm.as_mut().poll(cx).map(|()| Next::Due)
        })
        .await
    }

    /// Drops all calls in flight, now. `why` goes into the messages of their attempts.
    pub(crate) fn cancel(&mut self, why: &str) -> Vec<Cancelled> {
        std::mem::take(&mut self.calls)
            .into_iter()
            .map(|call| self.cancel_one(call, why))
            .collect()
    }

    fn cancel_one(&self, call: Call<'_>, why: &str) -> Cancelled {
        let (after, turn) = (call.worked(), call.turn);
        drop(call.future);
        let solver = self.candidates.solvers()[turn.child].name();
        let purchases = call.tracker.purchases();
        let elapsed = call.began.elapsed();
        let mut attempts = left_behind(solver, &purchases, &turn.jobs, why, elapsed);
        if let Some(price) = self.abandoned.price(turn.child) {
            for attempt in &mut attempts {
                attempt.price_at(price);
            }
        }
        let may_be_billed = self.abandoned.add(turn.child, solver, &purchases);
        tracing::debug!(
            solver,
            ?after,
            may_be_billed,
            why,
            "dropped a solver at work"
        );
        Cancelled {
            turn,
            after,
            attempts,
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.cancel("the call was dropped");
    }
}
