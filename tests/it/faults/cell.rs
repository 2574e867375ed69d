//! One provider, one fault, one moment.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use drag_solver::testing::emulator::{Emulator, EmulatorBuilder, Fault, Operation, Stats};
use drag_solver::testing::pictures::{AnswerKey, TestPicture};
use drag_solver::{Billed, Event, Observer, PaidJob, Solution, SolveError, Verdict, async_trait};
use tokio::sync::watch;

use super::account::{Account, Patience, Provider, TOKEN};
use super::capture::SEARCH;
use super::table::{self, Outcome, TIME_UP};

/// Longer than anything here takes on any machine. It ends a cell that would hang.
const LIMIT: Duration = Duration::from_secs(50);

/// A client that waits for everything that comes.
pub(super) const PATIENT: Patience = Patience {
    request: Duration::from_secs(30),
    job: Duration::from_secs(40),
    every: Duration::from_millis(1),
};

/// How long to wait for what never comes. Much longer than what does come takes, on any machine.
pub(super) const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// When the fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Connect,
    Create,
    FirstPoll,
    LaterPoll,
    EveryPoll,
    Balance,
    Report,
    Services,
}

impl Moment {
    pub(super) const ALL: [Self; 8] = [
        Self::Connect,
        Self::Create,
        Self::FirstPoll,
        Self::LaterPoll,
        Self::EveryPoll,
        Self::Balance,
        Self::Report,
        Self::Services,
    ];

    pub(super) fn operation(self) -> Operation {
        match self {
            Self::Connect => Operation::Connect,
            Self::Create => Operation::Create,
            Self::FirstPoll | Self::LaterPoll | Self::EveryPoll => Operation::Poll,
            Self::Balance => Operation::Balance,
            Self::Report => Operation::Report,
            Self::Services => Operation::Services,
        }
    }
}

/// One cell of the matrix.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) provider: Provider,
    pub(super) fault: Fault,
    pub(super) moment: Moment,
}

/// What was seen of a call, for the search for the token.
type Seen = Result<String, SolveError>;

impl Cell {
    pub(super) fn new(provider: Provider, fault: Fault, moment: Moment) -> Self {
        Self {
            provider,
            fault,
            moment,
        }
    }

    /// Whether it mostly waits. Such cells can be tried by the dozen.
    pub(super) fn is_idle(&self) -> bool {
        self.is_silent() || self.moment == Moment::EveryPoll
    }

