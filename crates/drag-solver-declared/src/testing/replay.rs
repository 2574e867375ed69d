//! A declaration, or a provider, held against what went over the wire.

use std::fmt;
use std::time::Duration;

use drag_solver_core::{
    ConfigError, Drag, DragChallenge, DragSolver, ErrorKind, JobId, PaidJob, Point, Screenshot,
    Solution, SolveError, async_trait,
};
use drag_solver_http::{
    Balance, Context, HttpOptions, HttpSolver, PollInterval, Provider, RecordedAnswer,
    RecordedCall, RecordedQuestion, Recording, ReplayTransport,
};
use drag_solver_mock::fixtures;
use secrecy::SecretString;

use crate::api::DeclaredApi;
use crate::service::Declared;

/// In the place of keys and secrets, which no recording has.
const KEY: &str = "played-back-0123456789";

/// How long a call may take that did not run out of time when it was recorded.
const LONG_ENOUGH: Duration = Duration::from_secs(600);

/// What came of a recording that was played back. Its `Display` is a line for each call, and why one differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "whether it is as recorded is only seen by looking: `assert!(report.passed(), \"{report}\")`"]
pub struct ReplayReport {
    /// The calls of the recording, in the order in which they began.
    pub calls: Vec<ReplayedCall>,
    /// Requests of the recording that were not made, as in `POST createTask`.
    pub unplayed: Vec<String>,
}

/// What came of one call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplayedCall {
    /// What was asked: `solve`, `balance` or `report`.
    pub asked: &'static str,
    /// What the recording says came of it.
    pub recorded: String,
    /// What comes of it now.
    pub found: String,
    /// Requests that are not as they were recorded, and how; and why it failed now, if it did not then.
    pub differences: Vec<String>,
}

impl ReplayedCall {
    /// Whether all of it is as it was recorded.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.recorded == self.found && self.differences.is_empty()
    }
}

impl ReplayReport {
    /// Whether every call came to what was recorded, with the requests that were recorded.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.calls.iter().all(ReplayedCall::passed) && self.unplayed.is_empty()
    }
}

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for call in &self.calls {
            let ReplayedCall {
                asked,
                recorded,
                found,
                differences,
            } = call;
            if call.passed() {
                writeln!(f, "ok       {asked}: {found}")?;
                continue;
            }
            writeln!(f, "DIFFERS  {asked}: {found}")?;
            if recorded != found {
                writeln!(f, "         recorded: {recorded}")?;
            }
            for difference in differences {
                writeln!(f, "         {difference}")?;
            }
        }
        for request in &self.unplayed {
            writeln!(f, "DIFFERS  {request} was recorded, and is not made")?;
        }
        let same = self.calls.iter().filter(|call| call.passed()).count();
        let different = self.calls.len() - same;
        write!(f, "as recorded: {same}, not: {different}")
    }
}

/// Makes the calls of `recording` again, with a solver of `service` that gets the recorded answers. Nothing is
/// sent. If the recording has several solvers, the one of the service's name is taken; if it has one, that one.
///
/// What the service's user has to set is not in a recording: an example stands in its place. A call that had run out
/// of time takes as long again; all others are answered at once.
///
/// # Errors
///
/// There is no call to make, or none that can be made: why.
pub async fn replay(service: &Declared, recording: &Recording) -> Result<ReplayReport, String> {
    let api = service.example_api().map_err(|error| error.to_string())?;
    let names = service.definition().secrets.keys();
    let secrets = names.map(|name| (name.clone(), SecretString::from(KEY)));
    let api = api.with_key(KEY.into(), secrets.collect());
    let make = |options, transport| HttpSolver::with_transport(api.clone(), options, transport);
    replay_to(service.name(), recording, make).await
}

/// The same with the provider `P`, which needs no token for that. Its own settings are those that the variables of
/// `context` are.
///
/// ```
/// use drag_solver_declared::testing::replay_provider;
/// use drag_solver_http::{Context, Provider, Recording};
///
/// async fn is_as_recorded<P: Provider>(recording: &Recording) -> Result<bool, String> {
///     let report = replay_provider::<P>(recording, &Context::process()).await?;
///     println!("{report}");
///     Ok(report.passed())
/// }
/// ```
///
/// # Errors
///
/// Those of [`replay`], and a setting that makes no sense.
pub async fn replay_provider<P: Provider>(
    recording: &Recording,
    context: &Context,
) -> Result<ReplayReport, String> {
    let make = |options: HttpOptions, transport| {
        let context = context.clone().with_transport(transport);
        P::from_config(options.token(KEY), P::Config::default(), &context).map(OfProvider)
    };
    replay_to(P::NAME, recording, make).await
}

