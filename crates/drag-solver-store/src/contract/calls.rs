//! What solvers did recently.

use std::time::Duration;

use drag_solver_core::JobId;
use jiff::Timestamp;

use super::subject::{name, said, usd};
use super::{Checked, StoreUnderTest};
use crate::call_record::CALLS_KEPT;
use crate::key::new_key;
use crate::{CallRecord, Fact, Retention};

const DAY: u64 = 24 * 3_600;

impl StoreUnderTest<'_> {
    /// A call of this solver that ends now.
    fn call(&self, solver: &str) -> Result<CallRecord, String> {
        // To the millisecond, as it is on record.
        let now = Timestamp::from_millisecond(self.store.now().as_millisecond());
        Ok(CallRecord {
            key: new_key(),
            solver: solver.to_owned(),
            ended: now.map_err(|error| error.to_string())?,
            took: Duration::from_millis(3_210),
            good: true,
            spent: None,
            job: None,
        })
    }

    async fn note(&self, call: &CallRecord) -> Checked {
        self.record(Fact::Called(call.clone())).await
    }

    async fn calls(
        &self,
        solver: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<CallRecord>, String> {
        let calls = self.store.calls(solver, since, limit).await;
        calls.map_err(said)
    }

    pub(super) async fn calls_of_a_solver_are_told_from_when_they_are_asked_for(&self) -> Checked {
        let (solver, other) = (name("solver"), name("other"));
        let mut calls = Vec::new();
        for cost in ["0", "0.0009"] {
            self.wait(10);
            let mut call = self.call(&solver)?;
            call.spent = Some(usd(cost));
            call.job = Some(JobId::from(7));
            self.note(&call).await?;
            calls.push(call);
        }
        self.wait(10);
        let mut last = self.call(&solver)?;
        last.good = false;
        last.took = Duration::ZERO;
        self.note(&last).await?;
        self.note(&self.call(&other)?).await?;
        calls.push(last);
        let ever = Timestamp::MIN;
        ensure_eq!(self.calls(&solver, ever, 100).await?, calls, "calls");
        ensure_eq!(
            self.calls(&solver, ever, 2).await?,
            calls[1..],
            "the last two"
        );
        // Not what ended at that very time.
        let since = self.calls(&solver, calls[0].ended, 100).await?;
        ensure_eq!(since, calls[1..], "those after the first");
        let of_others = self.calls(&name("unknown"), ever, 100).await?;
        ensure!(of_others.is_empty(), "calls of no solver: {of_others:?}");
        Ok(())
    }

    pub(super) async fn what_was_wrong_stays_wrong(&self) -> Checked {
        let solver = name("solver");
        let call = self.call(&solver)?;
        let mut wrong = call.clone();
        wrong.good = false;
        for (told, known) in [
            (&call, &call),
            (&call, &call),
            (&wrong, &wrong),
            (&call, &wrong),
        ] {
            self.note(told).await?;
            let calls = self.calls(&solver, Timestamp::MIN, 100).await?;
            ensure_eq!(calls[..], *std::slice::from_ref(known), "calls");
        }
        Ok(())
    }

    pub(super) async fn of_each_solver_the_last_calls_are_kept(&self) -> Checked {
        let (busy, idle) = (name("busy"), name("idle"));
        let old = self.call(&idle)?;
        self.note(&old).await?;
        // Of a clock that was a year ahead.
        for solver in [&busy, &idle] {
            let mut ahead = self.call(solver)?;
            let year = Duration::from_secs(365 * DAY);
            ahead.ended = ahead.ended.checked_add(year).map_err(|it| it.to_string())?;
            self.note(&ahead).await?;
        }
        let mut calls = Vec::new();
        for _ in 0..CALLS_KEPT + 2 {
            self.wait(1);
            let call = self.call(&busy)?;
            self.note(&call).await?;
            calls.push(call);
        }
        let length = |days| Duration::from_secs(days * DAY);
        let retention = Retention::default()
            .challenges(length(30))
            .money(length(100));
        self.store.prune(&retention).await.map_err(said)?;
        let ever = Timestamp::MIN;
        ensure_eq!(
            self.calls(&busy, ever, 1_000).await?,
            calls[2..],
            "the last"
        );
        ensure_eq!(self.calls(&idle, ever, 1_000).await?, [old], "the only one");
        self.wait(366 * DAY);
        self.store.prune(&retention).await.map_err(said)?;
        for solver in [&busy, &idle] {
            let calls = self.calls(solver, ever, 1_000).await?;
            ensure!(calls.is_empty(), "old calls are on record: {calls:?}");
        }
        Ok(())
    }
}