    /// Tries it. The error says which cell, and what was wrong.
    pub(super) async fn run(self) -> Result<(), String> {
        let name = format!("{:?}, {}, {:?}", self.provider, self.fault, self.moment);
        match tokio::time::timeout(LIMIT, self.try_it()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(wrong)) => Err(format!("{name}: {wrong}")),
            Err(_) => Err(format!("{name}: not done within {LIMIT:?}")),
        }
    }

    async fn try_it(&self) -> Result<(), String> {
        let picture = picture();
        let row = table::find(&self.fault.to_string(), self.provider);
        let builder = Emulator::builder().solver(AnswerKey).token(TOKEN);
        let emulator = self.scripted(builder).start().await.unwrap();
        let (expected, seen) = match self.moment {
            Moment::Connect => {
                let expected = table::connect(&self.fault.to_string());
                (expected, self.solve(&emulator, picture, expected).await?)
            }
            Moment::Create => (
                row.create,
                self.solve(&emulator, picture, row.create).await?,
            ),
            Moment::FirstPoll | Moment::LaterPoll => {
                (row.poll, self.solve(&emulator, picture, row.poll).await?)
            }
            Moment::EveryPoll => {
                let expected = if row.poll == Outcome::Fine && !self.fault.is_tolerable() {
                    TIME_UP
                } else {
                    row.poll
                };
                let expected = if self.is_harmless_to_polls() {
                    Outcome::Fine
                } else {
                    expected
                };
                (expected, self.resume(&emulator, picture, expected).await?)
            }
            Moment::Balance | Moment::Report | Moment::Services => {
                (row.ask, self.ask(&emulator, picture).await?)
            }
        };
        // Nothing is under way any more once every connection is cut.
        emulator.suspend().await.unwrap();
        let checked = self
            .check(expected, &seen, &emulator.stats())
            .and_then(|()| self.check_requests(&emulator));
        emulator.shutdown().await;
        checked
    }

    pub(super) fn scripted(&self, builder: EmulatorBuilder) -> EmulatorBuilder {
        let fault = self.fault.clone();
        match self.moment {
            // For good: how soon the client comes is not known.
            Moment::Connect if matches!(fault, Fault::Refuse(_)) => {
                builder.fault(Operation::Connect, Fault::Refuse(Duration::MAX), 1)
            }
            // The first poll is answered "not yet", in a way that everybody bears.
            Moment::LaterPoll => builder
                .running_polls(1)
                .fault(Operation::Poll, Fault::UnknownFields, 1)
                .fault(Operation::Poll, fault, 1),
            Moment::EveryPoll => builder.fault(Operation::Poll, fault, u32::MAX),
            moment => builder.fault(moment.operation(), fault, 1),
        }
    }

    /// Such an id in an answer that has no id is no fault at all.
    fn is_harmless_to_polls(&self) -> bool {
        self.fault == Fault::IdsBeyondU64
    }

    /// Whether the fault ends only when the client stops waiting.
    pub(super) fn is_silent(&self) -> bool {
        matches!(
            self.fault,
            Fault::Hang | Fault::Stall | Fault::EndlessInformational
        )
    }

    fn patience(&self, expected: Outcome) -> Patience {
        let mut patience = PATIENT;
        if self.is_silent() {
            patience.request = LONG_ENOUGH;
        }
        if expected == TIME_UP {
            // Less than the shortest wait that a provider asks for here, 5 s.
            patience.job = Duration::from_secs(4);
        }
        patience
    }

    async fn solve(
        &self,
        emulator: &Emulator,
        picture: &TestPicture,
        expected: Outcome,
    ) -> Result<Seen, String> {
        let account = Account::open(self.provider, emulator, self.patience(expected));
        let outcome = account.solver().solve(&picture.challenge()).await;
        seen(outcome, &account, picture)
    }

    /// Buys a job with one client, and waits for it with another that has less patience: so the time
    /// that buying takes is not part of what is tried.
    async fn resume(
        &self,
        emulator: &Emulator,
        picture: &TestPicture,
        expected: Outcome,
    ) -> Result<Seen, String> {
        let bought = Arc::new(Bought::default());
        let job = {
            let mut news = bought.0.subscribe();
            let told = news.clone();
            let account = Account::open(self.provider, emulator, PATIENT);
            let challenge = picture.challenge().with_observer(bought);
            tokio::select! {
                biased;
                job = news.wait_for(Option::is_some) => job.unwrap().clone().unwrap(),
                outcome = account.solver().solve(&challenge) => {
                    // Some faults end it before the observer gets its turn.
                    match (told.borrow().clone(), outcome) {
                        (Some(job), _) => job,
                        (None, outcome) => return Err(format!("nothing was bought: {outcome:?}")),
                    }
                }
            }
        };
        let mut patience = PATIENT;
        if expected == TIME_UP || matches!(expected, Outcome::FineOr(..)) {
            patience.job = LONG_ENOUGH;
            patience.every = Duration::from_millis(250);
        }
        let account = Account::open(self.provider, emulator, patience);
        let challenge = picture.challenge().resume_job(job);
        let outcome = account.solver().solve(&challenge).await;
        seen(outcome, &account, picture)
    }

    /// A question that costs nothing.
    async fn ask(&self, emulator: &Emulator, picture: &TestPicture) -> Result<Seen, String> {
        let account = Account::open(self.provider, emulator, self.patience(Outcome::Fine));
        Ok(match self.moment {
            Moment::Balance => account.balance().await,
            Moment::Services => account.services().await,
            _ => {
                let solution = account.solver().solve(&picture.challenge()).await;
                let solution = solution.map_err(|error| format!("not solved: {error}"))?;
                let verdict = Verdict::Incorrect;
                let reported = account.solver().report(&solution, verdict).await;
                reported.map(|()| String::new())
            }
        })
    }

    fn check(&self, expected: Outcome, seen: &Seen, stats: &Stats) -> Result<(), String> {
        let error = match (expected, seen) {
            (Outcome::Fine | Outcome::FineOr(..), Ok(text)) => {
                return match SEARCH.find(text) {
                    Some(how) => Err(format!("the token, {how}, in {text}")),
                    None => check_books(stats, None, self.buys()),
                };
            }
            (Outcome::Fine, Err(error)) => return Err(format!("expected no error: {error:?}")),
            (_, Ok(_)) => return Err(format!("expected {expected:?}, got an answer")),
            (_, Err(error)) => error,
        };
        let (kind, recovery, billed) = match expected {
            Outcome::Fails(kind, recovery, billed) | Outcome::FineOr(kind, recovery, billed) => {
                (kind, recovery, Some(billed))
            }
            Outcome::FailsFree(kind, recovery) => (kind, recovery, None),
            Outcome::Fine => unreachable!("handled above"),
        };
        let is = (error.kind(), error.recovery(), error.billed());
        if is != (kind, recovery, billed.unwrap_or(is.2)) {
            return Err(format!("expected {expected:?}, got {is:?}: {error:?}"));
        }
        if billed.is_none() && stats.jobs_paid > 0 {
            return Err(format!("somebody was paid: {stats:?}"));
        }
        let is_poll = self.moment.operation() == Operation::Poll;
        let unfinished = error.unfinished_jobs();
        if unfinished.len() != usize::from(is_poll) {
            return Err(format!("the unfinished job: {unfinished:?}"));
        }
        if let Some(expected) = table::retry_after(&self.fault.to_string())
            .filter(|expected| *expected.start() > Duration::ZERO)
            && !is_poll
            && !error
                .retry_after()
                .is_some_and(|wait| expected.contains(&wait))
        {
            return Err(format!("waits for {:?}", error.retry_after()));
        }
        if table::retry_after(&self.fault.to_string()).is_none()
            && !is_poll
            && error.retry_after().is_some()
        {
            return Err(format!("waits for {:?}", error.retry_after()));
        }
        let text = everything_about(error);
        if let Some(how) = SEARCH.find(&text) {
            return Err(format!("the token, {how}, in {text}"));
        }
        check_books(stats, Some(error.billed()), self.buys())
    }

    /// Whether the call that is judged is one that buys.
    fn buys(&self) -> bool {
        !matches!(
            self.moment.operation(),
            Operation::Balance | Operation::Report | Operation::Services
        )
    }

    /// Nothing was sent twice that is paid for, and no redirect was followed.
    fn check_requests(&self, emulator: &Emulator) -> Result<(), String> {
        let requests = emulator.requests();
        let creates = requests
            .iter()
            .filter(|r| r.operation == Operation::Create)
            .count();
        if creates > 1 {
            return Err(format!("{creates} requests that buy"));
        }
        let asked = requests
            .iter()
            .filter(|r| r.operation == self.moment.operation())
            .count();
        if !self.buys() && asked > 1 {
            return Err(format!("{asked} requests that ask"));
        }
        let traffic = emulator.traffic();
        if traffic.redirects_followed > 0 {
            return Err(format!(
                "{} redirects were followed",
                traffic.redirects_followed
            ));
        }
        if traffic.faults == 0 {
            return Err("the fault did not happen".to_owned());
        }
        // Never in a URL or a header.
        for request in &requests {
            let request = &request.request;
            let head = format!("{} {:?}", request.target(), request.headers());
            if let Some(how) = SEARCH.find(&head) {
                return Err(format!("the token, {how}, in {head}"));
            }
        }
        Ok(())
    }
}