/// Who is asked again.
#[async_trait]
trait Replayed: Send + Sync {
    fn solver(&self) -> &dyn DragSolver;
    async fn balance(&self) -> Result<Balance, SolveError>;
}

#[async_trait]
impl Replayed for HttpSolver<DeclaredApi> {
    fn solver(&self) -> &dyn DragSolver {
        self
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }
}

struct OfProvider<P>(P);

#[async_trait]
impl<P: Provider> Replayed for OfProvider<P> {
    fn solver(&self) -> &dyn DragSolver {
        &self.0
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        self.0.balance().await
    }
}

/// Plays the recording of the provider called `name` to what `make` makes.
async fn replay_to<R: Replayed>(
    name: &str,
    recording: &Recording,
    make: impl Fn(HttpOptions, ReplayTransport) -> Result<R, ConfigError>,
) -> Result<ReplayReport, String> {
    let solvers = recording.solvers();
    let solver = match &solvers[..] {
        [] => return Err("the recording is empty".to_owned()),
        [only] => *only,
        several if several.contains(&name) => name,
        several => {
            return Err(format!(
                "the recording is of {}, and none of them is called `{name}`",
                several.join(", "),
            ));
        }
    };
    let recording = recording.clone().of_solver(solver);
    let transport = ReplayTransport::new(&recording);
    let mut calls = Vec::new();
    for call in recording.calls() {
        calls.push(play(&make, &call, &transport).await?);
    }
    if calls.is_empty() {
        return Err(format!("the recording has no call of `{solver}`"));
    }
    // How many polls there are before time is up is a matter of microseconds.
    let is_exact = !recording.calls().any(|call| is_about_time(&call));
    let unplayed = transport.unplayed();
    Ok(ReplayReport {
        calls,
        unplayed: if is_exact { unplayed } else { Vec::new() },
    })
}

async fn play<R: Replayed>(
    make: impl Fn(HttpOptions, ReplayTransport) -> Result<R, ConfigError>,
    call: &RecordedCall,
    transport: &ReplayTransport,
) -> Result<ReplayedCall, String> {
    let is_about_time = is_about_time(call);
    let mut options = HttpOptions::default().name(call.solver.as_str());
    let mut played = transport.clone();
    if is_about_time {
        options = options
            .poll(call.poll)
            .request_timeout(call.request_timeout)
            .job_timeout(call.job_timeout);
    } else {
        let soon = Duration::from_millis(1);
        options = options
            .poll(PollInterval::new(soon, soon))
            .job_timeout(LONG_ENOUGH);
        played = played.at_once();
    }
    let solver = make(options, played).map_err(|error| error.to_string())?;
    let before = transport.unexpected().len();
    let found = match &call.result {
        // Its caller had stopped waiting.
        None => tokio::time::timeout(call.elapsed, ask(&solver, call))
            .await
            .ok()
            .transpose()?,
        Some(_) if is_about_time => Some(ask(&solver, call).await?),
        // A job whose end is not in the recording would be asked about until time is up.
        Some(_) => tokio::select! {
            biased;
            found = ask(&solver, call) => Some(found?),
            () = has_ended(transport, before) => Some(Err(ended())),
        },
    };
    let mut differences = transport.unexpected().split_off(before);
    if is_about_time {
        differences.retain(|difference| difference.contains("not as it was recorded"));
    }
    differences.dedup();
    let (recorded, now) = (in_words(call.result.as_ref()), in_words(found.as_ref()));
    if let Some(Err(error)) = &found
        && recorded != now
    {
        differences.push(error.message().to_owned());
    }
    Ok(ReplayedCall {
        asked: match call.asked {
            RecordedQuestion::Solve { .. } => "solve",
            RecordedQuestion::Report { .. } => "report",
            _ => "balance",
        },
        recorded,
        found: now,
        differences,
    })
}

/// So many requests that are not in the recording, in one call, and it has nothing more to say.
const UNEXPECTED: usize = 10;

