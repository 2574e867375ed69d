//! The jobs, and the books about them. No I/O and no waiting.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use drag_solver_core::{JobId, Solution, Usd, Verdict};
use tokio::time::Instant;

use super::Dialect;
use super::protocol::Refusal;

/// Answered jobs that can be asked about again, at most. Older ones are forgotten, so that a long
/// test does not grow.
const ANSWERED_JOBS_KEPT: usize = 10_000;

/// What the account has been billed for, and what came of it.
///
/// A job is paid for when it is accepted. One that is given up is refunded where the provider does so
/// (all but Anti-Captcha). So, whatever happens to the answers on their way:
///
/// - `jobs_created == jobs_paid + jobs_refunded`
/// - `spent` is the price times `jobs_paid`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Books {
    /// Connections accepted.
    pub connections: u64,
    /// Requests whose headers were read.
    pub requests: u64,
    /// Bytes handed to the network.
    pub bytes_sent: u64,
    /// [Faults](super::Fault) that happened.
    pub faults: u64,
    /// Requests that came because a client followed a [redirect](super::Fault::Redirect) to another
    /// place.
    pub redirects_followed: u64,
    /// Jobs that were accepted.
    pub jobs_created: u64,
    /// Jobs that were accepted and not refunded.
    pub jobs_paid: u64,
    /// Jobs that were given up and refunded.
    pub jobs_refunded: u64,
    /// Jobs that nobody has found an answer to yet.
    pub jobs_running: u64,
    /// Jobs that an answer was found to.
    pub jobs_solved: u64,
    /// Jobs that were given up, refunded or not.
    pub jobs_given_up: u64,
    /// Solved jobs whose answer was sent whole at least once. Whether it arrived, the client knows.
    pub answers_fetched: u64,
    /// Reports that an answer was right.
    pub reported_correct: u64,
    /// Reports that an answer was wrong.
    pub reported_incorrect: u64,
    /// What the account has left, in US dollars.
    pub balance: Usd,
    /// What the jobs cost, in US dollars.
    pub spent: Usd,
}

/// One job, as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRecord {
    /// Its id, as sent to the client.
    pub id: JobId,
    /// The protocol it was created by.
    pub dialect: Dialect,
    /// What became of it.
    pub fate: JobFate,
    /// How often its result was asked for.
    pub polls: u32,
    /// How often its answer was sent whole.
    pub fetched: u32,
    /// The latest report about its answer.
    pub verdict: Option<Verdict>,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobFate {
    /// It is being worked on.
    Running,
    /// An answer was found, right or wrong.
    Solved,
    /// The provider gave up.
    GaveUp,
}

/// What the solver said in the end.
#[derive(Debug)]
pub(super) enum Outcome {
    Solved(Box<Solution>),
    GaveUp,
    Refused(Refusal),
}

/// What a job's result is, at the moment it is asked for.
pub(super) enum Status<'a> {
    Running,
    Solved {
        job: &'a Job,
        solution: &'a Solution,
    },
    GaveUp,
    Refused(&'a Refusal),
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) created: Instant,
    pub(super) ready: Instant,
    /// What pixels of the submitted picture are multiplied by.
    pub(super) scale: f64,
    dialect: Dialect,
    number: u64,
    outcome: Option<Outcome>,
    settled: Option<Instant>,
    polls: u32,
    fetched: u32,
    verdict: Option<Verdict>,
}

impl Job {
    /// When its result was there to be fetched.
    pub(super) fn ended(&self) -> Instant {
        self.settled
            .map_or(self.ready, |settled| settled.max(self.ready))
    }
}

/// The jobs and the books.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) books: Books,
    price: Usd,
    jobs: HashMap<JobId, Job>,
    answered: VecDeque<JobId>,
}

impl Ledger {
    pub(super) fn new(balance: Usd, price: Usd) -> Self {
        Self {
            books: Books {
                balance,
                ..Books::default()
            },
            price,
            jobs: HashMap::new(),
            answered: VecDeque::new(),
        }
    }

    pub(super) fn can_pay(&self) -> bool {
        self.books.balance >= self.price
    }

    /// Accepts a job and takes the money for it. `name` makes its id out of its number.
    pub(super) fn open(
        &mut self,
        dialect: Dialect,
        scale: f64,
        delay: Duration,
        name: impl FnOnce(u64) -> JobId,
    ) -> JobId {
        let number = self.books.jobs_created;
        let id = name(number);
        let created = Instant::now();
        let job = Job {
            created,
            // A delay too long for the clock is a job that is never ready within anybody's patience.
            ready: created
                .checked_add(delay)
                .unwrap_or_else(|| created + Duration::from_secs(u32::MAX.into())),
            scale,
            dialect,
            number,
            outcome: None,
            settled: None,
            polls: 0,
            fetched: 0,
            verdict: None,
        };
        self.jobs.insert(id.clone(), job);
        let books = &mut self.books;
        books.jobs_created += 1;
        books.jobs_paid += 1;
        books.jobs_running += 1;
        books.spent = books.spent + self.price;
        books.balance = books.balance - self.price;
        id
    }

