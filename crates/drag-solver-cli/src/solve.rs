//! `drag-solver solve`: the main job.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use drag_solver::core::{
    DragChallenge, DragSolver, PaidJob, ProgressListener, Rect, Screenshot, Solution, SolveError,
};
use futures_util::{StreamExt as _, stream};

use crate::annotate::{Annotation, Canvas};
use crate::args::SolveArgs;
use crate::outcome::{Exit, Failure, Outcome};
use crate::printer::Printer;
use crate::progress::Board;
use crate::text::one_line;
use crate::{chain, console, input, interrupt, providers};

/// Solves every screenshot and prints what became of each, until done or interrupted.
pub(crate) async fn run(args: SolveArgs, spinner: bool) -> anyhow::Result<Exit> {
    check(&args)?;
    let task = Task::new(&args).await?;
    let target = args.annotate.as_deref();
    let mut annotation = target
        .map(|target| Annotation::prepare(target, &args.screenshots[0]))
        .transpose()?;
    let mut drawing = None;

    let total = args.screenshots.len();
    let board = Board::new(total, spinner);
    let mut printer = Printer::new(args.format, total > 1, &board);
    let mut outcomes = pin!(
        stream::iter(args.screenshots.iter().enumerate())
            .map(|(index, path)| {
                let annotation = annotation.take(); // only ever one screenshot, if there is one
                let (task, board) = (&task, &board);
                async move {
                    let (outcome, canvas) = task.solve(index, path, annotation, board).await;
                    (index, outcome, canvas)
                }
            })
            .buffer_unordered(args.concurrency.get())
    );
    let mut stop = pin!(interrupt::signal());
    let ended: io::Result<Exit> = loop {
        tokio::select! {
            biased;
            exit = &mut stop => break Ok(exit),
            next = outcomes.next() => match next {
                None => break Ok(Exit::Success),
                Some((index, outcome, canvas)) => {
                    drawing = canvas.zip(outcome.drag());
                    if let Err(error) = printer.add(index, outcome) {
                        break Err(error);
                    }
                }
            }
        }
    };

    // Whatever has not ended now is abandoned; nothing of it is left behind unsaid.
    board.clear();
    let ended = ended.unwrap_or_else(|error| {
        console::note(&format!("error: cannot write to standard output: {error}"));
        Exit::Unusable
    });
    for (index, work) in board.under_way() {
        printer.interrupted(index, work);
    }
    let exit = printer.finish(total).max(ended);
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
    timeout: Duration,
    region: Option<Rect>,
    resume: Option<PaidJob>,
}

impl Task {
    async fn new(args: &SolveArgs) -> anyhow::Result<Self> {
        let providers = providers::open(&args.providers).await?;
        if let Some(job) = &args.resume {
            ensure!(
                providers.iter().any(|asked| asked.name() == job.provider),
                "--resume names a job of `{}`, which is not asked: add --provider {}",
                job.provider,
                job.provider
            );
        }
        let solvers = providers
            .into_iter()
            .map(|provider| provider as _)
            .collect();
        Ok(Self {
            chain: chain::build(solvers, args.attempts, args.timeout)?,
            timeout: args.timeout,
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
        (Outcome { screenshot, result }, canvas)
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
        let mut challenge = DragChallenge::new(screenshot)
            .within(self.timeout)
            .with_listener(watch);
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