pub(super) fn picture() -> &'static TestPicture {
    static PICTURE: LazyLock<TestPicture> =
        LazyLock::new(|| TestPicture::draw_sized(3, 100, 200).unwrap());
    &PICTURE
}

/// What is said of the bill must be true.
fn check_books(stats: &Stats, billed: Option<Billed>, buys: bool) -> Result<(), String> {
    let paid = stats.jobs_paid;
    let is_true = match billed {
        None if buys => paid == 1, // an answer came, so it was paid for
        Some(Billed::No) if buys => paid == 0,
        Some(Billed::Yes) => paid == 1,
        _ => paid <= 1,
    };
    if is_true && stats.jobs_created <= 1 {
        return Ok(());
    }
    Err(format!(
        "the client says {billed:?}, the provider: {stats:?}"
    ))
}

fn seen(
    outcome: Result<Solution, SolveError>,
    account: &Account,
    picture: &TestPicture,
) -> Result<Seen, String> {
    match outcome {
        Ok(solution) if *solution.drag() != picture.drag() => {
            Err(format!("a wrong answer: {:?}", solution.drag()))
        }
        Ok(solution) => {
            let json = serde_json::to_string(&solution).unwrap();
            Ok(Ok(format!("{solution:?} {json} {account:?}")))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Every form in which an error may end up in a log.
fn everything_about(error: &SolveError) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{}", error.message());
    let _ = write!(text, "\n{}", serde_json::to_string(error).unwrap());
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, "\n{cause}\n{cause:?}\n{cause:#?}");
        source = cause.source();
    }
    let (attempts, jobs) = (error.attempts(), error.unfinished_jobs());
    let _ = write!(text, "\n{attempts:?}\n{jobs:?}");
    text
}

/// Hears of the job that was bought.
#[derive(Debug)]
struct Bought(watch::Sender<Option<PaidJob>>);

impl Default for Bought {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

#[async_trait]
impl Observer for Bought {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if let Event::Bought { solver, job } = *event {
            self.0.send_replace(Some(PaidJob::new(solver, job.clone())));
        }
        Ok(())
    }
}