/// No more are kept.
const ALL_UNEXPECTED: usize = 100;

/// Waits until a call asks for nothing but what is not in the recording; there were `before` such requests.
async fn has_ended(transport: &ReplayTransport, before: usize) {
    let enough = (before + UNEXPECTED).min(ALL_UNEXPECTED);
    while transport.unexpected().len() < enough {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn ended() -> SolveError {
    let why =
        "the recording has ended, and this call has not: what it answers is not read as an end";
    SolveError::new(ErrorKind::Protocol, why)
}

/// Asks what was asked.
async fn ask(
    replayed: &impl Replayed,
    call: &RecordedCall,
) -> Result<Result<RecordedAnswer, SolveError>, String> {
    let solver = replayed.solver();
    Ok(match &call.asked {
        RecordedQuestion::Solve {
            picture,
            size,
            instruction,
            region,
            resumed,
            time_left,
            ..
        } => {
            let shot = picture.clone().map_or_else(|| stub(*size), Ok)?;
            let mut challenge = DragChallenge::new(shot);
            if let Some(instruction) = instruction {
                challenge = challenge.with_instruction(instruction.as_str());
            }
            if let Some(region) = region {
                let within = challenge.with_region(*region);
                challenge = within.map_err(|error| error.message().to_owned())?;
            }
            for job in resumed {
                challenge = challenge.resume_job(PaidJob::new(solver.name(), job.clone()));
            }
            if let Some(left) = time_left.filter(|_| is_about_time(call)) {
                challenge = challenge.within(left);
            }
            let answer = solver.solve(&challenge).await;
            answer.map(|solution| RecordedAnswer::Solution(Box::new(solution)))
        }
        RecordedQuestion::Report { job, verdict, .. } => {
            // Only the job is told.
            let drag = Drag::new(Point::new(0.0, 0.0), Point::new(1.0, 0.0));
            let solution = Solution::new(drag, solver.name()).with_job(job.clone());
            let reported = solver.report(&solution, *verdict).await;
            reported.map(|()| RecordedAnswer::Accepted)
        }
        _ => {
            let balance = replayed.balance().await;
            balance.map(|balance| RecordedAnswer::Balance(balance.to_string()))
        }
    })
}

/// A picture of this size, without pixels.
fn stub((width, height): (u32, u32)) -> Result<Screenshot, String> {
    let side = |side: u32| {
        u16::try_from(side)
            .ok()
            .filter(|side| (1..=32_767).contains(side))
    };
    match (side(width), side(height)) {
        (Some(width), Some(height)) => Ok(fixtures::screenshot_sized(width, height)),
        _ => Err(format!(
            "the recording has a picture of {width}x{height} px"
        )),
    }
}

/// Whether how long things take decides what comes of it.
fn is_about_time(call: &RecordedCall) -> bool {
    match &call.result {
        None => true,
        Some(Ok(_)) => false,
        Some(Err(error)) => {
            let kind = error.kind();
            matches!(kind, ErrorKind::Timeout | ErrorKind::DeadlineExceeded)
        }
    }
}

/// What a result comes down to. Messages may differ: they are for people.
fn in_words(result: Option<&Result<RecordedAnswer, SolveError>>) -> String {
    let job = |job: Option<&JobId>| job.map_or_else(String::new, |job| format!(", job {job}"));
    match result {
        None => "its caller stopped waiting".to_owned(),
        Some(Ok(RecordedAnswer::Solution(solution))) => {
            // A number is read back from JSON with its last digit off, sometimes.
            let round = |pixels: f64| (pixels * 1e6).round() / 1e6;
            let rounded = |at: Point| Point::new(round(at.x), round(at.y));
            let drag = solution.drag();
            let (start, end) = (rounded(drag.start), rounded(drag.end));
            format!("solved: {start} -> {end}{}", job(solution.job()))
        }
        Some(Ok(RecordedAnswer::Balance(balance))) => balance.clone(),
        Some(Ok(_)) => "taken".to_owned(),
        Some(Err(error)) => {
            let jobs = error.unfinished_jobs();
            let jobs: String = jobs.iter().map(|paid| job(Some(&paid.id))).collect();
            format!("failed: {}, billed {}{jobs}", error.kind(), error.billed())
        }
    }
}