    /// Notes what the solver said, and gives the money back if the provider does so.
    pub(super) fn settle(&mut self, id: &JobId, outcome: Outcome, refunds: bool) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        let books = &mut self.books;
        books.jobs_running -= 1;
        if let Outcome::Solved(_) = outcome {
            books.jobs_solved += 1;
        } else {
            books.jobs_given_up += 1;
            if refunds {
                books.jobs_paid -= 1;
                books.jobs_refunded += 1;
                books.spent = books.spent - self.price;
                books.balance = books.balance + self.price;
            }
        }
        job.outcome = Some(outcome);
        job.settled = Some(Instant::now());
    }

    /// Answers a client that asks for a result. The first `running` answers are "not yet".
    pub(super) fn poll(
        &mut self,
        dialect: Dialect,
        id: &str,
        running: u32,
        kept: Option<Duration>,
    ) -> Option<Status<'_>> {
        let id = JobId::new(id).ok()?;
        let job = self.jobs.get_mut(&id)?;
        if job.dialect != dialect {
            return None;
        }
        job.polls += 1;
        if job.polls <= running || Instant::now() < job.ready {
            return Some(Status::Running);
        }
        match &job.outcome {
            None => Some(Status::Running),
            Some(_) if is_over(job, kept) => None,
            Some(Outcome::Solved(solution)) => Some(Status::Solved { job, solution }),
            Some(Outcome::GaveUp) => Some(Status::GaveUp),
            Some(Outcome::Refused(refusal)) => Some(Status::Refused(refusal)),
        }
    }

    /// The answer of a job that was solved, whether or not it was asked for.
    pub(super) fn solved(&self, id: &JobId) -> Option<(&Job, &Solution)> {
        let job = self.jobs.get(id)?;
        match &job.outcome {
            Some(Outcome::Solved(solution)) => Some((job, solution)),
            _ => None,
        }
    }

    /// Notes that an answer is sent whole.
    pub(super) fn fetched(&mut self, id: &JobId) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        job.fetched += 1;
        if job.fetched > 1 {
            return;
        }
        self.books.answers_fetched += 1;
        self.answered.push_back(id.clone());
        if self.answered.len() > ANSWERED_JOBS_KEPT
            && let Some(oldest) = self.answered.pop_front()
        {
            self.jobs.remove(&oldest);
        }
    }

    /// Notes a report and gives back the solution it is about.
    pub(super) fn report(
        &mut self,
        dialect: Dialect,
        id: &str,
        verdict: Verdict,
        kept: Option<Duration>,
    ) -> Option<Solution> {
        let job = self.jobs.get_mut(&JobId::new(id).ok()?)?;
        if job.dialect != dialect || is_over(job, kept) {
            return None;
        }
        let Some(Outcome::Solved(solution)) = &job.outcome else {
            return None;
        };
        job.verdict = Some(verdict);
        match verdict {
            Verdict::Correct => self.books.reported_correct += 1,
            Verdict::Incorrect => self.books.reported_incorrect += 1,
        }
        Some((**solution).clone())
    }

    /// Every job that is remembered, in the order of their creation.
    pub(super) fn records(&self) -> Vec<JobRecord> {
        let mut jobs: Vec<_> = self.jobs.iter().collect();
        jobs.sort_by_key(|(_, job)| job.number);
        let record = |(id, job): (&JobId, &Job)| JobRecord {
            id: id.clone(),
            dialect: job.dialect,
            fate: match &job.outcome {
                None => JobFate::Running,
                Some(Outcome::Solved(_)) => JobFate::Solved,
                Some(_) => JobFate::GaveUp,
            },
            polls: job.polls,
            fetched: job.fetched,
            verdict: job.verdict,
        };
        jobs.into_iter().map(record).collect()
    }
}

fn is_over(job: &Job, kept: Option<Duration>) -> bool {
    kept.is_some_and(|kept| job.ended().elapsed() > kept)
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{Drag, Point};

    use super::*;

    fn price() -> Usd {
        Usd::from_micros(900)
    }

    fn ledger() -> Ledger {
        Ledger::new(Usd::from_micros(1_000), price())
    }

    fn open(ledger: &mut Ledger) -> JobId {
        ledger.open(Dialect::OmocaptchaV1, 1.0, Duration::ZERO, JobId::from)
    }

    fn solved() -> Outcome {
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(3.0, 4.0));
        Outcome::Solved(Box::new(Solution::new(drag, "test")))
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_paid_when_accepted_and_refunded_when_given_up() {
        let mut ledger = ledger();
        assert!(ledger.can_pay());
        let id = open(&mut ledger);
        assert!(!ledger.can_pay());
        let books = ledger.books;
        assert_eq!((books.jobs_paid, books.spent), (1, price()));
        ledger.settle(&id, Outcome::GaveUp, true);
        let books = ledger.books;
        assert_eq!(
            (books.jobs_created, books.jobs_paid, books.jobs_refunded),
            (1, 0, 1)
        );
        assert_eq!(
            (books.spent, books.balance),
            (Usd::ZERO, Usd::from_micros(1_000))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn without_refunds_giving_up_stays_paid() {
        let mut ledger = ledger();
        let id = open(&mut ledger);
        ledger.settle(&id, Outcome::GaveUp, false);
        let books = ledger.books;
        assert_eq!(
            (books.jobs_paid, books.jobs_given_up, books.jobs_refunded),
            (1, 1, 0)
        );
        assert_eq!(books.spent, price());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_once_and_old_ones_are_forgotten() {
        let mut ledger = Ledger::new(Usd::MAX, price());
        let first = open(&mut ledger);
        ledger.settle(&first, solved(), true);
        ledger.fetched(&first);
        ledger.fetched(&first);
        assert_eq!(ledger.books.answers_fetched, 1);
        assert_eq!(ledger.records()[0].fetched, 2);
        for _ in 0..ANSWERED_JOBS_KEPT {
            let id = open(&mut ledger);
            ledger.settle(&id, solved(), true);
            ledger.fetched(&id);
        }
        assert!(ledger.solved(&first).is_none());
        assert_eq!(ledger.records().len(), ANSWERED_JOBS_KEPT);
    }
}
