//! `drag-solver resume`: fetches what was paid for, and buys nothing.

mod stored;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use drag_solver::{
    DragChallenge, DragSolver as _, ErrorKind, PaidJob, Screenshot, Solution, SolveError,
};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::batch::{BatchOptions, run_all};
use crate::chain::lookup::ProviderLookup;
use crate::chain::record::RecordArgs;
use crate::chain::store::{StoreArgs, store_help};
use crate::exit::Exit;
use crate::format::Format;
use crate::json_input;
use crate::json_line::{JsonLine, Status};
use crate::parse::{count, duration, poll_interval};
use crate::screenshot_input::{self, STDIN};
use crate::task::{Answer, Failure, Task};
use crate::ui::console::{check_stdout, eprint_unless_quiet};
use crate::ui::hints::Asked;
use crate::ui::text::file_name;

#[derive(Debug, clap::Args)]
#[command(
    mut_arg("store", |arg| store_help(arg, "All that is on record as paid for is fetched, and no lines are read")),
    after_help = "\
Examples:
  # what became of the jobs that were paid for
  drag-solver resume < lines.json
  # every line again, with the answers that have come
  drag-solver resume --format json < lines.json > newer.json
  # all that is on record as paid for; no lines are read
  drag-solver resume --store drags.db
  # a chain from a file, and a screenshot that came from standard input
  drag-solver resume --config chain.toml --screenshot phone.png < line.json"
)]
pub(crate) struct Args {
    /// The file of the chain that was asked
    #[arg(long, value_name = "TOML")]
    config: Option<PathBuf>,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    record: RecordArgs,

    /// Where the screenshot is now, if it is not where the line says (one line only)
    #[arg(long, value_name = "PNG")]
    screenshot: Option<PathBuf>,

    /// How results are printed: as by `solve`, in the order of the lines. As JSON, lines with nothing to fetch
    /// come out as they went in, so that the output can take the place of the input
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Time for each screenshot
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,

    /// Screenshots that are waited for at the same time
    #[arg(long, value_name = "N", default_value = "4", value_parser = count::<NonZeroUsize>)]
    concurrency: NonZeroUsize,

    /// Time between two questions whether a job is done, instead of the provider's own advice
    #[arg(long, value_name = "DURATION", value_parser = poll_interval)]
    poll_interval: Option<Duration>,
}

/// Reads the lines of screenshots that were not solved, and waits for the jobs they name; or takes both from
/// a store.
pub(crate) async fn run(args: Args, spinner: bool) -> anyhow::Result<Exit> {
    check_stdout()?;
    let _recording = args.record.start()?;
    if args.store.is_given() {
        ensure!(
            args.screenshot.is_none(),
            "--screenshot is for a line, and with --store there are none: the pictures are on record"
        );
        return stored::run(&args, spinner).await;
    }
    let providers = &ProviderLookup::new(args.config.as_deref(), args.poll_interval)?;
    let (mut lines, mut exit) = json_input::from_stdin()?;
    if args.format == Format::Text {
        let nothing_to_fetch = lines.extract_if(.., |line| jobs(line).is_empty());
        for line in nothing_to_fetch.filter(|line| matches!(line.status, Status::Failed { .. })) {
            let name = file_name(&line.screenshot.path());
            eprint_unless_quiet(&format!(
                "error: {name} has no unfinished job: there is nothing to fetch"
            ));
            exit = exit.max(Exit::Unsolved);
        }
        if lines.is_empty() && exit == Exit::Success {
            eprint_unless_quiet("nothing is to be fetched: all of it is solved");
        }
    }
    let mut tasks: Vec<Task> = lines.iter().map(task).collect();
    if let Some(path) = args.screenshot {
        ensure!(
            !path.is_dir(),
            "--screenshot takes a picture, and {} is a directory",
            file_name(&path)
        );
        let mut to_fetch: Vec<&mut Task> = tasks
            .iter_mut()
            .filter(|task| !task.paid_jobs.is_empty())
            .collect();
        let [only] = &mut to_fetch[..] else {
            bail!(
                "--screenshot takes one line at a time, and {} have jobs to fetch",
                to_fetch.len()
            );
        };
        only.path = path;
    }
    let (lines, tasks) = (&lines, &tasks);
    let options = BatchOptions {
        concurrency: args.concurrency.get(),
        format: args.format,
        unordered: false,
        asked: Asked {
            config: args.config,
            ..Asked::default()
        },
        spinner,
    };
    let ended = run_all(tasks, options, |index, handle| async move {
        let task = &tasks[index];
        match &lines[index].status {
            Status::Solved(solution) => {
                if lines[index].on_record {
                    handle.mark_on_record();
                }
                Ok(Solution::clone(solution).into())
            }
            Status::Failed { error } if task.paid_jobs.is_empty() => {
                Err(Failure::Unsolved(error.clone()))
            }
            Status::Failed { .. } => {
                let screenshot = read(task).await?;
                let challenge = handle.observe(task.challenge(screenshot, args.timeout)?);
                fetch(task, &challenge, providers).await.map(Answer::from)
            }
        }
    })
    .await;
    Ok(exit.max(ended))
}

