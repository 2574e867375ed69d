//! Two providers, as unreliable as real ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::{Event, JobId};
use tokio::time::{Instant, sleep_until};

use super::random::Random;

/// When the day began, and what all chance follows from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(super) seed: u64,
    pub(super) begun: Instant,
}

impl World {
    pub(super) fn begin(seed: u64) -> Self {
        Self {
            seed,
            begun: Instant::now(),
        }
    }
}

/// The answer to every challenge.
pub(super) fn right_answer() -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0))
}

/// An answer that is off the picture.
fn wrong_answer() -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(9_000.0, 560.0))
}

/// Create is refused for a minute in every half hour.
const OUTAGE: Duration = Duration::from_secs(60);
const BETWEEN_OUTAGES: Duration = Duration::from_secs(1_800);

/// What is known of a provider.
#[derive(Debug)]
struct Habits {
    name: &'static str,
    /// Seconds until it answers: median, and sigma of the logarithm.
    latency: (f64, f64),
    /// The part of all jobs that is never answered, answered wrongly, and given up.
    never: f64,
    wrong: f64,
    gives_up: f64,
    /// When its first outage begins.
    first_outage: Duration,
    price: Usd,
    /// How often it may be asked whether a job is done.
    poll_every: Duration,
}

/// One of the two providers. Clones are the same provider.
#[derive(Clone, Debug)]
pub(crate) struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    habits: Habits,
    world: World,
    jobs: Mutex<Jobs>,
}

#[derive(Debug, Default)]
struct Jobs {
    all: Vec<Job>,
    /// How many of them each challenge has.
    of_challenge: HashMap<u64, u64>,
    billed: Usd,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    done_at: Instant,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Right,
    Wrong,
    GivesUp,
    Never,
}

impl Provider {
    /// A recogniser: quick, cheap, and stalls now and then.
    pub(super) fn a(world: &World) -> Self {
        Self::new(
            world,
            Habits {
                name: "a",
                latency: (3.0, 0.5),
                never: 0.03,
                wrong: 0.02,
                gives_up: 0.02,
                first_outage: Duration::ZERO,
                price: Usd::from_micros(900),
                poll_every: Duration::from_secs(2),
            },
        )
    }

    /// Workers: slower, more expensive, steadier.
    pub(super) fn b(world: &World) -> Self {
        Self::new(
            world,
            Habits {
                name: "b",
                latency: (9.0, 0.4),
                never: 0.01,
                wrong: 0.01,
                gives_up: 0.02,
                first_outage: BETWEEN_OUTAGES / 2,
                price: Usd::from_micros(1_200),
                poll_every: Duration::from_secs(5),
            },
        )
    }

    fn new(world: &World, habits: Habits) -> Self {
        Self(Arc::new(Inner {
            habits,
            world: *world,
            jobs: Mutex::default(),
        }))
    }

    /// What one answer costs.
    pub(super) fn price(&self) -> Usd {
        self.0.habits.price
    }

    /// What all its answers cost so far, whether anybody waited for them or not.
    pub(super) fn billed(&self) -> Usd {
        self.jobs().billed
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_out(&self) -> bool {
        let habits = &self.0.habits;
        let day = self.0.world.begun.elapsed();
        day.checked_sub(habits.first_outage)
            .is_some_and(|since| since.as_nanos() % BETWEEN_OUTAGES.as_nanos() < OUTAGE.as_nanos())
    }

    /// Accepts a job. Its fate is sealed here, and so is its bill: an answer is billed when it is
    /// given, right or wrong.
    fn accept(&self, challenge: u64) -> JobId {
        let habits = &self.0.habits;
        let mut jobs = self.jobs();
        let earlier = jobs.of_challenge.entry(challenge).or_default();
        let name = u64::from(habits.name.as_bytes()[0]);
        let mut random = Random::new(&[self.0.world.seed, name, challenge, *earlier]);
        *earlier += 1;
        let (median, sigma) = habits.latency;
        let latency = Duration::from_secs_f64(random.log_normal(median, sigma));
        let chance = random.fraction();
        let end = if chance < habits.never {
            End::Never
        } else if chance < habits.never + habits.wrong {
            End::Wrong
        } else if chance < habits.never + habits.wrong + habits.gives_up {
            End::GivesUp
        } else {
            End::Right
        };
        if matches!(end, End::Right | End::Wrong) {
            jobs.billed = jobs.billed + habits.price;
        }
        jobs.all.push(Job {
            done_at: Instant::now() + latency,
            end,
        });
        JobId::from(jobs.all.len() as u64)
    }

    fn job(&self, id: &JobId) -> Option<Job> {
        let number: usize = id.as_str().parse().ok()?;
        self.jobs().all.get(number.checked_sub(1)?).copied()
    }

    /// Buys a job, or continues with one that was bought, and says when it may first be polled.
    async fn begin(&self, challenge: &DragChallenge) -> Result<(JobId, Instant), SolveError> {
        let Habits {
            name: solver,
            poll_every,
            ..
        } = self.0.habits;
        if let Some(job) = challenge.paid_jobs_of(solver).next() {
            challenge.notify(Event::Resumed { solver, job }).await?;
            return Ok((job.clone(), Instant::now()));
        }
        let first_poll = Instant::now() + poll_every;
        if challenge.deadline().is_some_and(|due| due < first_poll) {
            let why = "not bought: no time for a poll";
            return Err(challenge.refuse(solver, ErrorKind::DeadlineExceeded, why));
        }
        challenge.notify(Event::Buying { solver }).await?;
        if self.is_out() {
            challenge.notify(Event::NotBought { solver }).await?;
            return Err(self.error(ErrorKind::Unavailable, "HTTP 503"));
        }
        let number = challenge.instruction().and_then(|text| text.parse().ok());
        let job = self.accept(number.unwrap_or(u64::MAX));
        let bought = Event::Bought { solver, job: &job };
        challenge.notify(bought).await?;
        Ok((job, first_poll))
    }

    fn error(&self, kind: ErrorKind, message: &str) -> SolveError {
        SolveError::new(kind, message).with_solver(self.0.habits.name)
    }
}

#[async_trait]
impl DragSolver for Provider {
    fn name(&self) -> &str {
        self.0.habits.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let solver = self.name();
        challenge.notify(Event::Started { solver }).await?;
        let (id, mut poll_at) = self.begin(challenge).await?;
        let Some(job) = self.job(&id) else {
            return Err(self.error(ErrorKind::Protocol, "there is no such job"));
        };
        loop {
            if let Some(due) = challenge.deadline().filter(|&due| due < poll_at) {
                sleep_until(due).await;
                return Err(self
                    .error(ErrorKind::DeadlineExceeded, "no answer yet")
                    .with_unfinished_jobs([PaidJob::new(solver, id)]));
            }
            sleep_until(poll_at).await;
            if job.end != End::Never && job.done_at <= Instant::now() {
                break;
            }
            poll_at += self.0.habits.poll_every;
        }
        let drag = match job.end {
            End::GivesUp | End::Never => None,
            End::Wrong => Some(wrong_answer()),
            End::Right => Some(right_answer()),
        };
        let settled = Event::Settled {
            solver,
            job: Some(&id),
            billed: if drag.is_some() {
                Billed::Yes
            } else {
                Billed::No
            },
            cost: drag.map(|_| self.price()),
        };
        challenge.notify(settled).await?;
        match drag {
            Some(drag) => Ok(Solution::new(drag, solver)
                .with_job(id)
                .with_cost(self.price())),
            None => Err(self.error(ErrorKind::Unsolvable, "gave up")),
        }
    }
}
