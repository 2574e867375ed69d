//! `drag-solver solve`: the main job.

use std::cell::Cell;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use drag_solver::config::Chain;
use drag_solver::{DragChallenge, DragSolver, ErrorKind, PaidJob, Rect, Screenshot, SolveError};

use crate::batch::{BatchOptions, run_all};
use crate::chain::options::{ChainArgs, DEFAULT_TIMEOUT};
use crate::chain::registry::all_credentials;
use crate::exit::Exit;
use crate::format::Format;
use crate::parse::{count, duration, paid_job, region};
use crate::sandbox;
use crate::screenshot_input::{self, STDIN};
use crate::task::{Failure, Task};
use crate::ui::annotate::{Annotation, Canvas};
use crate::ui::console::check_stdout;
use crate::ui::text::file_name;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pictures to solve (PNG, JPEG, WebP or GIF); `-` reads one from standard input
    #[arg(required = true, value_name = "SCREENSHOT")]
    screenshots: Vec<PathBuf>,

    #[command(flatten)]
    chain: ChainArgs,

    /// How results are printed; with several screenshots, always in the order they were given
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Write the picture with the drag drawn in, as PNG (one screenshot only)
    #[arg(long, value_name = "PNG")]
    annotate: Option<PathBuf>,

    /// Time for each screenshot, retries and further providers included [default: the deadline of
    /// --config, else 2m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,

    /// How often each provider is asked at most, the first time included; each may cost an answer
    /// [default: 3]
    #[arg(long, value_name = "N", value_parser = count::<NonZeroU32>)]
    attempts: Option<NonZeroU32>,

    /// Screenshots solved at the same time
    #[arg(long, value_name = "N", default_value = "4", value_parser = count::<NonZeroUsize>)]
    concurrency: NonZeroUsize,

    /// The part of the screenshot that holds the challenge, in pixels
    #[arg(long, value_name = "X,Y,W,H", value_parser = region, allow_hyphen_values = true)]
    region: Option<Rect>,

    /// Wait for a job that was paid for before; nothing is bought (one screenshot only)
    #[arg(long, value_name = "PROVIDER:JOB", value_parser = paid_job)]
    resume: Option<PaidJob>,
}

impl Args {
    /// Refuses what clap cannot see: options that make no sense together.
    fn check(&self) -> anyhow::Result<()> {
        let one = self.screenshots.len() == 1;
        ensure!(
            one || self.annotate.is_none(),
            "--annotate takes one screenshot at a time"
        );
        ensure!(
            one || self.resume.is_none(),
            "--resume takes one screenshot at a time"
        );
        let from_stdin = self
            .screenshots
            .iter()
            .filter(|path| path.as_os_str() == STDIN);
        ensure!(
            from_stdin.count() <= 1,
            "standard input can be read once, and `-` is given twice"
        );
        if self.annotate.is_none() {
            check_stdout()?;
        }
        Ok(())
    }

    /// The whole chain, or the one provider whose job is waited for, with nothing around it that buys.
    fn solver(&self, chain: Chain) -> anyhow::Result<Arc<dyn DragSolver>> {
        let Some(job) = &self.resume else {
            return Ok(Arc::new(chain));
        };
        let provider = chain.provider(&job.solver).with_context(|| {
            let asked = match &self.chain.config {
                Some(path) => format!("which is not in {}", file_name(path)),
                None => format!("which is not asked: add --provider {}", job.solver),
            };
            format!("--resume names a job of `{}`, {asked}", job.solver)
        })?;
        Ok(Arc::clone(&provider.checked))
    }

    /// An unknown picture is no failure of the sandbox where there should have been an account.
    fn failure(&self, task: &Task, error: SolveError) -> Failure {
        let is_unknown =
            error.solver() == Some(sandbox::NAME) && error.kind() == ErrorKind::Unsolvable;
        if !is_unknown || !self.chain.is_open() {
            return Failure::Unsolved(error);
        }
        let why = format!(
            "{} was not solved: it is none of the sandbox's test pictures, and there is no account: \
             set {}",
            file_name(&task.path),
            all_credentials()
        );
        Failure::Misconfigured(SolveError::new(ErrorKind::Unauthorized, why))
    }

    fn tasks(&self) -> Vec<Task> {
        let task = |path: &PathBuf| Task {
            path: path.clone(),
            region: self.region,
            paid_jobs: self.resume.iter().cloned().collect(),
        };
        self.screenshots.iter().map(task).collect()
    }
}

/// Solves every screenshot and prints what became of each, until done or interrupted.
pub(crate) async fn run(args: &Args, spinner: bool) -> anyhow::Result<Exit> {
    args.check()?;
    let chain = args.chain.chain(args.attempts, args.timeout)?;
    let limit = args
        .timeout
        .or(chain.time_limit())
        .unwrap_or(DEFAULT_TIMEOUT);
    let solver = &args.solver(chain)?;
    let target = args.annotate.as_deref();
    let annotation = target
        .map(|target| Annotation::prepare(target, &args.screenshots[0]))
        .transpose()?;
    // Only ever one screenshot is drawn on.
    let (annotation, drawing) = (&Cell::new(annotation), &Cell::new(None));

    let tasks = &args.tasks();
    let options = BatchOptions {
        concurrency: args.concurrency.get(),
        format: args.format,
        config: args.chain.config.clone(),
        spinner,
    };
    let exit = run_all(tasks, options, |index, handle| async move {
        let task = &tasks[index];
        let (screenshot, canvas) = read(&task.path, annotation.take())
            .await
            .map_err(|why| task.unusable(&why))?;
        let challenge = handle.observe(task.challenge(screenshot, limit)?);
        let resumed = task.paid_jobs.iter().cloned();
        let challenge = resumed.fold(challenge, DragChallenge::resume_job);
        let answer = solver.solve(&challenge).await;
        let solution = answer.map_err(|error| args.failure(task, error))?;
        drawing.set(canvas.map(|canvas| (canvas, *solution.drag())));
        Ok(solution)
    })
    .await;
    // The answer was printed first: it was paid for, and the picture was not.
    if let Some((canvas, drag)) = drawing.take() {
        canvas.save(&drag)?;
    }
    Ok(exit)
}

/// Reads the screenshot, and decodes it if it is to be drawn on: both before anything is paid.
async fn read(
    path: &Path,
    annotation: Option<Annotation>,
) -> Result<(Screenshot, Option<Canvas>), String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let screenshot = screenshot_input::read(&path)?;
        let canvas = annotation.map(|annotation| annotation.load(&screenshot));
        let canvas = canvas
            .transpose()
            .map_err(|error| format!("cannot draw on {}: {error:#}", file_name(&path)))?;
        Ok((screenshot, canvas))
    });
    read.await.unwrap_or_else(|error| Err(error.to_string()))
}
