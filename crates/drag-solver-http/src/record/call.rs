//! What a solver was asked, and what came of it.

use std::fmt;
use std::time::Duration;

use drag_solver_core::{DragChallenge, JobId, Solution, SolveError, Verdict};
use secrecy::SecretString;
use tokio::time::Instant;

use super::body::describe;
use super::format::{Asked, Call, CallResult, Challenge, Line, Settings, is_forever};
use super::recorder::millis;
use super::transport::{RecordingTransport, SolverRecorder};
use crate::times::Times;
use crate::{Balance, Recorder, Transport};

/// Records the calls of one account.
#[derive(Debug)]
pub(crate) struct CallRecorder {
    recorder: SolverRecorder,
    base_url: String,
    times: Times,
}

/// A call that is under way. It is recorded when this is dropped, as abandoned unless its end is told.
pub(crate) struct CallUnderWay<'a> {
    calls: &'a CallRecorder,
    began: Instant,
    asked: Option<Question>,
    result: CallResult,
}

enum Question {
    Solve(DragChallenge, Vec<JobId>, Option<Duration>),
    Balance,
    Report(JobId, Verdict),
}

impl CallRecorder {
    /// Of the account called `solver`, without its secrets, and without what its provider is to call below
    /// `calls_below`.
    pub(crate) fn new<'a>(
        recorder: &Recorder,
        solver: &str,
        secrets: impl IntoIterator<Item = &'a SecretString>,
        calls_below: Option<&str>,
        base_url: &str,
        times: Times,
    ) -> Self {
        Self {
            recorder: SolverRecorder::new(recorder, solver, secrets, calls_below),
            base_url: base_url.to_owned(),
            times,
        }
    }

    /// What sends through `inner`, and records that too.
    pub(crate) fn transport(&self, inner: Box<dyn Transport>) -> Box<dyn Transport> {
        Box::new(RecordingTransport::of(inner, self.recorder.clone()))
    }

    /// In a box, so that thousands can wait.
    pub(crate) fn solve(&self, challenge: &DragChallenge) -> Box<CallUnderWay<'_>> {
        let resumed = challenge.paid_jobs_of(&self.recorder.solver).cloned();
        let left = challenge.remaining();
        // Without observers: they may hold what is not to live longer than the call.
        let mut asked = DragChallenge::new(challenge.screenshot().clone());
        if let Some(instruction) = challenge.instruction() {
            asked = asked.with_instruction(instruction);
        }
        if let Some(region) = challenge.region() {
            asked = asked.clone().with_region(region).unwrap_or(asked);
        }
        Box::new(self.begin(Question::Solve(asked, resumed.collect(), left)))
    }

    pub(crate) fn balance(&self) -> CallUnderWay<'_> {
        self.begin(Question::Balance)
    }

    pub(crate) fn report(&self, job: &JobId, verdict: Verdict) -> CallUnderWay<'_> {
        self.begin(Question::Report(job.clone(), verdict))
    }

    fn begin(&self, asked: Question) -> CallUnderWay<'_> {
        CallUnderWay {
            calls: self,
            began: Instant::now(),
            asked: Some(asked),
            result: CallResult::Abandoned,
        }
    }
}

impl CallUnderWay<'_> {
    /// What came of it.
    pub(crate) fn ended(mut self, outcome: Result<impl Into<CallResult>, &SolveError>) {
        self.result = outcome.map_or_else(
            |error| CallResult::Error(serde_json::to_value(error).unwrap_or_default()),
            Into::into,
        );
    }
}

impl From<&Solution> for CallResult {
    fn from(solution: &Solution) -> Self {
        Self::Solution(serde_json::to_value(solution).unwrap_or_default())
    }
}

impl From<&Balance> for CallResult {
    fn from(balance: &Balance) -> Self {
        Self::Balance(balance.to_string())
    }
}

/// Of a report.
impl From<&()> for CallResult {
    fn from((): &()) -> Self {
        Self::Accepted
    }
}

impl Drop for CallUnderWay<'_> {
    fn drop(&mut self) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        let CallRecorder {
            recorder,
            base_url,
            times,
        } = self.calls;
        let (solver, masker) = (recorder.solver.clone(), recorder.masker.clone());
        let recorder = &recorder.recorder;
        let began_ms = recorder.since_start(self.began);
        let ended_ms = recorder.since_start(Instant::now());
        let (base_url, times, result) = (base_url.clone(), *times, self.result.clone());
        // A picture is shared with the request that brought it, and none is kept here.
        recorder.push(4096, move |_| {
            let text = |text: &str| masker.text(text).into_owned();
            // One that is too long with a mask in it is none.
            let job_id = |job: &JobId| JobId::new(text(job.as_str())).ok();
            Line::Call(Box::new(Call {
                solver: solver.as_ref().to_owned(),
                began_ms,
                ended_ms,
                settings: Settings {
                    base_url: text(&base_url),
                    poll_first_ms: millis(times.poll.first),
                    poll_every_ms: millis(times.poll.every),
                    request_timeout_ms: millis(times.request_timeout),
                    job_timeout_ms: millis(times.job_timeout),
                },
                asked: match asked {
                    Question::Balance => Asked::Balance,
                    Question::Report(job, verdict) => Asked::Report {
                        job: job_id(&job).unwrap_or_else(|| JobId::from(0)),
                        verdict,
                    },
                    Question::Solve(challenge, resumed, left) => Asked::Solve(Challenge {
                        picture: describe(challenge.screenshot().bytes(), false),
                        instruction: challenge.instruction().map(text),
                        region: challenge.region(),
                        resumed: resumed.iter().filter_map(job_id).collect(),
                        time_left_ms: left.map(millis).filter(|left| !is_forever(left)),
                    }),
                },
                result: match result {
                    CallResult::Solution(solution) => CallResult::Solution(masker.value(solution)),
                    CallResult::Error(error) => CallResult::Error(masker.value(error)),
                    CallResult::Balance(balance) => CallResult::Balance(text(&balance)),
                    other => other,
                },
            }))
        });
    }
}

impl fmt::Debug for CallUnderWay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallUnderWay")
    }
}
