//! The script, the settings and the log behind a mock: plain data under one lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, JobId, ScreenshotLimits, Solution, SolveError, Usd, Verdict, WorstCase,
};
use tokio::time::Instant;

use super::log::{CallStatus, RecordedCall, RecordedReport};
use super::outcome::Outcome;

type Decide = dyn Fn(&DragChallenge, usize) -> Outcome + Send + Sync;
type AnswerReport = dyn Fn(&Solution, Verdict) -> Result<(), SolveError> + Send + Sync;

#[derive(Default)]
pub(super) struct State {
    pub(super) script: VecDeque<Outcome>,
    pub(super) script_len: usize,
    /// Says what each call after the script's end comes to.
    pub(super) rest: Option<Arc<Decide>>,
    pub(super) is_free: bool,
    pub(super) cost: Option<Usd>,
    pub(super) worst_case: Option<WorstCase>,
    pub(super) limits: ScreenshotLimits,
    pub(super) answer_report: Option<Arc<AnswerReport>>,
    pub(super) report_latency: Duration,

    pub(super) keeps_no_log: bool,
    pub(super) calls: Vec<RecordedCall>,
    pub(super) reports: Vec<RecordedReport>,
    pub(super) call_count: usize,
    pub(super) purchases: usize,
    pub(super) in_flight: usize,
    pub(super) max_in_flight: usize,
}

impl State {
    /// Counts a call that begins, and says its number.
    pub(super) fn begin(&mut self, challenge: &DragChallenge, resumed: Option<JobId>) -> usize {
        self.call_count += 1;
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
        if !self.keeps_no_log {
            self.calls.push(RecordedCall {
                challenge: challenge.clone(),
                resumed,
                bought: None,
                started: Instant::now(),
                ended: None,
                status: CallStatus::InFlight,
            });
        }
        self.call_count
    }

    /// Counts the purchase of a call, of the job that the script names or of the next in line.
    pub(super) fn buy(&mut self, named: Option<JobId>, call: usize) -> JobId {
        self.purchases += 1;
        let next = JobId::from(self.purchases as u64);
        let job = named.unwrap_or(next);
        if let Some(call) = self.logged(call) {
            call.bought = Some(job.clone());
        }
        job
    }

    pub(super) fn end(&mut self, call: usize, status: CallStatus) {
        self.in_flight -= 1;
        if let Some(call) = self.logged(call) {
            call.ended = Some(Instant::now());
            call.status = status;
        }
    }

    /// The call of this number, unless no log was kept when it began.
    fn logged(&mut self, call: usize) -> Option<&mut RecordedCall> {
        self.calls.get_mut(call - 1)
    }
}
