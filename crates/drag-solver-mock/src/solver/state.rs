//! The script, the settings and the log behind a mock: plain data under one lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, JobId, ScreenshotLimits, Solution, SolveError, Usd, Verdict, WorstCase,
};
use tokio::time::Instant;

use super::log::{Call, Ending, Report};
use super::outcome::Outcome;

pub(super) type MakeOutcome = Arc<dyn Fn(&DragChallenge, usize) -> Outcome + Send + Sync>;
pub(super) type MakeJobId = Arc<dyn Fn(usize) -> JobId + Send + Sync>;
pub(super) type AnswerReport =
    Arc<dyn Fn(&Solution, Verdict) -> Result<(), SolveError> + Send + Sync>;

pub(super) struct State {
    pub(super) script: VecDeque<Outcome>,
    pub(super) rest: Option<MakeOutcome>,
    pub(super) script_len: usize,
    pub(super) cost: Option<Usd>,
    pub(super) worst_case: Option<WorstCase>,
    pub(super) limits: ScreenshotLimits,
    pub(super) job_ids: MakeJobId,
    pub(super) is_free: bool,
    pub(super) answer_report: AnswerReport,
    pub(super) report_latency: Duration,

    pub(super) keeps_log: bool,
    pub(super) calls: Vec<Call>,
    pub(super) reports: Vec<Report>,
    pub(super) call_count: usize,
    pub(super) purchases: usize,
    pub(super) in_flight: usize,
    pub(super) max_in_flight: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            script: VecDeque::new(),
            rest: None,
            script_len: 0,
            cost: None,
            worst_case: None,
            limits: ScreenshotLimits::none(),
            job_ids: Arc::new(|purchase| JobId::from(purchase as u64)),
            is_free: false,
            answer_report: Arc::new(|_, _| Ok(())),
            report_latency: Duration::ZERO,
            keeps_log: true,
            calls: Vec::new(),
            reports: Vec::new(),
            call_count: 0,
            purchases: 0,
            in_flight: 0,
            max_in_flight: 0,
        }
    }
}

impl State {
    /// Counts a call that begins: its number, and where it is in the log, if one is kept.
    pub(super) fn begin(
        &mut self,
        challenge: &DragChallenge,
        resumed: Option<JobId>,
    ) -> (usize, Option<usize>) {
        self.call_count += 1;
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
        let logged_at = self.keeps_log.then(|| {
            let call = Call::new(self.call_count, challenge, resumed);
            self.calls.push(call);
            self.calls.len() - 1
        });
        (self.call_count, logged_at)
    }

    /// Counts a purchase, of the job the script names or of the next in line.
    pub(super) fn buy(&mut self, named: Option<JobId>, logged_at: Option<usize>) -> JobId {
        self.purchases += 1;
        let job = named.unwrap_or_else(|| (self.job_ids)(self.purchases));
        if let Some(call) = self.logged(logged_at) {
            call.bought = Some(job.clone());
        }
        job
    }

    pub(super) fn end(&mut self, logged_at: Option<usize>, ending: Ending) {
        self.in_flight -= 1;
        if let Some(call) = self.logged(logged_at) {
            call.ended = Some(Instant::now());
            call.ending = ending;
        }
    }

    fn logged(&mut self, logged_at: Option<usize>) -> Option<&mut Call> {
        self.calls.get_mut(logged_at?)
    }
}
