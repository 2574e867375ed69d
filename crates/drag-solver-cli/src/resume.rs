//! `drag-solver resume`: fetches what was paid for, and buys nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use drag_solver::combinators::{DragSolverExt as _, ValidatePolicy};
use drag_solver::config::Chain;
use drag_solver::core::{
    DragChallenge, DragSolver, PaidJob, ProgressListener, Screenshot, Solution, SolveError,
};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::args::ResumeArgs;
use crate::drive::{Plan, drive};
use crate::lines::{self, Failed, Line};
use crate::outcome::{Exit, Failure, Outcome};
use crate::progress::Board;
use crate::text::one_line;
use crate::{config, console, input, providers};

/// Reads the lines of screenshots that were not solved, and waits for the jobs they name.
pub(crate) async fn run(args: ResumeArgs, spinner: bool) -> anyhow::Result<Exit> {
    let (lines, nothing_bought) = unfinished(lines::from_stdin()?);
    ensure!(
        args.screenshot.is_none() || lines.len() == 1,
        "--screenshot takes one line at a time, and {} have jobs to fetch",
        lines.len()
    );
    let providers = Providers {
        chain: args.config.as_deref().map(config::load).transpose()?,
        poll_interval: args.poll_interval,
    };
    let board = Board::new(lines.len(), spinner);
    let plan = Plan {
        total: lines.len(),
        concurrency: args.concurrency.get(),
        format: args.format,
        config: args.config.clone(),
        board: Arc::clone(&board),
    };
    let work = |index: usize| {
        let (line, providers, board) = (&lines[index], &providers, &board);
        let screenshot = args.screenshot.as_deref();
        async move {
            let name = &line.screenshot;
            let watch = board.begin(index, name);
            let picture = screenshot.unwrap_or(Path::new(name));
            let result = fetch(line, picture, providers, args.timeout, watch).await;
            board.finish(index);
            let outcome = Outcome {
                screenshot: name.clone(),
                region: line.region,
                result,
            };
            (outcome, ())
        }
    };
    let exit = drive(plan, work, |_, ()| ()).await;
    Ok(exit.max(nothing_bought))
}

/// The lines that have jobs to fetch. Those that are solved need nothing; for the others nothing can
/// be done here, and that is said.
fn unfinished(lines: Vec<Line>) -> (Vec<Failed>, Exit) {
    let (mut unfinished, mut exit) = (Vec::new(), Exit::Success);
    for line in lines {
        match line {
            Line::Failed(line) if line.unfinished_jobs().is_empty() => {
                console::note(&format!(
                    "error: {} has no unfinished job: there is nothing to fetch",
                    one_line(&line.screenshot)
                ));
                exit = Exit::Unsolved;
            }
            Line::Failed(line) => unfinished.push(line),
            Line::Solved(_) => {}
        }
    }
    (unfinished, exit)
}

/// Who can be asked about jobs.
struct Providers {
    chain: Option<Chain>,
    poll_interval: Option<Duration>,
}

impl Providers {
    /// The provider called `name`, with nothing around it that would buy.
    fn find(&self, name: &str) -> anyhow::Result<Arc<dyn DragSolver>> {
        if let Some(link) = self.chain.as_ref().and_then(|chain| chain.link(name)) {
            return Ok(Arc::clone(link.checked()));
        }
        ensure!(
            self.chain.is_none(),
            "no provider of the chain is called `{name}`"
        );
        let opened = providers::open_named(name, self.poll_interval)?;
        let solver = providers::fitted(&opened)?;
        Ok(solver.validate(ValidatePolicy::default())?.shared())
    }
}

async fn fetch(
    line: &Failed,
    screenshot: &Path,
    providers: &Providers,
    limit: Duration,
    watch: Arc<dyn ProgressListener>,
) -> Result<Solution, Failure> {
    let jobs = line.unfinished_jobs();
    let picture = read(screenshot.to_owned()).await?;
    let unusable = |error: &SolveError| {
        let name = one_line(&line.screenshot);
        Failure::Unusable(format!("cannot use {name}: {}", error.message()))
    };
    let mut challenge = DragChallenge::new(picture)
        .within(limit)
        .with_listener(watch);
    if let Some(region) = line.region {
        challenge = challenge
            .with_region(region)
            .map_err(|error| unusable(&error))?;
    }
    // Waiting costs nothing, so all are waited for at once; the first answer will do.
    let started = Instant::now();
    let mut waiting: FuturesUnordered<_> = jobs
        .into_iter()
        .map(|job| wait(job, providers, challenge.clone()))
        .collect();
    let mut failed = Vec::new();
    while let Some(outcome) = waiting.next().await {
        match outcome {
            Ok(solution) => return Ok(solution),
            Err(failure) => failed.push(failure),
        }
    }
    Err(all(failed, started.elapsed()))
}

async fn read(path: PathBuf) -> Result<Screenshot, Failure> {
    if path.as_os_str() == input::STDIN {
        return Err(Failure::Unusable(
            "the screenshot came from standard input: say where it is now with --screenshot"
                .to_owned(),
        ));
    }
    let read = tokio::task::spawn_blocking(move || input::read(&path)).await;
    read.unwrap_or_else(|error| Err(error.to_string()))
        .map_err(Failure::Unusable)
}

async fn wait(
    job: PaidJob,
    providers: &Providers,
    challenge: DragChallenge,
) -> Result<Solution, Failure> {
    let provider = providers
        .find(&job.provider)
        .map_err(|error| Failure::Unusable(format!("{job} cannot be fetched: {error:#}")))?;
    let started = Instant::now();
    let answer = provider.solve(&challenge.resuming(job)).await;
    answer.map_err(|error| Failure::Unsolved {
        error,
        elapsed: started.elapsed(),
    })
}

/// What is told of several jobs of which none had an answer.
fn all(mut failed: Vec<Failure>, elapsed: Duration) -> Failure {
    if failed.len() == 1 {
        return failed.remove(0);
    }
    let mut parts = Vec::new();
    for failure in failed {
        match failure {
            Failure::Unsolved { error, elapsed } => parts.push((error, elapsed)),
            unusable => return unusable,
        }
    }
    Failure::Unsolved {
        error: SolveError::all_failed(parts),
        elapsed,
    }
}
