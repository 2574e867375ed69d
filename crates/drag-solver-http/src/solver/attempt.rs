//! One call of `solve`: it buys, or takes up what was bought, and checks the answer.

use std::collections::VecDeque;
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, ErrorKind, Event, JobId, Point, Solution, SolveError,
};
use tokio::time::{Instant, sleep_until};

use super::account::{Account, Failure};
use super::expected_call::ExpectedCall;
use super::open_jobs::{OpenJobs, Polled};
use crate::times::TimeLimit;
use crate::{Answer, ApiRequest, CallbackReceiver, Created};

/// One call of `solve`: what it works on, and since when.
pub(super) struct Attempt<'a> {
    account: &'a Account,
    challenge: &'a DragChallenge,
    started: Instant,
}

/// How a call begins.
enum Begun {
    /// With an answer: some providers give it at once.
    Answered(Box<Solution>),
    /// With jobs to wait for.
    Open(OpenJobs),
}

impl<'a> Attempt<'a> {
    pub(super) fn new(account: &'a Account, challenge: &'a DragChallenge) -> Self {
        Self {
            account,
            challenge,
            started: Instant::now(),
        }
    }

    // Neither is kept: what a call holds, it holds as long as it waits.
    fn solver(&self) -> &'a str {
        &self.account.name
    }

    fn limit(&self) -> TimeLimit {
        TimeLimit::nearest(self.started, self.account.times.job_timeout, self.challenge)
    }

    pub(super) async fn run(&self) -> Result<Solution, SolveError> {
        let recorded = self.account.calls.as_ref();
        let recorded = recorded.map(|calls| calls.solve(self.challenge));
        let outcome = self.outcome().await.map_err(|error| self.own(error));
        if let Some(recorded) = recorded {
            recorded.ended(outcome.as_ref());
        }
        let solver = self.solver();
        match &outcome {
            Ok(solution) => tracing::debug!(solver, elapsed = ?solution.elapsed(), "solved"),
            Err(error) => {
                tracing::debug!(solver, %error, billed = %error.billed(), "failed");
            }
        }
        outcome
    }

    async fn outcome(&self) -> Result<Solution, SolveError> {
        // What buys and what asks is boxed, and gone while this waits: so thousands can wait.
        let mut open = match Box::pin(self.begin()).await? {
            Begun::Answered(solution) => return Ok(*solution),
            Begun::Open(open) => open,
        };
        while let Some(at) = open.next.filter(|&at| self.limit().allows(at)) {
            let called = self.turn(&mut open, at).await;
            if let Some(end) = Box::pin(self.ask(&mut open, called)).await {
                return end;
            }
        }
        Err(open.out_of_time(self.account, &self.limit()))
    }

    /// Waits until the job is to be asked about, at `at` or because the provider calls. Then it says when it
    /// would have been time.
    async fn turn(&self, open: &mut OpenJobs, at: Instant) -> Option<Instant> {
        let every = self.account.times.poll.every;
        let call = open.expected_call.as_mut();
        if let Some(call) = call.filter(|call| !call.is_used) {
            // Boxed: those who wait for no call do not carry it.
            Box::pin(call.turn(at, every, &self.limit(), &self.account.trust)).await
        } else {
            sleep_until(at).await;
            None
        }
    }

    /// Asks once. The outcome of the call, if that is it; `None` if there is more to be waited for.
    async fn ask(
        &self,
        open: &mut OpenJobs,
        due: Option<Instant>,
    ) -> Option<Result<Solution, SolveError>> {
        let limit = self.limit();
        let end = match open.ask(self.account, &limit, due).await {
            Polled::Open => return None,
            Polled::GaveUp(error) => return Some(Err(error)),
            Polled::Ended(end) => end.and_then(|answer| self.check(Some(open.job()), answer)),
        };
        if let Err(error) = self.settle(Some(open.job()), end.as_ref()).await {
            return Some(Err(error));
        }
        open.ended(end, self.account, &limit)
    }

    /// Buys, or takes up what was bought.
    async fn begin(&self) -> Result<Begun, SolveError> {
        let solver = self.solver();
        self.notify(Event::Started { solver }).await?;
        if self.challenge.is_expired() {
            let message = "the challenge's deadline has passed: nothing was sent";
            return Err(self.refuse(ErrorKind::DeadlineExceeded, message));
        }
        let paid: VecDeque<_> = self.challenge.paid_jobs_of(solver).cloned().collect();
        if !paid.is_empty() && !self.account.api.has_jobs() {
            let message = "the service answers in one call, and has no job that could be asked about: \
                           nothing was sent";
            return Err(self.refuse(ErrorKind::Unsupported, message));
        }
        if !paid.is_empty() && !self.is_in_frame() {
            let message = "what was paid for was sent a part of the picture, or a smaller one, and its answer \
                           cannot be read without that: put `fit` around it again; nothing was sent";
            // No other provider is to be asked either: what is paid for would be paid for again.
            return Err(self.refuse(ErrorKind::InvalidChallenge, message));
        }
        for job in &paid {
            tracing::debug!(solver, %job, "resuming a paid job");
            self.notify(Event::Resumed { solver, job }).await?;
        }
        if let Some(open) = OpenJobs::resumed(paid) {
            return Ok(Begun::Open(open));
        }
        // Its call is expected from before the request is sent: it may come before the response.
        let mut expected_call = None;
        match self.buy(&mut expected_call).await? {
            Created::Answer { job, answer } => {
                let end = self.check(job.as_ref(), answer);
                self.settle(job.as_ref(), end.as_ref()).await?;
                end.map(|solution| Begun::Answered(Box::new(solution)))
            }
            Created::Job(job) => {
                let created = Instant::now();
                let first = self.first_poll(created);
                let open = OpenJobs::bought(job, created, first);
                Ok(Begun::Open(open.expecting(expected_call)))
            }
        }
    }

    /// Whether the picture has the size of the one that was sent when the jobs to resume were bought.
    fn is_in_frame(&self) -> bool {
        let shot = self.challenge.screenshot();
        let frame = self.challenge.frame_of(self.solver());
        frame
            .is_none_or(|sent| (sent.sent_width, sent.sent_height) == (shot.width(), shot.height()))
    }

    /// The request that buys, and the call that it asks for.
    fn order(&self) -> Result<(ApiRequest, Option<ExpectedCall>), SolveError> {
        let (api, trust) = (&self.account.api, &self.account.trust);
        let receiver = self.account.callbacks.as_ref().ok();
        let Some(registration) = receiver.and_then(CallbackReceiver::register) else {
            return Ok((api.create(self.challenge)?, None));
        };
        let request = api.create_with_callback(self.challenge, &registration.url())?;
        Ok((request, Some(ExpectedCall::new(registration, trust))))
    }

    /// Sends the create request.
    async fn buy(&self, expected_call: &mut Option<ExpectedCall>) -> Result<Created, SolveError> {
        let solver = self.solver();
        if let Err(error) = self.account.limits.check(self.challenge.screenshot()) {
            let advice = "crop, scale or re-encode it first, as `fit` does; nothing was sent";
            return Err(self.refuse(ErrorKind::Unsupported, &format!("{error}: {advice}")));
        }
        self.leaves_time()?;
        let request;
        (request, *expected_call) = self.order()?;
        let (label, bytes) = (request.label(), request.body().len());
        tracing::debug!(solver, label, bytes, "buying");
        self.notify(Event::Buying { solver }).await?;
        // An observer that writes takes time too.
        if let Err(error) = self.leaves_time() {
            self.notify(Event::NotBought { solver }).await?;
            return Err(error);
        }
        let limit = self.limit().cap(self.account.times.request_limit(bytes));
        match self.account.create(request, limit).await {
            Ok(created) => {
                if let Some(job) = created.job() {
                    tracing::debug!(solver, %job, "bought");
                    self.notify(Event::Bought { solver, job }).await?;
                }
                Ok(created)
            }
            Err(Failure { error, is_refusal }) => {
                let is_late = !is_refusal && self.limit().left() == Some(Duration::ZERO);
                let error = if is_late {
                    error.with_kind(self.limit().kind)
                } else {
                    error
                };
                match error.billed() {
                    Billed::No => self.notify(Event::NotBought { solver }).await?,
                    Billed::Maybe | Billed::Yes => self.settle(None, Err(&error)).await?,
                }
                Err(error)
            }
        }
    }

    /// Refuses to buy an answer that there is no time left to fetch.
    fn leaves_time(&self) -> Result<(), SolveError> {
        let first = self.account.times.poll.first;
        // The job's own timeout is longer than that, so it is the deadline that is too near.
        let Some(left) = self.limit().left().filter(|&left| left <= first) else {
            return Ok(());
        };
        let message = format!(
            "{left:.1?} are left, and the provider is first asked for its answer after {first:.1?}: \
             nothing was bought"
        );
        Err(self.refuse(ErrorKind::DeadlineExceeded, &message))
    }

    /// When to ask first for a job that was created now: later than documented if earlier jobs say
    /// that it cannot be done before, unless that is too late for this one.
    fn first_poll(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.account.first_poll.wait())
            .filter(|&at| self.limit().allows(at))
            .or_else(|| now.checked_add(self.account.times.poll.first))
    }

    /// The solution that the answer is, if it is a drag on the screenshot.
    fn check(&self, job: Option<&JobId>, answer: Answer) -> Result<Solution, SolveError> {
        let solver = self.solver();
        let mut cost = answer.cost;
        if let Some(cost) = cost.take_if(|cost| cost.is_negative()) {
            tracing::warn!(solver, %cost, "dropped a cost that is less than nothing");
        }
        let cost = cost.or(self.account.price);
        let shot = self.challenge.screenshot();
        let (width, height) = (shot.width(), shot.height());
        let drag = answer.drag_on(width, height).and_then(|drag| {
            let checked = drag.check(width, height, 0.0);
            checked.map_or_else(|error| Err(error.to_string()), |()| Ok(drag))
        });
        let is_off = |end: Point| !end.is_on(width, height);
        let drag = match drag {
            Ok(drag) if drag.alternative_end.is_some_and(is_off) => {
                tracing::warn!(solver, "dropped an alternative end off the screenshot");
                Drag::new(drag.start, drag.end)
            }
            Ok(drag) => drag,
            Err(wrong) => {
                let whose = job.map(|job| format!("job {job}: ")).unwrap_or_default();
                let error = SolveError::new(ErrorKind::InvalidAnswer, whose + &wrong);
                let error = error.with_billed(Billed::Yes);
                return Err(match cost {
                    Some(cost) => error.with_cost(cost),
                    None => error,
                });
            }
        };
        let mut solution = Solution::new(drag, solver).with_elapsed(self.started.elapsed());
        if let Some(job) = job {
            solution = solution.with_job(job.clone());
        }
        if let Some(cost) = cost {
            solution = solution.with_cost(cost);
        }
        Ok(solution)
    }

    /// Tells how a purchase ended.
    async fn settle(
        &self,
        job: Option<&JobId>,
        end: Result<&Solution, &SolveError>,
    ) -> Result<(), SolveError> {
        let (billed, cost) = match end {
            Ok(solution) => (Billed::Yes, solution.cost()),
            Err(error) => (error.billed(), error.spent().or(self.account.price)),
        };
        let solver = self.solver();
        self.notify(Event::Settled {
            solver,
            job,
            billed,
            cost,
        })
        .await
    }

    async fn notify(&self, event: Event<'_>) -> Result<(), SolveError> {
        self.challenge.notify(event).await
    }

    fn refuse(&self, kind: ErrorKind, message: &str) -> SolveError {
        self.challenge.refuse(self.solver(), kind, message)
    }

    /// The error as callers get it.
    fn own(&self, error: SolveError) -> SolveError {
        self.account.finish_error(error, self.started.elapsed())
    }
}
