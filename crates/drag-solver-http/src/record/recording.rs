//! A recording that was read.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_core::text::json_problem;
use drag_solver_core::{JobId, Rect, Screenshot, Solution, SolveError, Verdict};
use serde_json::Value;

use super::format::{Asked, Body, Call, CallResult, Exchange, Header, Line, VERSION};
use crate::PollInterval;

/// The largest recording that is read, in bytes (256 MiB).
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The most lines that are read.
const MAX_LINES: usize = 100_000;

/// The most that is in all of it, counted by what comes before a value in JSON. A value of two bytes takes fifty in memory.
const MAX_VALUES: usize = 4_000_000;

/// What went over the wire, as a [`Recorder`](super::Recorder) wrote it. It may come from a stranger: it is bounded,
/// and what is wrong with it is said with its line.
///
/// ```
/// use drag_solver_http::Recording;
///
/// let text = r#"{"drag_solver_recording": 1}
/// {"exchange": {"solver": "a", "began_ms": 0, "ended_ms": 250, "request": {"method": "GET", "path": "jobs"},
///   "outcome": {"response": {"status": 200, "body": {"text": "OK"}}}}}"#.replace("},\n", "},");
/// let recording = Recording::parse(&text)?;
/// assert_eq!(recording.exchange_count(), 1);
/// let error = Recording::parse("{}").unwrap_err().to_string();
/// assert!(error.starts_with("line 1: "), "{error}");
/// # Ok::<(), drag_solver_http::RecordingError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recording {
    pub(super) exchanges: Vec<Exchange>,
    calls: Vec<Call>,
}

/// One call of a solver in a recording.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedCall {
    /// Who was asked.
    pub solver: String,
    /// How long it took.
    pub elapsed: Duration,
    /// When it was asked for results.
    pub poll: PollInterval,
    /// How long one request had, but for uploads.
    pub request_timeout: Duration,
    /// How long the whole job had.
    pub job_timeout: Duration,
    /// What was asked.
    pub asked: RecordedQuestion,
    /// What came of it; `None` if the caller had stopped waiting.
    pub result: Option<Result<RecordedAnswer, SolveError>>,
}

/// What a solver was asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RecordedQuestion {
    /// Where to drag.
    #[non_exhaustive]
    Solve {
        /// The picture; `None` if the recording has only its digest.
        picture: Option<Screenshot>,
        /// Its format, as in `image/png`.
        format: String,
        /// Its width and height, in pixels.
        size: (u32, u32),
        /// What the challenge said is to be done.
        instruction: Option<String>,
        /// The part of it that was asked about.
        region: Option<Rect>,
        /// Jobs that were paid for before.
        resumed: Vec<JobId>,
        /// What was left until the challenge's deadline.
        time_left: Option<Duration>,
    },
    /// What is left in the account.
    Balance,
    /// It was told whether an answer was right.
    #[non_exhaustive]
    Report {
        /// The job of the answer.
        job: JobId,
        /// What it was told.
        verdict: Verdict,
    },
}

/// What a solver answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RecordedAnswer {
    /// Where to drag.
    Solution(Box<Solution>),
    /// What is left, in words.
    Balance(String),
    /// A report was taken.
    Accepted,
}

/// What is wrong with a recording, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    line: usize,
    problem: String,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl Error for RecordingError {}

impl From<RecordingError> for io::Error {
    fn from(error: RecordingError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl Recording {
    /// Reads the file at `path`. This blocks.
    ///
    /// # Errors
    ///
    /// Why it cannot be read; [`InvalidData`](io::ErrorKind::InvalidData) if it is no recording, with the line.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
        // What is no text is no recording, and refused as such.
        Ok(Self::parse(&String::from_utf8_lossy(&bytes))?)
    }

    /// Reads the text of a recording. A last line without its end, which a crash leaves, is passed over.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and in which line.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let fail = |line: usize, problem: String| Err(RecordingError { line, problem });
        if text.len() as u64 > MAX_BYTES {
            return fail(1, "it is larger than 256 MiB".into());
        }
        let is_before_value = |byte: &u8| b",[{".contains(byte);
        if text.bytes().filter(is_before_value).count() > MAX_VALUES {
            return fail(1, format!("it has more than {MAX_VALUES} values in it"));
        }
        let mut lines = text.lines().enumerate();
        let first = lines.next().map_or("", |(_, line)| line);
        match serde_json::from_str::<Header>(first) {
            Ok(header) if header.drag_solver_recording == VERSION => {}
            Ok(header) => {
                let other = header.drag_solver_recording;
                let problem =
                    format!("it has version {other} of the format, and {VERSION} is read here");
                return fail(1, problem);
            }
            Err(_) => {
                let problem = "it is no recording: one begins with {\"drag_solver_recording\":1}";
                return fail(1, problem.into());
            }
        }
        let mut recording = Self::default();
        for (index, line) in lines {
            if index > MAX_LINES {
                return fail(index + 1, format!("it has more than {MAX_LINES} lines"));
            }
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(line) {
                Ok(Line::Exchange(exchange)) => recording.exchanges.push(*exchange),
                Ok(Line::Call(call)) => recording.calls.push(*call),
                // Half a line: the program was killed.
                Err(error) if error.is_eof() && text.ends_with(line) => {}
                Err(error) => {
                    let problem = json_problem(&error.to_string(), error.is_syntax());
                    return fail(index + 1, problem);
                }
            }
        }
        // They were written when they ended.
        recording.exchanges.sort_by_key(|it| it.began_ms);
        recording.calls.sort_by_key(|it| it.began_ms);
        Ok(recording)
    }

