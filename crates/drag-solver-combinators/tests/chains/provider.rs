//! A provider that does what the plan says, and keeps books.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, ErrorKind, Event, JobId, PaidJob, Point, Profile,
    Solution, SolveError, Usd, Verdict, WorstCase, async_trait,
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
    /// Whether it comes back at its deadline, no matter what the plan says.
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
    fn error(&self, kind: ErrorKind, billed: Billed) -> SolveError {
        SolveError::new(kind, "as planned")
            .with_solver(&*self.name)
            .with_billed(billed)
    }

    async fn wait(
        &self,
        challenge: &DragChallenge,
        at: Option<Instant>,
        end: End,
    ) -> Result<(), Late> {
        let ignores_deadline = end == End::IgnoresDeadline && !self.punctual;
        match (at, challenge.deadline().filter(|_| !ignores_deadline)) {
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

    async fn settled(
        &self,
        challenge: &DragChallenge,
        job: Option<&JobId>,
        billed: Billed,
        cost: Option<Usd>,
    ) -> Result<(), SolveError> {
        let solver = &*self.name;
        let event = Event::Settled {
            solver,
            job,
            billed,
            cost,
        };
        challenge.notify(event).await
    }

    /// A job, or why there is none.
    async fn buy(
        &self,
        challenge: &DragChallenge,
        act: Act,
        begun: Instant,
    ) -> Result<JobId, SolveError> {
        let solver = &*self.name;
        challenge.notify(Event::Buying { solver }).await?;
        let request = self.books.buying(call_of(challenge));
        let at = begun + ticks(act.accepts_after);
        if let Err(Late) = self.wait(challenge, Some(at), act.end).await {
            self.settled(challenge, None, Billed::Maybe, None).await?;
            return Err(self.error(ErrorKind::DeadlineExceeded, Billed::Maybe));
        }
        match act.end {
            End::Refused(kind, retry_after) => {
                self.books.refused(request, true);
                challenge.notify(Event::NotBought { solver }).await?;
                let error = self.error(kind, Billed::No);
                return Err(error.with_retry_after(retry_after.map(ticks)));
            }
            End::NotSent => {
                self.books.refused(request, false);
                challenge.notify(Event::NotBought { solver }).await?;
                return Err(self.error(ErrorKind::Unavailable, Billed::No));
            }
            End::Lost => {
                self.settled(challenge, None, Billed::Maybe, None).await?;
                return Err(self.error(ErrorKind::Unavailable, Billed::Maybe));
            }
            _ => {}
        }
        let job = self.books.accepted(request, solver);
        challenge
            .notify(Event::Bought { solver, job: &job })
            .await?;
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
        let solver = &*self.name;
        let never = matches!(act.end, End::Hangs | End::IgnoresDeadline);
        let at = (!never).then(|| begun + ticks(act.accepts_after + act.takes));
        let unfinished = || [PaidJob::new(solver, job.clone())];
        if let Err(Late) = self.wait(challenge, at, act.end).await {
            let late = self.error(ErrorKind::DeadlineExceeded, Billed::No);
            return Err(late.with_unfinished_jobs(unfinished()));
        }
        if act.end == End::LosesTheJob {
            let lost = self.error(ErrorKind::Unavailable, Billed::No);
            return Err(lost.with_unfinished_jobs(unfinished()));
        }
        let start = Point::new(83.0, 560.0);
        let end = match act.end {
            End::Unsolvable => {
                self.books.ended(solver, &job, Usd::ZERO);
                self.settled(challenge, Some(&job), Billed::No, None)
                    .await?;
                return Err(self.error(ErrorKind::Unsolvable, Billed::No));
            }
            End::Garbage => {
                self.settled(challenge, Some(&job), Billed::Yes, None)
                    .await?;
                return Err(self.error(ErrorKind::InvalidAnswer, Billed::Yes));
            }
            End::OffThePicture => Point::new(9_000.0, 560.0),
            End::OtherAnswer => Point::new(500.0, 560.0),
            _ => Point::new(320.0, 560.0),
        };
        let cost = self.costs_known.then(known_cost);
        if let Some(cost) = cost {
            self.books.ended(solver, &job, cost);
        }
        self.settled(challenge, Some(&job), Billed::Yes, cost)
            .await?;
        let solution = Solution::new(Drag::new(start, end), solver)
            .with_elapsed(begun.elapsed())
            .with_job(job);
        Ok(match cost {
            Some(cost) => solution.with_cost(cost),
            None => solution,
        })
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
        let solver = &*self.name;
        challenge.notify(Event::Started { solver }).await?;
        if challenge.is_expired() {
            return Err(challenge.refuse(solver, ErrorKind::DeadlineExceeded, "as planned"));
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let act = self.acts[number % self.acts.len()];
        let mut own = challenge.paid_jobs_of(solver).cloned();
        let job = match own.next() {
            Some(job) => {
                challenge
                    .notify(Event::Resumed { solver, job: &job })
                    .await?;
                job
            }
            None => self.buy(challenge, act, begun).await?,
        };
        let others = own.map(|job| PaidJob::new(solver, job));
        let outcome = self.fetch(challenge, job, act, begun).await;
        outcome.map_err(|error| error.with_unfinished_jobs(others))
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        tokio::time::sleep(self.report_takes).await;
        if verdict == Verdict::Correct {
            self.reports.lock().unwrap().extend(solution.job().cloned());
        }
        Ok(())
    }

    fn profile(&self) -> Profile {
        Profile::new(WorstCase::one_purchase())
    }
}
