//! The jobs, and what the account was billed for them. No I/O and no waiting.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use drag_solver_core::{JobId, Solution, Usd, Verdict};
use drag_solver_wire::{Answer, Refusal, Shape};
use tokio::time::Instant;

use crate::rules::ProviderRules;
use crate::{JobRecord, JobStatus, Protocol, Stats};

/// Answered jobs that can be asked about again, at most. Older ones are forgotten, so that a long
/// test does not grow.
const ANSWERED_JOBS_KEPT: usize = 10_000;

/// Jobs that are remembered in all, at most.
const JOBS_KEPT: usize = 100_000;

/// When the emulator's own clock starts, in seconds since 1970: the moment of the documentation's
/// sample. The real time of day would make answers differ from run to run.
pub(crate) const EPOCH: u64 = 1_692_863_536;

#[derive(Debug)]
struct Job {
    record: JobRecord,
    number: u64,
    created: Instant,
    /// When its result can be fetched, or could be first.
    ready: Instant,
    picture: Picture,
    outcome: Option<Result<Solution, Refusal>>,
}

/// What the workers get to see, and what is asked of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picture {
    /// Its size as it was submitted, in pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// What pixels of the submitted picture are multiplied by.
    pub(crate) scale: f64,
    pub(crate) shape: Shape,
}

/// The jobs and the account.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) stats: Stats,
    /// What a job costs.
    pub(crate) price: Usd,
    /// How many polls of each job are answered "not yet".
    pub(crate) running_polls: u32,
    opened: Instant,
    jobs: HashMap<JobId, Job>,
    answered: VecDeque<JobId>,
}

impl Ledger {
    pub(crate) fn new(balance: Usd, price: Usd) -> Self {
        Self {
            stats: Stats {
                balance,
                ..Stats::default()
            },
            price,
            running_polls: 0,
            opened: Instant::now(),
            jobs: HashMap::new(),
            answered: VecDeque::new(),
        }
    }

    pub(crate) fn can_pay(&self) -> Result<(), Refusal> {
        let is_enough = self.stats.balance >= self.price;
        is_enough.then_some(()).ok_or(Refusal::NoMoney)
    }

    /// Accepts a job and takes the money for it. `name` makes its id out of its number.
    pub(crate) fn open(
        &mut self,
        protocol: Protocol,
        picture: Picture,
        delay: Duration,
        name: impl FnOnce(u64) -> JobId,
    ) -> Result<JobId, Refusal> {
        self.can_pay()?;
        self.make_room()?;
        let number = self.stats.jobs_created;
        let id = name(number);
        let job = Job {
            record: JobRecord {
                id: id.clone(),
                protocol,
                status: JobStatus::Running,
                polls: 0,
                fetched: 0,
                verdict: None,
                ready: None,
            },
            number,
            created: Instant::now(),
            ready: after(delay),
            picture,
            outcome: None,
        };
        self.jobs.insert(id.clone(), job);
        let stats = &mut self.stats;
        stats.jobs_created += 1;
        stats.jobs_paid += 1;
        stats.jobs_running += 1;
        stats.spent = stats.spent + self.price;
        stats.balance = stats.balance - self.price;
        Ok(id)
    }

    /// Forgets the oldest job that is settled, if there are too many.
    fn make_room(&mut self) -> Result<(), Refusal> {
        if self.jobs.len() < JOBS_KEPT {
            return Ok(());
        }
        let settled = self.jobs.iter().filter(|(_, job)| job.outcome.is_some());
        let oldest = settled.min_by_key(|(_, job)| job.number);
        let oldest = oldest.map(|(id, _)| id.clone()).ok_or(Refusal::NoWorker)?;
        self.jobs.remove(&oldest);
        Ok(())
    }

