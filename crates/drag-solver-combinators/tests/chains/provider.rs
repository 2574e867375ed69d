//! A provider that does what the plan says, and keeps books.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver_core::{
    Charge, Drag, DragChallenge, DragSolver, ErrorKind, JobId, Point, Progress, Solution,
    SolveError, Verdict, WorstCase, async_trait,
};
use tokio::time::{Instant, sleep_until};

use crate::money::{Books, known_cost};
use crate::plan::{Act, End, ticks};

#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) acts: Vec<Act>,
    pub(crate) books: Arc<Books>,
    pub(crate) costs_known: bool,
    /// Whether it comes back at its deadline, whatever the plan says.
    pub(crate) punctual: bool,
    pub(crate) report_takes: Duration,
    pub(crate) calls: AtomicUsize,
    pub(crate) in_flight: Arc<AtomicUsize>,
    /// The jobs that were reported as correct.
    pub(crate) reports: Arc<Mutex<Vec<JobId>>>,
}

struct InFlight<'a>(&'a AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Which call of the test this is part of. The challenge says so.
pub(crate) fn call_of(challenge: &DragChallenge) -> usize {
    challenge.instruction().unwrap().parse().unwrap()
}

struct Late;

impl Provider {
    fn error(&self, kind: ErrorKind, charge: Charge) -> SolveError {
        SolveError::new(kind, "as planned")
            .with_provider(&*self.name)
            .with_charge(charge)
    }

    async fn wait(
        &self,
        challenge: &DragChallenge,
        at: Option<Instant>,
        end: End,
    ) -> Result<(), Late> {
        let overstays = end == End::Overstays && !self.punctual;
        match (at, challenge.deadline().filter(|_| !overstays)) {
            (Some(at), due) if due.is_none_or(|due| at <= due) => {
                sleep_until(at).await;
                Ok(())
            }
            (_, Some(due)) => {
                sleep_until(due).await;
                Err(Late)
            }
            (_, None) => pending().await,
        }
    }

    /// A job, or why there is none.
    async fn buy(
        &self,
        challenge: &DragChallenge,
        act: Act,
        begun: Instant,
    ) -> Result<JobId, SolveError> {
        let provider = &*self.name;
        challenge.notify(&Progress::Buying { provider });
        let request = self.books.buying(call_of(challenge));
        let at = begun + ticks(act.accepts_after);
        if let Err(Late) = self.wait(challenge, Some(at), act.end).await {
            return Err(self.error(ErrorKind::DeadlineExceeded, Charge::Unknown));
        }
        match act.end {
            End::Refused(kind, retry_after) => {
                self.books.refused(request, true);
                let error = self.error(kind, Charge::No);
                return Err(match retry_after {
                    Some(wait) => error.with_retry_after(ticks(wait)),
                    None => error,
                });
            }
            End::NotSent => {
                self.books.refused(request, false);
                challenge.notify(&Progress::NotBought { provider });
                return Err(self.error(ErrorKind::Unavailable, Charge::No));
            }
            End::Lost => return Err(self.error(ErrorKind::Unavailable, Charge::Unknown)),
            _ => {}
        }
        let job = self.books.accepted(request, provider);
        challenge.notify(&Progress::Bought {
            provider,
            job: &job,
        });
        Ok(job)
    }

    /// What a job comes to.
    async fn fetch(
        &self,
        challenge: &DragChallenge,
        job: JobId,
        act: Act,
        begun: Instant,
    ) -> Result<Solution, SolveError> {
        let never = matches!(act.end, End::Hangs | End::Overstays);
        let at = (!never).then(|| begun + ticks(act.accepts_after + act.takes));
        if let Err(Late) = self.wait(challenge, at, act.end).await {
            let late = self.error(ErrorKind::DeadlineExceeded, Charge::Unknown);
            return Err(late.with_job(job));
        }
        if act.end == End::LosesTheJob {
            let lost = self.error(ErrorKind::Unavailable, Charge::Unknown);
            return Err(lost.with_job(job));
        }
        let provider = &*self.name;
        challenge.notify(&Progress::Settled {
            provider,
            job: &job,
        });
        let start = Point::new(83.0, 560.0);
        let end = match act.end {
            End::Unsolvable => {
                self.books
                    .ended(provider, &job, drag_solver_core::Usd::ZERO);
                return Err(self.error(ErrorKind::Unsolvable, Charge::No));
            }
            End::Garbage => return Err(self.error(ErrorKind::InvalidAnswer, Charge::Yes)),
            End::OffThePicture => Point::new(9_000.0, 560.0),
            End::OtherAnswer => Point::new(500.0, 560.0),
            _ => Point::new(320.0, 560.0),
        };
        let solution = Solution::new(Drag::new(start, end), provider)
            .with_elapsed(begun.elapsed())
            .with_job(job.clone());
        if !self.costs_known {
            return Ok(solution);
        }
        self.books.ended(provider, &job, known_cost());
        Ok(solution.with_cost(known_cost()))
    }
}

#[async_trait]
impl DragSolver for Provider {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let _in_flight = InFlight(&self.in_flight);
        let begun = Instant::now();
        let provider = &*self.name;
        challenge.notify(&Progress::Started { provider });
        let resumed = challenge.paid_job(provider).cloned();
        if challenge.is_expired() {
            let late = |charge| self.error(ErrorKind::DeadlineExceeded, charge);
            return Err(match resumed {
                Some(job) => late(Charge::Unknown).with_job(job),
                None => late(Charge::No),
            });
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let act = self.acts[number % self.acts.len()];
        let job = match resumed {
            Some(job) => {
                challenge.notify(&Progress::Resumed {
                    provider,
                    job: &job,
                });
                job
            }
            None => self.buy(challenge, act, begun).await?,
        };
        self.fetch(challenge, job, act, begun).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        tokio::time::sleep(self.report_takes).await;
        if verdict == Verdict::Correct {
            self.reports.lock().unwrap().extend(solution.job().cloned());
        }
        Ok(())
    }

    fn worst_case(&self) -> WorstCase {
        WorstCase::one_attempt()
    }
}
