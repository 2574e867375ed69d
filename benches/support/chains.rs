//! What is called: a mock, chains around it, and the same policies built from `tower`.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::testing::fixtures;
use drag_solver::{
    Budget, BudgetPolicy, CircuitBreakerPolicy, ConcurrencyLimitPolicy, RateLimitPolicy,
    RetryBudget, RetryBudgetPolicy,
};
use tower::retry::Policy;
use tower::retry::budget::{Budget as _, TpsBudget};
use tower::util::BoxService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

/// The mock alone, as a `dyn DragSolver`: what every other figure includes.
pub(crate) const BARE: &str = "bare";
/// Everything there is, with a second provider behind it.
pub(crate) const CHAIN: &str = "chain";
/// The policies that `tower` has, too.
pub(crate) const COMMON: &str = "common";
/// Those policies built from `tower`.
pub(crate) const TOWER: &str = "tower";

/// As many layers as those policies have, which do nothing: the floor under anything that is built of
/// solvers around solvers.
pub(crate) const NOTHING: &str = "nothing";

/// Every subject.
pub(crate) const SUBJECTS: [&str; 14] = [
    BARE,
    NOTHING,
    "validate",
    "timeout",
    "budget",
    "breaker",
    "concurrency",
    "rate",
    "retry",
    "fallback",
    "deadline",
    CHAIN,
    COMMON,
    TOWER,
];

const ATTEMPTS: u32 = 3;
const AT_ONCE: u32 = 64;
const LIMIT: Duration = Duration::from_secs(60);

/// One thing that can be called again and again, of a type that is known only at run time.
pub(crate) enum Subject {
    /// A solver of ours.
    Ours(Arc<dyn DragSolver>),
    /// A service of tower's. It is called through `&mut`, which spares it the clone (or the buffer
    /// and its task) that sharing it between callers would cost; ours is shared as it is.
    Tower(BoxService<DragChallenge, Solution, BoxError>),
}

impl Subject {
    /// Solves the challenge once.
    pub(crate) async fn call(&mut self, challenge: &DragChallenge) -> Result<Solution, BoxError> {
        match self {
            Self::Ours(solver) => Ok(solver.solve(challenge).await?),
            // A service takes its request by value.
            Self::Tower(service) => service.ready().await?.call(challenge.clone()).await,
        }
    }
}

/// The subject called `name`. No limit is ever reached, so that each call goes all the way.
pub(crate) fn subject(name: &str) -> Result<Subject, BoxError> {
    let retry = RetryPolicy::default().max_attempts(ATTEMPTS);
    let retries = RetryBudget::new(RetryBudgetPolicy::default());
    let rate = RateLimitPolicy::default()
        .max_calls(u32::MAX)
        .period(Duration::from_secs(1))
        .burst(u32::MAX);
    let concurrency = ConcurrencyLimitPolicy::default().max_in_flight(AT_ONCE);
    let breaker = CircuitBreakerPolicy::default();
    let money = Budget::new(BudgetPolicy::default().total("1000000000".parse()?));
    let price: Usd = "0.0009".parse()?;
    let validate = ValidatePolicy::default();
    let solver = match name {
        BARE => Immediate.into_arc(),
        NOTHING => Nothing(Nothing(Nothing(Nothing(Immediate)))).into_arc(),
        "validate" => Immediate.validate(validate).into_arc(),
        "timeout" => Immediate.timeout(LIMIT).into_arc(),
        "budget" => Immediate.budget(&money, price).into_arc(),
        "breaker" => Immediate.circuit_breaker(breaker).into_arc(),
        "concurrency" => Immediate.concurrency_limit(concurrency).into_arc(),
        "rate" => Immediate.rate_limit(rate).into_arc(),
        "retry" => Immediate.retry(retry).with_retry_budget(retries).into_arc(),
        "fallback" => Immediate.or(Immediate).into_arc(),
        "deadline" => Immediate.deadline(LIMIT).into_arc(),
        CHAIN => Immediate
            .validate(validate)
            .timeout(LIMIT)
            .budget(&money, price)
            .circuit_breaker(breaker)
            .concurrency_limit(concurrency)
            .rate_limit(rate)
            .retry(retry)
            .with_retry_budget(retries)
            .or(Immediate)
            .deadline(LIMIT)
            .into_arc(),
        COMMON => Immediate
            .timeout(LIMIT)
            .concurrency_limit(concurrency)
            .rate_limit(rate)
            .retry(retry)
            .with_retry_budget(retries)
            .into_arc(),
        TOWER => return Ok(Subject::Tower(tower())),
        _ => return Err(format!("there is no subject `{name}`").into()),
    };
    Ok(Subject::Ours(solver))
}

/// A challenge with a deadline, as those of real programs have.
pub(crate) fn challenge() -> DragChallenge {
    fixtures::challenge().within(Duration::from_secs(24 * 3600))
}

/// Answers at once and does nothing else, so that it hides nothing of what is around it.
#[derive(Debug)]
struct Immediate;

#[async_trait]
impl DragSolver for Immediate {
    fn name(&self) -> &'static str {
        "immediate"
    }

    async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
        Ok(Solution::new(fixtures::drag(), "immediate"))
    }
}

/// Asks another solver, and does nothing else.
#[derive(Debug)]
struct Nothing<S>(S);

#[async_trait]
impl<S: DragSolver> DragSolver for Nothing<S> {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.0.solve(challenge).await
    }
}

/// The retry comes before the concurrency limit, as with us, and after the rate limit, because it
/// clones what it retries and a rate limit of tower's cannot be cloned. What finds a limit reached is
/// refused, as with us.
fn tower() -> BoxService<DragChallenge, Solution, BoxError> {
    let policy = Attempts {
        left: ATTEMPTS,
        budget: Arc::new(TpsBudget::default()),
    };
    let service = ServiceBuilder::new()
        .load_shed()
        .rate_limit(u64::MAX, Duration::from_secs(1))
        .retry(policy)
        .concurrency_limit(AT_ONCE as usize)
        .timeout(LIMIT)
        .service(service_fn(|challenge: DragChallenge| async move {
            Immediate.solve(&challenge).await
        }));
    BoxService::new(service)
}

/// The policy that tower's documentation shows, for errors that may pass, with a budget. It does not
/// wait between attempts; none of the calls measured here fails.
#[derive(Clone)]
struct Attempts {
    left: u32,
    budget: Arc<TpsBudget>,
}

impl Policy<DragChallenge, Solution, BoxError> for Attempts {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut DragChallenge,
        outcome: &mut Result<Solution, BoxError>,
    ) -> Option<Self::Future> {
        let Some(error) = outcome.as_ref().err() else {
            self.budget.deposit();
            return None;
        };
        let error = error.downcast_ref::<SolveError>()?;
        if error.recovery() != Recovery::Retry || self.left <= 1 || !self.budget.withdraw() {
            return None;
        }
        self.left -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, challenge: &DragChallenge) -> Option<DragChallenge> {
        Some(challenge.clone())
    }
}
