//! Runs a plan on a paused clock and says what was wrong.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use drag_solver_combinators::{RateLimit, RateLimiter};
use drag_solver_core::{
    Billed, DragChallenge, DragSolver, PaidJob, Solution, SolveError, Usd, Verdict,
};
use drag_solver_mock::{MockSolver, fixtures};
use proptest::test_runner::TestCaseError;
use tokio::time::{Duration, Instant, timeout};

use crate::build::{World, build};
use crate::plan::{Call, Caller, Cut, Plan, ticks};

/// Longer than anything takes that has a deadline.
const FOREVER: u64 = 1_000;

type Outcome = Result<Solution, SolveError>;

pub(crate) fn check(plan: &Plan) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let wrongs = runtime.block_on(run(plan));
    if wrongs.is_empty() {
        Ok(())
    } else {
        Err(TestCaseError::fail(wrongs.join("; ")))
    }
}

async fn run(plan: &Plan) -> Vec<String> {
    let world = Arc::new(build(plan));
    let mut tasks = tokio::task::JoinSet::new();
    let mut first_call = 0;
    for caller in &plan.callers {
        let driver = Driver {
            world: Arc::clone(&world),
            limit: plan.deadline,
        };
        let (caller, first) = (caller.clone(), first_call);
        first_call += caller.calls.len();
        tasks.spawn(async move { driver.calls(&caller, first).await });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(panic) = ended {
            world.wrongs.add(format!("a call came to no end: {panic}"));
        }
    }
    for limiter in &world.limiters {
        if !still_works(limiter).await {
            world
                .wrongs
                .add(format!("no call gets a turn any more: {limiter:?}"));
        }
    }
    let mut wrongs = world.wrongs.all();
    wrongs.extend(world.endings.iter().filter_map(|ending| ending()));
    wrongs
}

/// Whether a limit lets calls through after a quiet time, and hands on the turn of one that waits.
async fn still_works(limiter: &RateLimiter) -> bool {
    tokio::time::sleep(ticks(FOREVER)).await;
    let solver = MockSolver::new("last").always(fixtures::drag());
    let solver = RateLimit::new(solver, limiter);
    let policy = limiter.policy();
    let waits = u32::from(policy.max_wait.is_none_or(|wait| wait >= policy.period));
    for _ in 0..policy.burst.get() + waits {
        if solver.solve(&fixtures::challenge()).await.is_err() {
            return false;
        }
    }
    true
}

struct Driver {
    world: Arc<World>,
    /// The deadline around the chain.
    limit: Option<u64>,
}

impl Driver {
    async fn calls(&self, caller: &Caller, first: usize) {
        tokio::time::sleep(ticks(caller.starts)).await;
        let mut unfinished: Vec<PaidJob> = Vec::new();
        for (number, call) in caller.calls.iter().enumerate() {
            let jobs = if call.resumes { unfinished } else { Vec::new() };
            unfinished = self.call(call, first + number, jobs).await;
        }
    }

    /// Makes a call, and returns the jobs that it left unfinished.
    async fn call(&self, call: &Call, number: usize, jobs: Vec<PaidJob>) -> Vec<PaidJob> {
        let challenge = fixtures::challenge().with_instruction(number.to_string());
        let mut challenge = jobs.into_iter().fold(challenge, DragChallenge::resume_job);
        if let Some(deadline) = call.deadline {
            challenge = challenge.within(ticks(deadline));
        }
        let due = call.deadline.or(self.limit);
        let patience = ticks(due.unwrap_or(FOREVER)) + Duration::from_millis(1);
        let begun = Instant::now();
        let solving = self.world.chain.solve(&challenge);
        match timeout(patience, unless_dropped(solving, call.cut)).await {
            Ok(Some(outcome)) => self.ended(&outcome, call, number, begun.elapsed()).await,
            Ok(None) => Vec::new(),
            Err(_) => {
                if due.is_some() {
                    self.wrong(number, "does not come back at its deadline");
                }
                Vec::new()
            }
        }
    }

    async fn ended(
        &self,
        outcome: &Outcome,
        call: &Call,
        number: usize,
        took: Duration,
    ) -> Vec<PaidJob> {
        let World { books, chain, .. } = &*self.world;
        let worst = chain.profile().worst_case;
        let bought = books.bought(number);
        if worst.purchases.is_some_and(|most| bought > most) {
            self.wrong(number, format!("buys {bought} answers: {worst}"));
        }
        let cost = books.of_call(number);
        if worst.cost.is_some_and(|most| cost > most) {
            self.wrong(number, format!("costs ${cost}: {worst}"));
        }
        // The worst case holds for challenges without a later deadline than the chain's.
        let own_is_later = call
            .deadline
            .zip(self.limit)
            .is_some_and(|(own, limit)| own > limit);
        if !own_is_later && worst.time.is_some_and(|most| took > most) {
            self.wrong(number, format!("takes {took:?}: {worst}"));
        }
        match outcome {
            Ok(solution) => {
                self.report(solution, number).await;
                Vec::new()
            }
            Err(error) => {
                if error.billed() == Billed::No && cost != Usd::ZERO {
                    self.wrong(
                        number,
                        format!("costs ${cost}, and the error says no: {error:?}"),
                    );
                }
                error.unfinished_jobs()
            }
        }
    }

    /// A report finds its way to the provider that gave the answer.
    async fn report(&self, solution: &Solution, number: usize) {
        let reported = self.world.chain.report(solution, Verdict::Correct).await;
        // A quorum's answer is that of several, and has no job of its own.
        let once = solution.job().is_none_or(|job| {
            let heard = &self.world.reports[solution.solver()];
            heard
                .lock()
                .unwrap()
                .iter()
                .filter(|&heard| heard == job)
                .count()
                == 1
        });
        if reported.is_err() || !once {
            self.wrong(number, format!("is not reported: {reported:?}"));
        }
    }

    fn wrong(&self, number: usize, what: impl AsRef<str>) {
        let what = what.as_ref();
        self.world.wrongs.add(format!("call {number} {what}"));
    }
}

/// The outcome of `solving`, unless it is dropped before.
async fn unless_dropped(solving: impl Future<Output = Outcome>, cut: Cut) -> Option<Outcome> {
    match cut {
        Cut::Never => Some(solving.await),
        Cut::At(at) => timeout(ticks(at), solving).await.ok(),
        Cut::AfterPolls(mut left) => {
            let mut solving = pin!(solving);
            poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                solving.as_mut().poll(context).map(Some)
            })
            .await
        }
    }
}
