//! Many challenges through a whole chain, against providers that have every fault there is, and an
//! account of every single one.

mod account;
mod books;
mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use drag_solver::http::PollInterval;
use drag_solver::prelude::*;
use drag_solver::testing::emulator::{Echo, Emulator, ErrorBody, Fault, Operation, Protocol};
use drag_solver::testing::fixtures;
use drag_solver::{CircuitBreakerPolicy, ConcurrencyLimitPolicy, Ratio};
use tokio::task::JoinSet;

pub(crate) use self::account::Account;
pub(crate) use self::books::{Provider, Report};
pub(crate) use self::process::Process;

/// The account's token at both providers.
const TOKEN: &str = "q9Zv7+/k3y8s";

/// What is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many challenges.
    pub(crate) challenges: u64,
    /// How many of them at the same time.
    pub(crate) concurrency: u64,
    /// How many of a thousand requests meet a fault.
    pub(crate) faults_per_mille: u16,
    /// How long both providers are gone, once in the middle and once at the end.
    pub(crate) outage: Duration,
    /// How long each challenge is worth an answer.
    pub(crate) deadline: Duration,
    /// How long one request may take.
    pub(crate) request_timeout: Duration,
    /// What faults, workers and waits are drawn from.
    pub(crate) seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            challenges: 100_000,
            concurrency: 500,
            faults_per_mille: 30,
            outage: Duration::from_secs(5),
            deadline: Duration::from_secs(40),
            request_timeout: Duration::from_secs(1),
            seed: 1,
        }
    }
}

