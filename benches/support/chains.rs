//! What is called: a mock, chains around it, and the same policies built from `tower`.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use drag_solver::prelude::*;
use tower::retry::Policy;
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

/// Every subject.
pub(crate) const SUBJECTS: [&str; 8] = [
    BARE, "validate", "timeout", "retry", "fallback", CHAIN, COMMON, TOWER,
];

const ATTEMPTS: u32 = 3;
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

/// The subject called `name`.
pub(crate) fn subject(name: &str) -> Result<Subject, BoxError> {
    let retry = RetryPolicy::default().max_attempts(ATTEMPTS);
    let validate = ValidatePolicy::default();
    let solver = match name {
        BARE => Immediate.shared(),
        "validate" => Immediate.validate(validate)?.shared(),
        "timeout" => Immediate.timeout(LIMIT)?.shared(),
        "retry" => Immediate.retry(retry)?.shared(),
        "fallback" => Immediate.or(Immediate).shared(),
        CHAIN => Immediate
            .validate(validate)?
            .timeout(LIMIT)?
            .retry(retry)?
            .or(Immediate)
            .shared(),
        COMMON => Immediate.timeout(LIMIT)?.retry(retry)?.shared(),
        TOWER => return Ok(Subject::Tower(tower())),
        _ => return Err(format!("there is no subject `{name}`").into()),
    };
    Ok(Subject::Ours(solver))
}

/// A challenge with a deadline, as those of real programs have.
pub(crate) fn challenge() -> Result<DragChallenge, SolveError> {
    let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec();
    let challenge = DragChallenge::new(Screenshot::from_bytes(gif)?);
    Ok(challenge.within(Duration::from_secs(24 * 3600)))
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
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        Ok(Solution::new(drag, "immediate"))
    }
}

fn tower() -> BoxService<DragChallenge, Solution, BoxError> {
    let service = ServiceBuilder::new()
        .retry(Attempts(ATTEMPTS))
        .timeout(LIMIT)
        .service(service_fn(|challenge: DragChallenge| async move {
            Immediate.solve(&challenge).await
        }));
    BoxService::new(service)
}

/// The policy that tower's documentation shows, for errors that may pass. It does not wait between
/// attempts; none of the calls measured here fails.
#[derive(Clone)]
struct Attempts(u32);

impl Policy<DragChallenge, Solution, BoxError> for Attempts {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut DragChallenge,
        outcome: &mut Result<Solution, BoxError>,
    ) -> Option<Self::Future> {
        let error = outcome.as_ref().err()?.downcast_ref::<SolveError>()?;
        if error.recovery() != Recovery::Retry || self.0 <= 1 {
            return None;
        }
        self.0 -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, challenge: &DragChallenge) -> Option<DragChallenge> {
        Some(challenge.clone())
    }
}
