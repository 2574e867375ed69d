//! How a solver treats jobs that were paid for before.

use drag_solver_core::{DragChallenge, ErrorKind, JobId, PaidJob, SolveError};
use tokio::time::timeout;

use super::drive::drop_once;
use super::money::check_bill;
use super::recorder::{Observed, Recorder};
use super::{Checked, Finding, SolverUnderTest, skip};

/// For the author of a solver that has none.
const NO_JOB: &str =
    "it names no job that it buys (if it has none, say so with `answering_in_one_call`)";

impl SolverUnderTest<'_> {
    /// A job that was bought and not waited for is fetched by the next call, if that is
    /// [resuming](DragChallenge::resume_job) it, and nothing is bought from whom it belongs to. A solver
    /// without jobs refuses to. Skipped if the solver names no job that it buys.
    pub(super) async fn a_paid_job_is_resumed(&self) -> Checked {
        if self.has_no_jobs {
            self.answer_without_a_job().await?;
            return self.hand_back(&self.own_jobs([1])).await;
        }
        let Some(job) = self.abandoned_job(&self.solvable).await? else {
            return Ok(skip(NO_JOB));
        };
        self.fetch(&[job]).await?;
        Ok(Finding::Passed)
    }

    /// Of two paid jobs of one solver neither is lost: each is fetched by the call that resumes both, or by
    /// the next one; and if no answer comes, the error names both. A solver without jobs hands both back.
    /// Skipped if the solver names no job that it buys.
    pub(super) async fn two_paid_jobs_are_both_kept(&self) -> Checked {
        if self.has_no_jobs {
            return self.hand_back(&self.own_jobs([1, 2])).await;
        }
        let Some(jobs) = self.two_abandoned_jobs(&self.solvable).await? else {
            return Ok(skip(NO_JOB));
        };
        let left = self.fetch(&jobs).await?;
        if !left.is_empty() {
            self.fetch(&left).await?;
        }
        let Some(endless) = self.endless_with_deadline() else {
            return Ok(Finding::Passed);
        };
        let unlimited = self.endless.as_ref().unwrap_or(&endless);
        let Some(jobs) = self.two_abandoned_jobs(unlimited).await? else {
            return Ok(Finding::Passed);
        };
        let observed = self.resume(&endless, &jobs).await?;
        let outcome = observed.outcome.as_ref();
        let named = outcome.map_or_else(SolveError::unfinished_jobs, |_| Vec::new());
        for job in observed.heard.purchases.unfinished_of(&jobs) {
            ensure!(
                named.contains(job),
                "{job} was to be resumed, and the outcome does not name it"
            );
        }
        Ok(Finding::Passed)
    }

    /// Solves with no job in the answer and none in the events.
    async fn answer_without_a_job(&self) -> Result<(), String> {
        let fresh = self.solvable.clone().without_paid_jobs();
        let observed = Observed::call(self, self.solver, &fresh, Recorder::default()).await?;
        let solution = observed.outcome.map_err(|e| format!("it failed: {e}"))?;
        let purchases = observed.heard.purchases.as_slice();
        let mut jobs = purchases.iter().filter_map(|p| p.job.as_ref());
        match jobs.next().or(solution.job()) {
            Some(job) => Err(format!("it answers in one call, and names job {job}")),
            None => Ok(()),
        }
    }

    /// Asks a solver without jobs to resume some of its name.
    async fn hand_back(&self, jobs: &[PaidJob]) -> Checked {
        let kind = ErrorKind::Unsupported;
        let refused = self.refuse(&self.solvable, jobs, kind).await;
        refused.map_err(|what| format!("it answers in one call: {what}"))
    }

    /// Jobs that this solver may have bought, of these ids.
    pub(super) fn own_jobs<const N: usize>(&self, ids: [u64; N]) -> [PaidJob; N] {
        let solver = self.buyer();
        ids.map(|id| PaidJob::new(solver.as_str(), JobId::from(id)))
    }

    /// Asks for what is to be refused with this kind of error: on a paused clock at once, with nothing
    /// bought, and handing back `jobs`, which are to be resumed.
    pub(super) async fn refuse(
        &self,
        challenge: &DragChallenge,
        jobs: &[PaidJob],
        kind: ErrorKind,
    ) -> Checked {
        let resuming = resuming(challenge, jobs);
        let observed = Observed::call(self, self.solver, &resuming, Recorder::default()).await?;
        let (heard, took) = (&observed.heard, observed.took);
        let has_bought = !heard.buyers.is_empty();
        ensure!(!has_bought, "it was to refuse as {kind}, and it bought");
        let Err(error) = observed.outcome else {
            return Err(format!("no refusal as {kind}: it answered all the same"));
        };
        ensure!(error.kind() == kind, "the error is not {kind}: {error}");
        let is_instant = took.is_zero() || !self.is_paused;
        ensure!(is_instant, "it took {took:?} to refuse: {error}");
        // The jobs may be billed, and the refusal is not.
        check_bill(&heard.purchases, &error)?;
        let named = error.unfinished_jobs();
        for job in jobs {
            let is_named = named.contains(job);
            ensure!(is_named, "{job} was paid for, and not handed back: {error}");
        }
        self.check_error(&error)?;
        Ok(Finding::Passed)
    }

    /// Solves by resuming `jobs`: at least one is fetched, and the others are returned.
    async fn fetch(&self, jobs: &[PaidJob]) -> Result<Vec<PaidJob>, String> {
        let observed = self.resume(&self.solvable, jobs).await?;
        if let Err(error) = &observed.outcome {
            return Err(format!("{} was not fetched: {error}", jobs[0]));
        }
        let purchases = &observed.heard.purchases;
        let left: Vec<PaidJob> = purchases.unfinished_of(jobs).cloned().collect();
        let has_resumed = left.len() < jobs.len();
        ensure!(has_resumed, "it did not say that it resumed {}", jobs[0]);
        Ok(left)
    }

    async fn resume(
        &self,
        challenge: &DragChallenge,
        jobs: &[PaidJob],
    ) -> Result<Observed, String> {
        let resuming = resuming(challenge, jobs);
        let observed = Observed::call(self, self.solver, &resuming, Recorder::default()).await?;
        for job in jobs {
            let has_bought = observed.heard.buyers.contains(&job.solver);
            ensure!(!has_bought, "{job} was paid for, and it bought another");
        }
        Ok(observed)
    }

    async fn two_abandoned_jobs(
        &self,
        challenge: &DragChallenge,
    ) -> Result<Option<[PaidJob; 2]>, String> {
        let one = self.abandoned_job(challenge).await?;
        let other = self.abandoned_job(challenge).await?;
        Ok(one.zip(other).map(Into::into))
    }

    /// The job of a call that was dropped as soon as it had bought one and had to wait for it.
    async fn abandoned_job(&self, challenge: &DragChallenge) -> Result<Option<PaidJob>, String> {
        let fresh = challenge.clone().without_paid_jobs();
        let (challenge, recorder) = Recorder::default().listen_to(&fresh);
        let open_job = || recorder.heard().purchases.open_jobs().pop();
        let call = drop_once(self.solver.solve(&challenge), || open_job().is_some());
        let ended = timeout(self.patience, call).await;
        let ended = ended.map_err(|_| "a call was stuck that was to be dropped".to_owned())?;
        Ok(open_job().filter(|_| ended.is_none()))
    }
}

/// `challenge`, which brings these paid jobs and no others.
fn resuming(challenge: &DragChallenge, jobs: &[PaidJob]) -> DragChallenge {
    let fresh = challenge.clone().without_paid_jobs();
    jobs.iter().cloned().fold(fresh, DragChallenge::resume_job)
}