fn task(line: &JsonLine) -> Task {
    Task {
        path: line.screenshot.path(),
        id: line.id.clone(),
        region: line.region,
        paid_jobs: jobs(line),
    }
}

fn jobs(line: &JsonLine) -> Vec<PaidJob> {
    match &line.status {
        Status::Solved(_) => Vec::new(),
        Status::Failed { error } => error.unfinished_jobs(),
    }
}

async fn read(task: &Task) -> Result<Screenshot, Failure> {
    if task.path.as_os_str() == STDIN {
        let why = "the screenshot came from standard input: say where it is now with --screenshot";
        let error = SolveError::new(ErrorKind::InvalidChallenge, why);
        return Err(misconfigured(error, &task.paid_jobs));
    }
    let read = screenshot_input::read_and(&task.path, Ok).await;
    read.map_err(|why| task.unusable(&why))
}

/// Waits for all of the jobs at once, which costs nothing; the first answer will do.
async fn fetch(
    task: &Task,
    challenge: &DragChallenge,
    providers: &ProviderLookup,
) -> Result<Solution, Failure> {
    let started = Instant::now();
    let mut waiting: FuturesUnordered<_> = task
        .paid_jobs
        .iter()
        .map(|job| wait(job, providers, challenge.clone()))
        .collect();
    let mut failed = Vec::new();
    while let Some(outcome) = waiting.next().await {
        match outcome {
            Ok(solution) => return Ok(solution),
            Err(failure) => failed.push(failure),
        }
    }
    if failed.len() == 1 {
        return Err(failed.remove(0));
    }
    let is_misconfigured = |failure: &Failure| matches!(failure, Failure::Misconfigured(_));
    let misconfigured = failed.iter().any(is_misconfigured);
    let errors = failed.iter().map(|failure| failure.error().clone());
    let error = SolveError::all_failed(errors.collect()).with_elapsed(started.elapsed());
    Err(if misconfigured {
        Failure::Misconfigured(error)
    } else {
        Failure::Unsolved(error)
    })
}

async fn wait(
    job: &PaidJob,
    providers: &ProviderLookup,
    challenge: DragChallenge,
) -> Result<Solution, Failure> {
    match providers.find(&job.solver) {
        Ok(provider) => {
            let resumed = challenge.resume_job(job.clone());
            let answer = provider.checked.solve(&resumed).await;
            answer.map_err(Failure::Unsolved)
        }
        Err(error) => {
            let why = format!("{job} cannot be fetched: {error:#}");
            let error = SolveError::new(ErrorKind::Unsupported, why);
            Err(misconfigured(error, std::slice::from_ref(job)))
        }
    }
}

/// Something has to be mended first; the jobs are still there.
fn misconfigured(error: SolveError, jobs: &[PaidJob]) -> Failure {
    Failure::Misconfigured(error.with_unfinished_jobs(jobs.iter().cloned()))
}
