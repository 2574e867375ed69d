//! What an account can be asked. None of it depends on the protocol's type, and every future is made into a
//! box here: so it is compiled once, and not in the crate of every provider.

use drag_solver_core::{
    Billed, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, SolverFuture,
    Verdict, WorstCase, async_trait,
};
use tokio::time::Instant;

use super::account::Account;
use super::attempt::Attempt;
use crate::provider::no_balance;
use crate::record::CallRecorder;
use crate::{ApiRequest, ApiResponse, Balance, ResponseError};

impl Account {
    /// Asks what is left in the account.
    pub(super) fn balance(&self) -> SolverFuture<'_, Balance> {
        Box::pin(async move {
            let Some(request) = self.api.balance() else {
                return Err(no_balance(&self.name));
            };
            let recorded = self.calls.as_ref().map(CallRecorder::balance);
            let parse = |response: &ApiResponse| self.api.parse_balance(response);
            let balance = self.request(request, parse).await;
            if let Some(recorded) = recorded {
                recorded.told(balance.as_ref());
            }
            balance
        })
    }

    /// Sends one request outside of any job.
    pub(super) async fn request<T>(
        &self,
        request: ApiRequest,
        parse: impl FnOnce(&ApiResponse) -> Result<T, ResponseError>,
    ) -> Result<T, SolveError> {
        let started = Instant::now();
        let outcome = self.exchange(request, self.limit(0), parse).await;
        outcome.map_err(|failure| {
            // No job is bought by such a request, however it ends.
            let error = failure.error.with_billed(Billed::No);
            self.finish_error(error, started.elapsed())
        })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Account {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        Attempt::new(self, challenge).run().await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let refuse =
            |why: String| Err(SolveError::new(ErrorKind::Unsupported, why).with_solver(&self.name));
        if solution.solver() != self.name {
            return refuse(format!(
                "the solution comes from {}, and only that solver can take a report of it",
                solution.solver()
            ));
        }
        let Some(job) = solution.job() else {
            return refuse("the solution has no job id to report on".into());
        };
        let Some(request) = self.api.report(job, verdict) else {
            return refuse(format!(
                "the provider takes no reports of {verdict} answers"
            ));
        };
        let recorded = self.calls.as_ref();
        let recorded = recorded.map(|calls| calls.report(job, verdict));
        let parse = |response: &ApiResponse| self.api.parse_report(response);
        let outcome = self.request(request, parse).await;
        if let Some(recorded) = recorded {
            recorded.reported(outcome.as_ref().copied());
        }
        outcome?;
        tracing::debug!(solver = self.name, %verdict, "reported");
        Ok(())
    }

    fn profile(&self) -> Profile {
        let mut worst = WorstCase::one_purchase().with_time(self.times.job_timeout);
        worst.cost = self.price;
        Profile::new(worst).with_limits(self.api.limits())
    }
}
