//! The least that a client holds while it waits if it promises what ours does: one boxed future of a
//! solver whose type is known only at run time, the job, a deadline and a timer. Its requests and the
//! HTTP client are ours.

use std::time::Duration;

use drag_solver::http::{
    Answer, ApiRequest, ApiResponse, Created, Found, HttpOptions, JobApi as _, JobState,
    ReqwestTransport, ResponseError, Transport as _,
};
use drag_solver::prelude::*;
use drag_solver::{JobId, PaidJob};
use tokio::time::{Instant, sleep_until};

use crate::Result;

/// Longer than any request here.
const REQUEST: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Floor {
    /// For its protocol alone.
    ours: TwoCaptcha,
    transport: ReqwestTransport,
    first: Duration,
    every: Duration,
    job_timeout: Duration,
}

impl Floor {
    pub(crate) fn new(
        ours: TwoCaptcha,
        url: &str,
        [first, every, job_timeout]: [Duration; 3],
    ) -> Result<Self> {
        let transport = ReqwestTransport::new(&HttpOptions::default().base_url(url))?;
        Ok(Self {
            ours,
            transport,
            first,
            every,
            job_timeout,
        })
    }

    async fn create(&self, challenge: &DragChallenge) -> Outcome<JobId> {
        let request = self.ours.api().create(challenge)?;
        let parse = |response: &ApiResponse| self.ours.api().parse_created(response);
        match self.exchange(request, parse).await? {
            Created::Job(job) => Ok(job),
            _ => Err(error("no job")),
        }
    }

    async fn poll(&self, job: &JobId) -> Outcome<Option<Solution>> {
        let request = self.ours.api().poll(job);
        let parse = |response: &ApiResponse| self.ours.api().parse_poll(response);
        match self.exchange(request, parse).await? {
            JobState::Solved(Answer {
                found: Ok(Found::Drag(drag)),
                ..
            }) => Ok(Some(Solution::new(drag, self.name()).with_job(job.clone()))),
            JobState::Running => Ok(None),
            _ => Err(error("not an answer")),
        }
    }

    async fn exchange<T>(
        &self,
        request: ApiRequest,
        parse: impl FnOnce(&ApiResponse) -> std::result::Result<T, ResponseError>,
    ) -> Outcome<T> {
        let sent = self.transport.send(request, REQUEST).await;
        let response = sent.map_err(|failure| error(failure.to_string()))?;
        parse(&response).map_err(|failure| error(format!("{failure:?}")))
    }
}

#[async_trait]
impl DragSolver for Floor {
    fn name(&self) -> &str {
        "floor"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Outcome<Solution> {
        let due = Instant::now() + self.job_timeout;
        let due = challenge.deadline().map_or(due, |own| own.min(due));
        // Boxed, as in ours: gone while this waits.
        let job = Box::pin(self.create(challenge)).await?;
        let mut wait = self.first;
        while Instant::now() + wait < due {
            sleep_until(Instant::now() + wait).await;
            if let Some(solution) = Box::pin(self.poll(&job)).await? {
                return Ok(solution);
            }
            wait = self.every;
        }
        Err(error("time is up").with_unfinished_jobs([PaidJob::new(self.name(), job)]))
    }
}

type Outcome<T> = std::result::Result<T, SolveError>;

fn error(what: impl AsRef<str>) -> SolveError {
    SolveError::new(ErrorKind::Unavailable, what)
}