/// Runs it, and says what became of every challenge and every job.
pub(crate) async fn run(plan: Plan) -> Result<Report, Box<dyn std::error::Error>> {
    let before = Process::now();
    let omocaptcha = provider(&plan, "omocaptcha", 900, 1).await?;
    let twocaptcha = provider(&plan, "twocaptcha", 1_200, 2).await?;
    let account = Arc::new(Account::default());
    let mut samples = Vec::new();
    let mut killed = Vec::new();

    {
        let chain = chain(&plan, &omocaptcha, &twocaptcha)?;
        let next = Arc::new(AtomicU64::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..plan.concurrency {
            workers.spawn(work(
                plan,
                Arc::clone(&chain),
                Arc::clone(&account),
                Arc::clone(&next),
            ));
        }
        let quarter = plan.challenges / 4;
        account.until(|now| now.ended >= quarter).await;
        samples.push(Process::now());
        // A kill that meets no paid job would show nothing.
        let some = (plan.concurrency / 8).max(1);
        for (mark, is_sampled) in [
            (2 * quarter, true),
            (plan.challenges.saturating_sub(2 * plan.concurrency), false),
        ] {
            let all = plan.challenges;
            let met = account
                .until(|now| now.ended >= mark && (now.unfinished >= some || now.ended == all))
                .await;
            killed.push(met.unfinished);
            if is_sampled {
                samples.push(Process::now());
            }
            kill([&omocaptcha, &twocaptcha], plan.outage).await?;
        }
        while let Some(worker) = workers.join_next().await {
            worker??;
        }
        samples.push(Process::now());
    }
    // What no call waits for any more is still worked on, and billed or refunded.
    let mut providers = Vec::new();
    for provider in [omocaptcha, twocaptcha] {
        while provider.emulator.stats().jobs_running > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        providers.push(provider.close().await);
    }
    let after = Process::settled(&before).await;
    let account = Arc::into_inner(account).ok_or("somebody is still at work")?;
    Ok(Report {
        plan,
        totals: account.close(),
        providers,
        killed,
        before,
        samples,
        after,
    })
}

/// Solves challenges until all are taken.
async fn work(
    plan: Plan,
    chain: Arc<dyn DragSolver>,
    account: Arc<Account>,
    next: Arc<AtomicU64>,
) -> Result<(), SolveError> {
    while next.fetch_add(1, Ordering::Relaxed) < plan.challenges {
        let entry = account.open();
        let challenge = fixtures::challenge_sized(591, 999)
            .within(plan.deadline)
            .with_observer(Arc::clone(&entry) as _);
        let outcome = chain.solve(&challenge).await;
        account.enter(&entry, &outcome, challenge.remaining());
        if outcome.is_err() {
            // A caller that was refused by all does not come back at once.
            tokio::time::sleep(plan.outage / 4).await;
        }
    }
    Ok(())
}

/// Both providers are gone for a while, and come back with their jobs.
async fn kill(providers: [&Provider; 2], outage: Duration) -> std::io::Result<()> {
    for provider in providers {
        provider.emulator.suspend().await?;
    }
    tokio::time::sleep(outage).await;
    for provider in providers {
        provider.emulator.resume().await?;
    }
    Ok(())
}

async fn provider(
    plan: &Plan,
    name: &'static str,
    micros: i64,
    number: u64,
) -> Result<Provider, Box<dyn std::error::Error>> {
    let price = Usd::from_micros(micros);
    let emulator = Emulator::builder()
        .solver(Workers::new(plan.seed + number))
        .token(TOKEN)
        .price(price)
        .balance("1000000".parse()?)
        .seed(plan.seed + number)
        .remembered_requests(0)
        .random_faults(plan.seed + number, plan.faults_per_mille, faults())
        .start()
        .await?;
    Provider::open(name, price, emulator)
}

/// Every fault, but for two kinds.
///
/// On polling none with which the provider says that a job is not to be asked about again, or not
/// before the challenge is over: it is believed, and so they would end jobs that the account could not
/// tell from lost ones. On connecting no refusal: it cuts all connections, and with hundreds of them
/// one of those that come instead would be refused again, without an end.
fn faults() -> Vec<(Operation, Fault)> {
    let ends_a_job = |fault: &Fault| match fault {
        Fault::Status {
            code: 401..=404 | 409 | 429,
            body: ErrorBody::Json,
            ..
        }
        | Fault::Echo(
            Echo::Plain | Echo::JsonEscaped | Echo::Percent | Echo::Base64 | Echo::EveryMember,
        ) => true,
        Fault::Status {
            retry_after: Some(value),
            ..
        } => value != "soon" && !value.contains("2015"),
        _ => false,
    };
    let mut faults = Vec::new();
    for step in [Operation::Connect, Operation::Create, Operation::Poll] {
        let is_left_out = |fault: &Fault| match step {
            Operation::Poll => ends_a_job(fault),
            Operation::Connect => matches!(fault, Fault::Refuse(_)),
            _ => false,
        };
        let fit = Fault::all()
            .into_iter()
            .filter(|fault| fault.applies_to(step) && !is_left_out(fault));
        faults.extend(fit.map(|fault| (step, fault)));
    }
    faults
}

/// All there is, in the order that works.
fn chain(
    plan: &Plan,
    omocaptcha: &Provider,
    twocaptcha: &Provider,
) -> Result<Arc<dyn DragSolver>, Box<dyn std::error::Error>> {
    let pace = PollInterval::new(Duration::from_millis(10), Duration::from_millis(20));
    let first = Omocaptcha::builder()
        .token(TOKEN)
        .base_url(omocaptcha.emulator.url(Protocol::OmocaptchaV1))
        .poll(pace)
        .request_timeout(plan.request_timeout)
        .job_timeout(Duration::MAX)
        .build()?;
    let second = TwoCaptcha::builder()
        .token(TOKEN)
        .base_url(twocaptcha.emulator.url(Protocol::TwoCaptcha))
        .poll(pace)
        .request_timeout(plan.request_timeout)
        .job_timeout(Duration::MAX)
        .build()?;
    let first = guarded(first, plan, omocaptcha);
    let second = guarded(second, plan, twocaptcha);
    Ok(first.or(second).deadline(plan.deadline).into_arc())
}

fn guarded(solver: impl DragSolver, plan: &Plan, provider: &Provider) -> Arc<dyn DragSolver> {
    // It is to open when a provider is gone, and not when a fault cuts all its connections once.
    let breaker = CircuitBreakerPolicy::default()
        .max_samples(200)
        .min_samples(50)
        .failure_ratio(Ratio::percent(95))
        .open_for(Duration::from_millis(50));
    let limit = ConcurrencyLimitPolicy::default()
        .max_in_flight(u32::try_from(plan.concurrency).unwrap_or(u32::MAX));
    let retry = RetryPolicy::default()
        .base_backoff(Duration::from_millis(50))
        .max_backoff(Duration::from_millis(500));
    solver
        .validate(ValidatePolicy::default())
        // Three attempts last longer than a challenge: a job that was bought is not given up early.
        .timeout(plan.deadline / 2)
        .budget(&provider.budget, provider.price)
        .circuit_breaker(breaker)
        .concurrency_limit(limit)
        .retry(retry)
        .with_seed(plan.seed)
        .into_arc()
}

/// People: of a hundred pictures they give up on two, and point beside the picture once.
#[derive(Debug)]
struct Workers {
    seed: u64,
    asked: AtomicU64,
}

impl Workers {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            asked: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl DragSolver for Workers {
    fn name(&self) -> &'static str {
        "workers"
    }

    async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let random = (number ^ self.seed.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        tokio::time::sleep(Duration::from_millis(random % 40)).await;
        let x = match random % 100 {
            0 | 1 => return Err(SolveError::new(ErrorKind::Unsolvable, "no idea")),
            2 => 3_000.0,
            _ => 250.0,
        };
        let drag = Drag::new(Point::new(10.0, 20.0), Point::new(x, 20.0));
        Ok(Solution::new(drag, "workers"))
    }
}
