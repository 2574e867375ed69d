//! A solver that does what a test tells it to, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use drag_solver_core::{
    Drag, DragChallenge, DragSolver, ErrorKind, JobId, Point, Progress, Screenshot, Solution,
    SolveError, Verdict, async_trait,
};
use tokio::time::Instant;

/// A challenge on a screenshot of 591 x 1149 px.
pub(crate) fn challenge() -> DragChallenge {
    let gif = b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec();
    DragChallenge::new(Screenshot::from_bytes(gif).unwrap())
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The answer that [`Scripted`] gives unless told otherwise.
pub(crate) fn drag() -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0))
}

pub(crate) fn error(kind: ErrorKind) -> SolveError {
    SolveError::new(kind, format!("{kind} on purpose"))
}

/// One call that a [`Scripted`] solver received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) deadline: Option<Instant>,
    /// The job it was to resume.
    pub(crate) resumes: Option<JobId>,
}

type Outcome = Result<Solution, SolveError>;

#[derive(Debug)]
struct Step {
    takes: Duration,
    /// The job it says it buys.
    job: Option<JobId>,
    /// Whether it comes back when its deadline passes.
    punctual: bool,
    outcome: Outcome,
}

#[derive(Debug)]
pub(crate) struct Scripted {
    name: &'static str,
    steps: Mutex<VecDeque<Step>>,
    calls: Mutex<Vec<Call>>,
    reports: Mutex<Vec<(Solution, Verdict)>>,
    report_takes: Duration,
    report_refused: bool,
}

impl Scripted {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            steps: Mutex::default(),
            calls: Mutex::default(),
            reports: Mutex::default(),
            report_takes: Duration::ZERO,
            report_refused: false,
        }
    }

    fn step(self, takes: Duration, job: Option<u64>, punctual: bool, outcome: Outcome) -> Self {
        self.steps.lock().unwrap().push_back(Step {
            takes,
            job: job.map(JobId::from),
            punctual,
            outcome,
        });
        self
    }

    /// Answers after `takes`.
    pub(crate) fn answers(self, takes: Duration) -> Self {
        let solution = Solution::new(drag(), self.name).with_elapsed(takes);
        self.step(takes, None, true, Ok(solution))
    }

    /// Answers at once with this drag.
    pub(crate) fn answers_with(self, drag: Drag) -> Self {
        let solution = Solution::new(drag, self.name);
        self.step(Duration::ZERO, None, true, Ok(solution))
    }

    /// Fails after `takes`.
    pub(crate) fn fails(self, takes: Duration, error: SolveError) -> Self {
        let error = error.with_provider(self.name);
        self.step(takes, None, true, Err(error))
    }

    /// Buys `job` (or resumes it) and never answers: comes back at its deadline with the job's id.
    pub(crate) fn stalls(self, job: u64) -> Self {
        let never = error(ErrorKind::Protocol).with_provider(self.name);
        self.step(Duration::MAX, Some(job), true, Err(never))
    }

    /// Buys `job` (or resumes it) and answers after `takes`.
    pub(crate) fn buys(self, job: u64, takes: Duration) -> Self {
        let solution = Solution::new(drag(), self.name).with_job(JobId::from(job));
        self.step(takes, Some(job), true, Ok(solution))
    }

    /// Buys `job`, if there is one, and never comes back, whatever its deadline.
    pub(crate) fn overstays(self, job: Option<u64>) -> Self {
        let never = error(ErrorKind::Protocol);
        self.step(Duration::MAX, job, false, Err(never))
    }

    pub(crate) fn reporting_takes(mut self, takes: Duration) -> Self {
        self.report_takes = takes;
        self
    }

    pub(crate) fn refusing_reports(mut self) -> Self {
        self.report_refused = true;
        self
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn reports(&self) -> Vec<(Solution, Verdict)> {
        self.reports.lock().unwrap().clone()
    }
}

#[async_trait]
impl DragSolver for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let provider = self.name;
        let resumes = challenge.paid_job(provider).cloned();
        self.calls.lock().unwrap().push(Call {
            at: Instant::now(),
            deadline: challenge.deadline(),
            resumes: resumes.clone(),
        });
        let step = self.steps.lock().unwrap().pop_front();
        let step = step.unwrap_or_else(|| panic!("{provider} was asked once too often"));
        if let Some(job) = &step.job {
            challenge.notify(&Progress::Started { provider });
            if resumes.is_some() {
                challenge.notify(&Progress::Resumed { provider, job });
            } else {
                challenge.notify(&Progress::Buying { provider });
                challenge.notify(&Progress::Bought { provider, job });
            }
        }
        let done = Instant::now().checked_add(step.takes);
        let due = challenge.deadline().filter(|_| step.punctual);
        match (done, due) {
            (Some(done), due) if due.is_none_or(|due| done <= due) => {
                tokio::time::sleep_until(done).await;
            }
            (_, Some(due)) => {
                tokio::time::sleep_until(due).await;
                let late = error(ErrorKind::DeadlineExceeded).with_provider(provider);
                return Err(match step.job {
                    Some(job) => late
                        .with_charge(drag_solver_core::Charge::Unknown)
                        .with_job(job),
                    None => late,
                });
            }
            _ => std::future::pending().await,
        }
        if let Some(job) = &step.job {
            challenge.notify(&Progress::Settled { provider, job });
        }
        step.outcome
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        tokio::time::sleep(self.report_takes).await;
        if self.report_refused {
            return Err(error(ErrorKind::Unsupported).with_provider(self.name));
        }
        let mut reports = self.reports.lock().unwrap();
        reports.push((solution.clone(), verdict));
        Ok(())
    }
}

/// A solver that only has a name, and prints as that.
pub(crate) struct Named(pub(crate) &'static str);

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[async_trait]
impl DragSolver for Named {
    fn name(&self) -> &str {
        self.0
    }

    async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
        Ok(Solution::new(drag(), self.0))
    }
}