    /// Notes what came of a job, and gives the money back where the provider does so.
    pub(crate) fn settle(&mut self, id: &JobId, outcome: Result<Solution, Refusal>) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        let stats = &mut self.stats;
        stats.jobs_running -= 1;
        if outcome.is_ok() {
            job.record.status = JobStatus::Solved;
            stats.jobs_solved += 1;
        } else {
            job.record.status = JobStatus::GaveUp;
            if ProviderRules::of(job.record.protocol).refunds {
                stats.jobs_paid -= 1;
                stats.jobs_refunded += 1;
                stats.spent = stats.spent - self.price;
                stats.balance = stats.balance + self.price;
            }
        }
        job.outcome = Some(outcome);
        job.ready = job.ready.max(Instant::now());
        job.record.ready = Some(job.ready);
    }

    /// When what came of a job can be fetched; `None` while it is being worked on.
    pub(crate) fn ready(&self, id: &JobId) -> Result<Option<Instant>, Refusal> {
        let job = self.jobs.get(id).ok_or(Refusal::NoSuchJob)?;
        Ok(job.record.ready)
    }

    /// The answer to a job, which is noted as fetched if the client `is_told`; `None` for "not yet".
    pub(crate) fn poll(
        &mut self,
        protocol: Protocol,
        id: &str,
        is_told: bool,
    ) -> Result<Option<Answer>, Refusal> {
        let running_polls = self.running_polls;
        let (id, job) = self.find(protocol, id)?;
        job.record.polls += 1;
        if job.record.polls <= running_polls || Instant::now() < job.ready {
            return Ok(None);
        }
        self.fetch(&id, is_told)
    }

    /// What came of a job, whether or not it is time to tell; an answer is noted as fetched if the client `is_told`.
    pub(crate) fn fetch(&mut self, id: &JobId, is_told: bool) -> Result<Option<Answer>, Refusal> {
        let answer = self.answer(id).transpose()?;
        if is_told && answer.is_some() {
            self.fetched(id);
        }
        Ok(answer)
    }

    /// What came of a job, whether or not it is time to tell; `None` if it is being worked on.
    pub(crate) fn answer(&self, id: &JobId) -> Option<Result<Answer, Refusal>> {
        let job = self.jobs.get(id)?;
        let solution = match job.outcome.as_ref()? {
            Ok(solution) => solution,
            Err(refusal) => return Some(Err(refusal.clone())),
        };
        let mut drag = *solution.drag();
        let ends = [&mut drag.start, &mut drag.end];
        for point in ends.into_iter().chain(drag.alternative_end.as_mut()) {
            point.x *= job.picture.scale;
            point.y *= job.picture.scale;
        }
        let time = |instant: Instant| EPOCH + instant.duration_since(self.opened).as_secs();
        Some(Ok(Answer {
            drag,
            width: job.picture.width,
            height: job.picture.height,
            shape: job.picture.shape,
            cost: self.price,
            created: time(job.created),
            ended: time(job.ready),
        }))
    }

    /// Notes that an answer is sent whole.
    fn fetched(&mut self, id: &JobId) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        job.record.fetched += 1;
        if job.record.fetched > 1 {
            return;
        }
        self.stats.answers_fetched += 1;
        self.answered.push_back(id.clone());
        if self.answered.len() > ANSWERED_JOBS_KEPT
            && let Some(oldest) = self.answered.pop_front()
        {
            self.jobs.remove(&oldest);
        }
    }

    /// Notes a report and gives back the solution it is about.
    pub(crate) fn report(
        &mut self,
        protocol: Protocol,
        id: &str,
        verdict: Verdict,
    ) -> Result<Solution, Refusal> {
        let (_, job) = self.find(protocol, id)?;
        let Some(Ok(solution)) = &job.outcome else {
            return Err(Refusal::NoSuchJob);
        };
        let solution = solution.clone();
        job.record.verdict = Some(verdict);
        match verdict {
            Verdict::Correct => self.stats.reported_correct += 1,
            Verdict::Incorrect => self.stats.reported_incorrect += 1,
        }
        Ok(solution)
    }

    /// The job that a client asks about: one of its own protocol, whose result is still there.
    fn find(&mut self, protocol: Protocol, id: &str) -> Result<(JobId, &mut Job), Refusal> {
        let id = JobId::new(id).map_err(|_| Refusal::NoSuchJob)?;
        let job = self.jobs.get_mut(&id).ok_or(Refusal::NoSuchJob)?;
        let ttl = ProviderRules::of(protocol).result_ttl;
        let is_gone = job.outcome.is_some() && ttl.is_some_and(|ttl| job.ready.elapsed() > ttl);
        if is_gone || job.record.protocol != protocol {
            return Err(Refusal::NoSuchJob);
        }
        Ok((id, job))
    }

    /// Every job that is remembered, in the order of their creation.
    pub(crate) fn records(&self) -> Vec<JobRecord> {
        let mut jobs: Vec<_> = self.jobs.values().collect();
        jobs.sort_by_key(|job| job.number);
        jobs.iter().map(|job| job.record.clone()).collect()
    }
}