    /// What was recorded of the solver called `solver`.
    #[must_use]
    pub fn of_solver(mut self, solver: &str) -> Self {
        self.exchanges.retain(|it| it.solver == solver);
        self.calls.retain(|it| it.solver == solver);
        self
    }

    /// How many requests it has.
    #[must_use]
    pub fn exchange_count(&self) -> usize {
        self.exchanges.len()
    }

    /// The names of the solvers in it, each once.
    #[must_use]
    pub fn solvers(&self) -> Vec<&str> {
        let calls = self.calls.iter().map(|call| &*call.solver);
        let exchanges = self.exchanges.iter().map(|exchange| &*exchange.solver);
        let mut names: Vec<_> = calls.chain(exchanges).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The calls of solvers, in the order in which they began.
    pub fn calls(&self) -> impl Iterator<Item = RecordedCall> {
        self.calls.iter().map(|call| self.call(call))
    }

    fn call(&self, call: &Call) -> RecordedCall {
        let millis = Duration::from_millis;
        let answer = |answer| Some(Ok(answer));
        // What is no solution and no error was not written by a recorder.
        let unknown = || {
            let why = "the recording has no readable result";
            SolveError::new(drag_solver_core::ErrorKind::Protocol, why)
        };
        RecordedCall {
            solver: call.solver.clone(),
            elapsed: millis(call.ended_ms.saturating_sub(call.began_ms)),
            poll: PollInterval::new(
                millis(call.settings.poll_first_ms),
                millis(call.settings.poll_every_ms),
            ),
            request_timeout: millis(call.settings.request_timeout_ms),
            job_timeout: millis(call.settings.job_timeout_ms),
            asked: match &call.asked {
                Asked::Balance => RecordedQuestion::Balance,
                Asked::Report { job, verdict } => RecordedQuestion::Report {
                    job: job.clone(),
                    verdict: *verdict,
                },
                Asked::Solve(challenge) => RecordedQuestion::Solve {
                    picture: self.picture(&challenge.picture.sha256),
                    format: challenge.picture.format.clone().unwrap_or_default(),
                    size: (
                        challenge.picture.width.unwrap_or_default(),
                        challenge.picture.height.unwrap_or_default(),
                    ),
                    instruction: challenge.instruction.clone(),
                    region: challenge.region,
                    resumed: challenge.resumed.clone(),
                    time_left: challenge.time_left_ms.map(millis),
                },
            },
            result: match &call.result {
                CallResult::Abandoned => None,
                CallResult::Accepted => answer(RecordedAnswer::Accepted),
                CallResult::Balance(balance) => answer(RecordedAnswer::Balance(balance.clone())),
                CallResult::Solution(solution) => match serde_json::from_value(solution.clone()) {
                    Ok(solution) => answer(RecordedAnswer::Solution(solution)),
                    Err(_) => Some(Err(unknown())),
                },
                CallResult::Error(error) => {
                    let error = serde_json::from_value(error.clone());
                    Some(Err(error.unwrap_or_else(|_| unknown())))
                }
            },
        }
    }

    /// The picture of this digest, if a request has it.
    fn picture(&self, sha256: &str) -> Option<Screenshot> {
        let bodies = self
            .exchanges
            .iter()
            .filter_map(|it| it.request.body.as_ref());
        let kept = bodies.filter_map(Body::kept_picture);
        let mut of_digest = kept.filter(|(digest, _)| *digest == sha256);
        let bytes = STANDARD.decode(of_digest.next()?.1).ok()?;
        Screenshot::from_bytes(bytes).ok()
    }
}

impl Body {
    /// The digest of the picture in it, and the picture itself in base64, if it was kept.
    pub(super) fn kept_picture(&self) -> Option<(&str, &str)> {
        match self {
            Self::Json(value) | Self::Text(value) | Self::Binary(value) => kept(value),
            Self::Form(pairs) => pairs.iter().find_map(|(_, value)| kept(value)),
            Self::Multipart(parts) => parts.iter().find_map(|part| kept(&part.value)),
        }
    }
}

fn kept(value: &Value) -> Option<(&str, &str)> {
    match value {
        Value::Array(items) => items.iter().find_map(kept),
        Value::Object(members) => {
            let picture = members.get("picture");
            let text = |name: &str| picture?.get(name)?.as_str();
            match (text("sha256"), text("base64")) {
                (Some(digest), Some(picture)) => Some((digest, picture)),
                _ => members.values().find_map(kept),
            }
        }
        _ => None,
    }
}
