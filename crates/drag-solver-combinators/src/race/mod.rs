//! Several solvers at work on one challenge at the same time. Shared by `Hedge` and `Quorum`.

mod abandoned;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use drag_solver_core::{
    Attempt, DragChallenge, DragSolver, ErrorKind, PaidJob, Recovery, Solution, SolveError,
};
use tokio::time::Instant;

pub use self::abandoned::Abandoned;
pub(crate) use self::abandoned::{Ledger, per_answer};
use crate::names;
use crate::watch::Watch;

type Outcome = Result<Solution, SolveError>;

/// One solver at work.
struct Flight<'a> {
    child: usize,
    name: &'a str,
    began: Instant,
    watch: Arc<Watch>,
    future: Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>,
}

/// The solvers at work on one challenge. Dropping it drops them all, and books what they may have
/// bought as abandoned.
pub(crate) struct Flights<'a> {
    challenge: &'a DragChallenge,
    ledger: &'a Ledger,
    at_work: Vec<Flight<'a>>,
    /// Jobs to resume that somebody was given. Two solvers of one name would both go on with the same
    /// job: a hedge would gain nothing by that, and a quorum would take it for an agreement.
    handed_out: Vec<PaidJob>,
}

/// What came first.
pub(crate) enum Event {
    /// Some solvers came back. An answer is the last of them; errors before it came at the same
    /// time.
    Landed(Vec<Landed>),
    /// It is time.
    Due,
}

/// A solver that came back.
pub(crate) struct Landed {
    pub(crate) child: usize,
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// A solver that was dropped while it was at work.
pub(crate) struct Lost {
    pub(crate) child: usize,
    pub(crate) after: Duration,
    /// For the history of the call: one for each answer that may be billed, or a single free one.
    pub(crate) attempts: Vec<Attempt>,
}

impl<'a> Flights<'a> {
    pub(crate) fn new(challenge: &'a DragChallenge, ledger: &'a Ledger) -> Self {
        Self {
            challenge,
            ledger,
            at_work: Vec::new(),
            handed_out: Vec::new(),
        }
    }

    /// How many are at work.
    pub(crate) fn len(&self) -> usize {
        self.at_work.len()
    }

    /// Asks `solver`. Nothing happens before the next [`Self::next`].
    pub(crate) fn start(&mut self, child: usize, solver: &'a dyn DragSolver) {
        let watch = Arc::new(Watch::default());
        let challenge = self
            .with_jobs_for(solver.name())
            .with_listener(Arc::clone(&watch) as _);
        self.at_work.push(Flight {
            child,
            name: solver.name(),
            began: Instant::now(),
            watch,
            future: Box::pin(async move { solver.solve(&challenge).await }),
        });
    }

    /// The challenge with the jobs that the solver called `name` is to resume, from now on its own.
    fn with_jobs_for(&mut self, name: &str) -> DragChallenge {
        let fresh = self.challenge.clone().without_paid_jobs();
        let jobs = self.challenge.paid_jobs().iter();
        let own: Vec<PaidJob> = jobs
            .filter(|job| names::answers_to(name, &job.provider) && !self.handed_out.contains(job))
            .cloned()
            .collect();
        self.handed_out.extend_from_slice(&own);
        own.into_iter().fold(fresh, DragChallenge::resuming)
    }

    /// Waits for solvers to come back, or until `due`.
    ///
    /// Solvers are polled in the order they were asked in, and before the clock is looked at: what
    /// comes at the very instant counts. An answer is returned at once, without another poll of those
    /// behind it, because that could make them buy something.
    pub(crate) async fn next(&mut self, due: Option<Instant>) -> Event {
        let flights = &mut self.at_work;
        let mut alarm = pin!(due.map(tokio::time::sleep_until));
        poll_fn(|cx| {
            let mut landed = Vec::new();
            let mut answered = false;
            flights.retain_mut(|flight| {
                if answered {
                    return true;
                }
                let Poll::Ready(outcome) = flight.future.as_mut().poll(cx) else {
                    return true;
                };
                answered = outcome.is_ok();
                landed.push(Landed {
                    child: flight.child,
                    took: flight.began.elapsed(),
                    outcome,
                });
                false
            });
            if !landed.is_empty() {
                return Poll::Ready(Event::Landed(landed));
            }
            match alarm.as_mut().as_pin_mut() {
                Some(alarm) => alarm.poll(cx).map(|()| Event::Due),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Drops everybody who is still at work, now. `why` goes into their attempts' messages.
    pub(crate) fn abandon(&mut self, why: &str) -> Vec<Lost> {
        std::mem::take(&mut self.at_work)
            .into_iter()
            .map(|flight| {
                let Flight {
                    child,
                    name,
                    began,
                    watch,
                    future,
                } = flight;
                drop(future);
                let after = began.elapsed();
                let attempts = watch.attempts_if_dropped(name, why, after);
                let answers = self.ledger.book(child, &watch);
                tracing::debug!(
                    provider = name,
                    ?after,
                    may_be_billed = answers,
                    why,
                    "dropped a solver that was at work"
                );
                Lost {
                    child,
                    after,
                    attempts,
                }
            })
            .collect()
    }
}

impl Drop for Flights<'_> {
    fn drop(&mut self) {
        self.abandon("the call was dropped");
    }
}

impl fmt::Debug for Flights<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.at_work.iter().map(|flight| flight.name);
        f.debug_list().entries(names).finish()
    }
}

/// Whether `error` ends the whole call, although others are at work or could be asked.
///
/// A solver that refuses because *it* cannot make the deadline says nothing about others that are
/// at work already.
pub(crate) fn ends_all(
    error: &SolveError,
    challenge: &DragChallenge,
    others_at_work: bool,
) -> bool {
    error.recovery() == Recovery::Stop
        && !(error.kind() == ErrorKind::DeadlineExceeded
            && others_at_work
            && !challenge.is_expired())
}

/// `error` with the whole history of the call and the worst charge in it.
pub(crate) fn with_history(error: SolveError, attempts: Vec<Attempt>) -> SolveError {
    let worst = attempts.iter().map(|attempt| attempt.charge).max();
    let charge = error.charge().max(worst.unwrap_or_default());
    error.with_charge(charge).with_attempts(attempts)
}
