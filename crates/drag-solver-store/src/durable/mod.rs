//! A solver whose calls survive the process.

mod recorder;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::chain_debug::{DebugCall, wrapper};
use drag_solver_core::{
    Billed, Brought, CheckSettings, ConfigError, DragChallenge, DragSolver, ErrorKind, Event,
    Frame, Solution, SolveError, Tracker, async_trait, forward_solver, setters,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use self::recorder::Recorder;
use crate::key::new_key;
use crate::undo::Undo;
use crate::{
    ChallengeRecord, Claim, Fact, Opening, Status, StoreError, StoreErrorKind, StoreHandle, TakenUp,
};

/// How long a call waits before it looks again whether another has ended: at first, and at the most.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The reason of [`Event::Waiting`] while another call, of this process or another, has the challenge.
pub const ANOTHER_CALL: &str = "another call that solves it";

/// What a [`Durable`] solver does where it cannot be known what is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DurablePolicy {
    /// Whether it buys for a challenge again of which a purchase was sent, or was about to be, and nothing was
    /// heard. Default: no, as that may pay twice.
    pub buy_unconfirmed: bool,
}

impl DurablePolicy {
    setters! { buy_unconfirmed: bool }
}

impl CheckSettings for DurablePolicy {
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// Solves each challenge once: the same [id](DragChallenge::id) again, in this process, after a crash, or from
/// another process at the same time, gets the answer that is on record, or continues with what was paid for, or
/// buys what was not.
///
/// - A purchase is on record before it is sent, and its job as soon as it is named. What cannot be put on
///   record is not bought ([`ErrorKind::NotRecorded`]).
/// - A purchase is done with in one step with the outcome of its call: a crash that loses an answer leaves its job,
///   and the next call fetches it again.
/// - A crash between a purchase and its job leaves one of which nothing is known. Nothing more is bought for that
///   challenge ([`ErrorKind::Unconfirmed`]), unless [the policy](DurablePolicy::buy_unconfirmed) says so.
///   The record lists it.
/// - A paid job is fetched with the region and in the frame that it was bought with.
/// - One call at a time has a challenge; others of the same id wait for it, and say so
///   ([`Event::Waiting`]). If its process ends, the next one takes over. A process that hung for too long and
///   comes back may neither buy for it nor answer it ([`ErrorKind::NotRecorded`]). A call whose outcome is another's says so
///   ([`Event::OnRecord`]).
/// - The same id with another picture is refused ([`ErrorKind::InvalidChallenge`], of which [`OtherPicture`] is the source).
/// - A failed call is no answer: the same id again tries again; what was [accepted](crate::Store::accept) is accepted again
///   for that, and until then the failure is told.
/// - A challenge without an id gets one of its own, under which its paid jobs are on record.
/// - A solver that says nothing of its purchases (see [`Event`]) is on record as one that bought when its
///   call has ended, and not before.
///
/// Goes around everything else.
///
/// Dropping the future gives the challenge back; what was bought stays on record.
///
/// ```
/// use drag_solver_store::{Clock, SqliteStore, StoreExt};
/// # use drag_solver_core::DragSolver;
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let provider = MockSolver::new("example").always(fixtures::drag());
/// # let mock = provider.clone();
/// let store = SqliteStore::in_memory(Clock::system())?; // SqliteStore::open("drags.db")?
/// let solver = provider.durable(&store);
///
/// let challenge = fixtures::challenge().with_id("order 4711");
/// let first = solver.solve(&challenge).await?;
/// let again = solver.solve(&challenge).await?;
/// assert_eq!(first.drag(), again.drag());
/// # assert_eq!(mock.purchases(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Durable<S> {
    inner: S,
    store: StoreHandle,
    policy: DurablePolicy,
}

impl<S: DragSolver> Durable<S> {
    /// Keeps what `inner` does in `store`.
    pub fn new(inner: S, store: impl Into<StoreHandle>) -> Self {
        Self {
            inner,
            store: store.into(),
            policy: DurablePolicy::default(),
        }
    }