/// So long from now. What is too far for the clock is decades away.
pub(crate) fn after(delay: Duration) -> Instant {
    let now = Instant::now();
    let far = || now + Duration::from_secs(u32::MAX.into());
    now.checked_add(delay).unwrap_or_else(far)
}

#[cfg(test)]
mod tests {
    use drag_solver_mock::fixtures;

    use super::*;

    const PICTURE: Picture = Picture {
        width: 591,
        height: 1_280,
        scale: 1.0,
        shape: Shape::Drag,
    };

    fn price() -> Usd {
        Usd::from_micros(900)
    }

    fn ledger(balance: Usd) -> Ledger {
        Ledger::new(balance, price())
    }

    fn open(ledger: &mut Ledger, protocol: Protocol) -> JobId {
        let id = ledger.open(protocol, PICTURE, Duration::ZERO, JobId::from);
        id.unwrap()
    }

    fn solved() -> Solution {
        Solution::new(fixtures::drag(), "test")
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_paid_when_accepted_and_refunded_when_given_up() {
        let mut ledger = ledger(Usd::from_micros(1_000));
        let id = open(&mut ledger, Protocol::TwoCaptcha);
        assert_eq!(ledger.can_pay(), Err(Refusal::NoMoney));
        let stats = ledger.stats;
        assert_eq!((stats.jobs_paid, stats.spent), (1, price()));
        ledger.settle(&id, Err(Refusal::Unsolvable));
        let stats = ledger.stats;
        assert_eq!(
            (stats.jobs_created, stats.jobs_paid, stats.jobs_refunded),
            (1, 0, 1)
        );
        assert_eq!(
            (stats.spent, stats.balance),
            (Usd::ZERO, Usd::from_micros(1_000))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn without_refunds_giving_up_stays_paid() {
        let mut ledger = ledger(Usd::MAX);
        let id = open(&mut ledger, Protocol::AntiCaptcha);
        ledger.settle(&id, Err(Refusal::Unsolvable));
        let stats = ledger.stats;
        assert_eq!(
            (stats.jobs_paid, stats.jobs_running, stats.jobs_refunded),
            (1, 0, 0)
        );
        assert_eq!(stats.spent, price());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_once_and_old_ones_are_forgotten() {
        let mut ledger = ledger(Usd::MAX);
        let first = open(&mut ledger, Protocol::OmocaptchaV1);
        ledger.settle(&first, Ok(solved()));
        ledger.fetched(&first);
        ledger.fetched(&first);
        assert_eq!(ledger.stats.answers_fetched, 1);
        assert_eq!(ledger.records()[0].fetched, 2);
        for _ in 0..ANSWERED_JOBS_KEPT {
            let id = open(&mut ledger, Protocol::OmocaptchaV1);
            ledger.settle(&id, Ok(solved()));
            ledger.fetched(&id);
        }
        assert!(ledger.answer(&first).is_none());
        assert_eq!(ledger.records().len(), ANSWERED_JOBS_KEPT);
    }

    #[tokio::test(start_paused = true)]
    async fn jobs_that_no_client_fetches_are_forgotten_and_running_ones_are_not() {
        let mut ledger = Ledger::new(Usd::MAX, Usd::ZERO);
        let [running, unfetched] = [0; 2].map(|_| open(&mut ledger, Protocol::OmocaptchaV1));
        ledger.settle(&unfetched, Ok(solved()));
        while ledger.jobs.len() < JOBS_KEPT {
            open(&mut ledger, Protocol::OmocaptchaV1);
        }
        open(&mut ledger, Protocol::OmocaptchaV1);
        assert!(ledger.jobs.contains_key(&running) && !ledger.jobs.contains_key(&unfetched));
        let refused = ledger.open(Protocol::OmocaptchaV1, PICTURE, Duration::ZERO, JobId::from);
        assert_eq!(refused, Err(Refusal::NoWorker));
    }
}
