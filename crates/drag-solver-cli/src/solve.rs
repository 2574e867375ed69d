//! `drag-solver solve`: the main job.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::annotate::{Annotation, Canvas};
use crate::args::{DEFAULT_TIMEOUT, SolveArgs};
use crate::drive::{Plan, drive};
use crate::outcome::{Exit, Failure, Outcome};
use crate::progress::Board;
use crate::text::one_line;
use crate::{chain, config, input, providers};
use anyhow::{Context as _, ensure};
use drag_solver::combinators::DragSolverExt as _;
use drag_solver::core::{
    DragChallenge, DragSolver, PaidJob, ProgressListener, Rect, Screenshot, Solution, SolveError,
};

/// Solves every screenshot and prints what became of each, until done or interrupted.
pub(crate) async fn run(args: SolveArgs, spinner: bool) -> anyhow::Result<Exit> {
    check(&args)?;
    let task = Task::new(&args)?;
    let target = args.annotate.as_deref();
    let mut annotation = target
        .map(|target| Annotation::prepare(target, &args.screenshots[0]))
        .transpose()?;
    let mut drawing = None;

    let total = args.screenshots.len();
    let board = Board::new(total, spinner);
    let plan = Plan {
        total,
        concurrency: args.concurrency.get(),
        format: args.format,
        config: args.providers.config.clone(),
        board: Arc::clone(&board),
    };
    let work = |index: usize| {
        let annotation = annotation.take(); // only ever one screenshot, if there is one
        let (task, board, path) = (&task, &board, &args.screenshots[index]);
        async move { task.solve(index, path, annotation, board).await }
    };
    let exit = drive(plan, work, |outcome, canvas| {
        drawing = canvas.zip(outcome.drag());
    })
    .await;
    // The answer was printed first: it was paid for, and the picture was not.
    if let Some((canvas, drag)) = drawing {
        canvas.save(&drag)?;
    }
    Ok(exit)
}

/// Refuses what clap cannot see: options that make no sense together.
fn check(args: &SolveArgs) -> anyhow::Result<()> {
    let one = args.screenshots.len() == 1;
    ensure!(
        one || args.annotate.is_none(),
        "--annotate takes one screenshot at a time"
    );
    ensure!(
        one || args.resume.is_none(),
        "--resume takes one screenshot at a time"
    );
    let stdin = |path: &&std::path::PathBuf| path.as_os_str() == input::STDIN;
    ensure!(
        args.screenshots.iter().filter(stdin).count() <= 1,
        "standard input can be read once, and `-` is given twice"
    );
    Ok(())
}

/// What is done with every screenshot.
struct Task {
    chain: Arc<dyn DragSolver>,
    /// From the beginning of a screenshot; otherwise the chain sees to it.
    timeout: Option<Duration>,
    region: Option<Rect>,
    resume: Option<PaidJob>,
}

impl Task {
    fn new(args: &SolveArgs) -> anyhow::Result<Self> {
        let file = args.providers.config.as_deref();
        let mut timeout = args.timeout;
        let chain = if let Some(path) = file {
            let chain = config::load(path)?;
            if chain.time_limit().is_none() {
                timeout = timeout.or(Some(DEFAULT_TIMEOUT));
            }
            chain.shared()
        } else {
            let limit = timeout.unwrap_or(DEFAULT_TIMEOUT);
            timeout = Some(limit);
            let opened = providers::open(&args.providers)?;
            let solvers = opened
                .iter()
                .map(|one| Ok(providers::fitted(one)?.shared()))
                .collect::<anyhow::Result<_>>()?;
            chain::build(solvers, args.attempts, limit)?
        };
        if let Some(job) = &args.resume {
            let asked = match file {
                Some(path) => format!("which is not in {}", one_line(&path.to_string_lossy())),
                None => format!("which is not asked: add --provider {}", job.provider),
            };
            ensure!(
                chain.name().split('|').any(|name| name == job.provider),
                "--resume names a job of `{}`, {asked}",
                job.provider,
            );
        }
        Ok(Self {
            chain,
            timeout,
            region: args.region,
            resume: args.resume.clone(),
        })
    }

    /// What became of one screenshot, and the picture to draw the drag into.
    async fn solve(
        &self,
        index: usize,
        path: &Path,
        annotation: Option<Annotation>,
        board: &Arc<Board>,
    ) -> (Outcome, Option<Canvas>) {
        let screenshot = path.to_string_lossy().into_owned();
        let watch = board.begin(index, &screenshot);
        let (result, canvas) = match read(path, annotation).await {
            Ok((picture, canvas)) => (self.ask(path, picture, watch).await, canvas),
            Err(why) => (Err(Failure::Unusable(why)), None),
        };
        board.finish(index);
        let outcome = Outcome {
            screenshot,
            region: self.region,
            result,
        };
        (outcome, canvas)
    }

    async fn ask(
        &self,
        path: &Path,
        picture: Screenshot,
        watch: Arc<dyn ProgressListener>,
    ) -> Result<Solution, Failure> {
        let challenge = self.challenge(picture, watch).map_err(|error| {
            let name = one_line(&path.to_string_lossy());
            Failure::Unusable(format!("cannot use {name}: {}", error.message()))
        })?;
        let started = Instant::now();
        let answer = self.chain.solve(&challenge).await;
        answer.map_err(|error| Failure::Unsolved {
            error,
            elapsed: started.elapsed(),
        })
    }

    fn challenge(
        &self,
        screenshot: Screenshot,
        watch: Arc<dyn ProgressListener>,
    ) -> Result<DragChallenge, SolveError> {
        let mut challenge = DragChallenge::new(screenshot).with_listener(watch);
        if let Some(limit) = self.timeout {
            challenge = challenge.within(limit);
        }
        if let Some(region) = self.region {
            challenge = challenge.with_region(region)?;
        }
        if let Some(job) = &self.resume {
            challenge = challenge.resuming(job.clone());
        }
        Ok(challenge)
    }
}

/// Reads the screenshot, and decodes it if it is to be drawn on: both before anything is paid.
async fn read(
    path: &Path,
    annotation: Option<Annotation>,
) -> Result<(Screenshot, Option<Canvas>), String> {
    let path = path.to_owned();
    let read = move || {
        let screenshot = input::read(&path).map_err(anyhow::Error::msg)?;
        let canvas = annotation
            .map(|annotation| annotation.load(&screenshot))
            .transpose()
            .with_context(|| format!("cannot draw on {}", one_line(&path.to_string_lossy())))?;
        Ok((screenshot, canvas))
    };
    off_thread(read).await.map_err(|error| format!("{error:#}"))
}

/// Runs `work`, which blocks, where it holds up nobody.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
}