    /// Replaces what it does where it cannot be known what is right.
    #[must_use]
    pub fn with_policy(mut self, policy: DurablePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &StoreHandle {
        &self.store
    }

    /// What is to be done for a challenge, as soon as no other call has it.
    async fn take_up(&self, challenge: &DragChallenge, id: &str) -> Result<Turn, SolveError> {
        let opening = Opening::of(challenge, id, self.store.now());
        let mut wait = LOOK_AGAIN.0;
        let mut waiting = Waiting {
            challenge,
            solver: self.name(),
            began: false,
        };
        let turn = loop {
            // Asked before it is looked: what happens in between is not missed.
            let changed = self.store.changed(id);
            // Who is dropped here never had it.
            let given_back = Fact::GivenBack {
                id: id.to_owned(),
                claim: opening.claim,
            };
            let undo = Undo::new(&self.store, given_back);
            let taken = self.store.take_up(&opening).await;
            undo.keep();
            let taken = match taken {
                Ok(taken) => taken,
                Err(error) => break self.as_it_is_known(challenge, &opening, error).await,
            };
            match taken {
                TakenUp::Claimed(claim, record) => {
                    let call = DurableCall::new(&self.store, Some(claim));
                    break Ok(Turn::Work(call, Box::new(record)));
                }
                TakenUp::Solved(solution) => break Ok(Turn::Ended(Ok(solution))),
                TakenUp::Failed(error) => break Ok(Turn::Ended(Err(error))),
                TakenUp::OtherPicture => break Err(self.other_picture(challenge, id)),
                TakenUp::Held => {}
            }
            if challenge.remaining().is_some_and(|left| left <= wait) {
                let problem =
                    "another call solves it, and the deadline leaves no time to wait for that";
                break Err(challenge.refuse(self.name(), ErrorKind::DeadlineExceeded, problem));
            }
            waiting.begin().await;
            let _ = timeout(wait, changed).await;
            wait = (wait * 2).min(LOOK_AGAIN.1);
        };
        waiting.end().await;
        turn
    }

    /// Says that the outcome of the call is another's.
    async fn is_on_record(&self, challenge: &DragChallenge) {
        let members = self.profile().solvers;
        let members = members.iter().map(String::as_str);
        for solver in members.chain([self.name()]) {
            let _ = challenge.notify(Event::OnRecord { solver }).await;
        }
    }

    /// A store that cannot be written still says what it knows, and what was paid for can be fetched.
    async fn as_it_is_known(
        &self,
        challenge: &DragChallenge,
        opening: &Opening,
        error: StoreError,
    ) -> Result<Turn, SolveError> {
        let refused = |error: &StoreError| not_recorded(challenge, self.name(), error);
        let known = self.store.find(&opening.id).await.ok().flatten();
        let Some(record) = known else {
            return Err(refused(&error));
        };
        match record.status {
            _ if record.digest != opening.digest => Err(self.other_picture(challenge, &opening.id)),
            Status::Solved { solution } => Ok(Turn::Ended(Ok(solution))),
            Status::Open { held: true } => Err(refused(&error)),
            _ if record.open_jobs().next().is_none() => Err(refused(&error)),
            _ => {
                let call = DurableCall::new(&self.store, None);
                Ok(Turn::Work(call, Box::new(record)))
            }
        }
    }

    fn other_picture(&self, challenge: &DragChallenge, id: &str) -> SolveError {
        let problem = format!(
            "the id {id:?} is on record with another picture: nothing was sent. Give each challenge an id \
             of its own"
        );
        let refused = challenge.refuse(self.name(), ErrorKind::InvalidChallenge, problem);
        refused.with_source(OtherPicture)
    }

    /// What comes of a call that ends so.
    async fn end(
        &self,
        challenge: &DragChallenge,
        mut call: DurableCall,
        outcome: Result<Solution, SolveError>,
    ) -> Result<Solution, SolveError> {
        match call.end(&outcome).await {
            Ok(()) => outcome,
            Err(error) => {
                self.is_on_record(challenge).await;
                Err(self.lost(challenge, &error))
            }
        }
    }

    /// What a call is told that ended after another had taken its challenge over.
    fn lost(&self, challenge: &DragChallenge, error: &StoreError) -> SolveError {
        let problem = format!(
            "{error}, as this process was not heard of for too long: what that one finds counts, and fetches what was \
             paid for here. Ask for the same id again"
        );
        challenge
            .refuse(self.name(), ErrorKind::NotRecorded, problem)
            .with_billed(Billed::Maybe)
    }

    /// Refuses to buy again what may be bought already.
    fn unconfirmed(
        &self,
        challenge: &DragChallenge,
        record: &ChallengeRecord,
    ) -> Option<SolveError> {
        let unconfirmed: Vec<&str> = record.unconfirmed().map(|one| &*one.solver).collect();
        if unconfirmed.is_empty() || self.policy.buy_unconfirmed {
            return None;
        }
        Some(unconfirmed_error(challenge, self.name(), &unconfirmed))
    }
}

/// The error of a challenge for which something may be bought already.
fn unconfirmed_error(challenge: &DragChallenge, solver: &str, of: &[&str]) -> SolveError {
    let problem = format!(
        "nothing was sent: an earlier purchase from {} was never heard of again, and another one may be \
         paid twice; `buy_unconfirmed` allows that",
        of.join(" and ")
    );
    challenge
        .refuse(solver, ErrorKind::Unconfirmed, problem)
        .with_billed(Billed::Maybe)
}

/// The error of a purchase that cannot be put on record.
fn not_recorded(challenge: &DragChallenge, solver: &str, error: &StoreError) -> SolveError {
    let problem = match error.kind() {
        StoreErrorKind::ClaimLost => format!("nothing was sent: {error}"),
        _ => format!("nothing was sent, as it cannot be put on record: {error}"),
    };
    challenge.refuse(solver, ErrorKind::NotRecorded, problem)
}

/// An id is on record with another picture: the source of the error that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherPicture;

impl fmt::Display for OtherPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id is another picture's")
    }
}

impl std::error::Error for OtherPicture {}

/// What a call has to do.
enum Turn {
    /// Nothing: another call has ended so.
    Ended(Result<Solution, SolveError>),
    Work(DurableCall, Box<ChallengeRecord>),
}

/// Tells of a wait once, and of its end if it was told of.
struct Waiting<'a> {
    challenge: &'a DragChallenge,
    solver: &'a str,
    began: bool,
}

impl Waiting<'_> {
    async fn begin(&mut self) {
        if !std::mem::replace(&mut self.began, true) {
            let (solver, reason) = (self.solver, ANOTHER_CALL);
            let _ = self
                .challenge
                .notify(Event::Waiting { solver, reason })
                .await;
        }
    }

    async fn end(self) {
        if self.began {
            let solver = self.solver;
            let _ = self.challenge.notify(Event::WaitEnded { solver }).await;
        }
    }
}

/// A call that has taken a challenge up. However it ends, it gives it back.
struct DurableCall {
    store: StoreHandle,
    /// Without a claim nothing may be bought.
    claim: Option<Claim>,
    /// Who writes what it buys, and what is known of that.
    purchases: Option<(Arc<Recorder>, Tracker)>,
}

impl DurableCall {
    fn new(store: &StoreHandle, claim: Option<Claim>) -> Self {
        Self {
            store: store.clone(),
            claim,
            purchases: None,
        }
    }

    fn catch_up(&self) {
        if let Some((recorder, tracker)) = &self.purchases {
            recorder.catch_up(&tracker.purchases());
        }
    }

    fn finished(&mut self, outcome: Option<&Result<Solution, SolveError>>) -> Option<Fact> {
        let claim = self.claim.take()?;
        let ended = self.purchases.as_ref();
        let ended = ended.map(|(recorder, _)| recorder.ended(outcome));
        Some(Fact::Finished {
            claim,
            outcome: outcome.cloned(),
            ended: ended.unwrap_or_default(),
        })
    }

    /// Puts on record how the call has ended.
    ///
    /// # Errors
    ///
    /// It is not for this call to say any more.
    async fn end(&mut self, outcome: &Result<Solution, SolveError>) -> Result<(), StoreError> {
        let Some(finished) = self.finished(Some(outcome)) else {
            return Ok(());
        };
        match self.store.record(finished).await {
            Err(error) if error.kind() == StoreErrorKind::ClaimLost => return Err(error),
            Err(error) => tracing::warn!(%error, "an outcome is not on record yet"),
            Ok(()) => {}
        }
        Ok(())
    }
}

impl Drop for DurableCall {
    fn drop(&mut self) {
        self.catch_up();
        if let Some(fact) = self.finished(None) {
            drop(self.store.record(fact));
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Durable<S> {
    forward_solver!(inner: name, report, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let begun = Instant::now();
        let id = match challenge.id() {
            Some(id) => id.to_owned(),
            None => format!("unnamed-{:016x}", new_key()),
        };
        let (mut call, record) = match self.take_up(challenge, &id).await? {
            Turn::Ended(outcome) => {
                self.is_on_record(challenge).await;
                return outcome;
            }
            Turn::Work(call, record) => (call, record),
        };
        let resumed = resume(challenge.clone().with_id(id), &record)?;
        let refusal = self.unconfirmed(challenge, &record);
        let brought = Brought::to(&self.inner, resumed.paid_jobs());
        if let Some(refusal) = refusal.as_ref().filter(|_| brought.own.is_empty()) {
            let refused = Err(refusal.clone());
            return self.end(challenge, call, refused).await;
        }
        let recorder = Recorder::new(self.store.clone(), call.claim, &record, &resumed, refusal);
        let recorder = Arc::new(recorder);
        let (watched, tracker) = resumed.with_observer(recorder.clone()).tracked();
        call.purchases = Some((Arc::clone(&recorder), tracker.clone()));
        let outcome = self.inner.solve(&watched).await;
        call.catch_up();
        let purchases = tracker.purchases();
        recorder.add_untold(
            self.name(),
            &purchases,
            &outcome,
            brought.others,
            begun.elapsed(),
        );
        self.end(challenge, call, outcome).await
    }
}

/// The challenge as it was when its jobs were paid for, with those jobs to resume.
fn resume(challenge: DragChallenge, record: &ChallengeRecord) -> Result<DragChallenge, SolveError> {
    let mut jobs = record.purchases.iter();
    if !jobs.any(|purchase| purchase.open_job().is_some()) {
        return Ok(challenge);
    }
    let screenshot = challenge.screenshot().clone();
    let whole = Frame::whole(&screenshot);
    let mut resumed = challenge.with_screenshot(screenshot);
    if let Some(region) = record.region {
        resumed = resumed.with_region(region)?;
    }
    for purchase in &record.purchases {
        if let Some(job) = purchase.open_job() {
            let frame = purchase.frame.unwrap_or(whole);
            resumed = resumed.with_frame(&*purchase.solver, frame).resume_job(job);
        }
    }
    Ok(resumed)
}

wrapper!(Durable(S), |durable, f| {
    DebugCall::on(f, &durable.inner, "durable").value(format_args!("{:?}", durable.store))
});
