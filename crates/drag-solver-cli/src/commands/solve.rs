//! `drag-solver solve`: the main job.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::builder::NonEmptyStringValueParser;
use drag_solver::config::Chain;
use drag_solver::store::StoreExt as _;
use drag_solver::{DragChallenge, DragSolver, ErrorKind, PaidJob, Rect, Screenshot, SolveError};

use crate::annotation_targets::AnnotateArgs;
use crate::batch::{BatchOptions, run_all};
use crate::chain::options::{ChainArgs, DEFAULT_TIMEOUT};
use crate::chain::record::RecordArgs;
use crate::chain::registry::{PERSON, all_credentials};
use crate::chain::store::{StoreArgs, store_help, with_default_id};
use crate::exit::Exit;
use crate::format::Format;
use crate::help::after_help;
use crate::parse::{count, duration, paid_job, region};
use crate::sandbox;
use crate::screenshot_input;
use crate::screenshot_paths::PathArgs;
use crate::task::{Answer, Failure, Task};
use crate::ui::annotate::Annotation;
use crate::ui::console::{self, check_stdout};
use crate::ui::hints::{Asked, PEOPLE_HINT};
use crate::ui::text::file_name;

const EXAMPLES: &str = "\
Examples:
  # one screenshot, and a picture with the drag drawn in
  drag-solver solve phone.png --annotate drawn.png
  # one provider, and another if it fails
  drag-solver solve --provider omocaptcha --provider 2captcha phone.png
  # every picture in a folder, for a program
  drag-solver solve --format json shots > lines.json
  # what another command finds, each answer when it is there
  find shots -name '*.png' -newer last -print0 | drag-solver solve --unordered -0 --files-from -
  # a batch that the same line continues if it is interrupted
  drag-solver solve --store drags.db shots
  # what went over the wire, for a bug report; it holds no key and no picture
  drag-solver solve --record wire.jsonl phone.png
  # standard input, under the name that you have for it
  drag-solver solve --format json --id order-7 - < phone.png";

#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{}", after_help()),
    mut_arg("store", |arg| store_help(arg, "With it, the same line again, also after a crash, skips what is solved, which \
        it prints as on record, and fetches what is paid for"))
)]
pub(crate) struct Args {
    #[command(flatten)]
    paths: PathArgs,

    #[command(flatten)]
    chain: ChainArgs,

    /// How results are printed; as text, as in `83,560 -> 320,560  omocaptcha 2.1 s $0.0009`
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Print each result when it is there, and not in the order of the screenshots
    #[arg(long)]
    unordered: bool,

    #[command(flatten)]
    annotate: AnnotateArgs,

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

    /// What you call the screenshot; it is in the line of JSON (one screenshot only)
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    id: Option<String>,

    /// Whose the screenshots are: budgets in a store can be kept by it, and `drag-solver spend --by label` tells them
    /// apart
    #[arg(long, value_name = "LABEL", value_parser = NonEmptyStringValueParser::new())]
    label: Option<String>,

    #[command(flatten)]
    record: RecordArgs,

    #[command(flatten)]
    store: StoreArgs,

    /// Buy again for screenshots of which --store has a purchase that was sent and never heard of: that may pay twice
    #[arg(long)]
    buy_unconfirmed: bool,

    /// Wait for a job that was paid for before; nothing is bought (one screenshot only)
    #[arg(long, value_name = "PROVIDER:JOB", value_parser = paid_job)]
    resume: Option<PaidJob>,
}

impl Args {
    /// Refuses what clap cannot see: options that make no sense for as many screenshots.
    fn check(&self, screenshots: usize) -> anyhow::Result<()> {
        for (is_given, option) in [
            (self.resume.is_some(), "--resume"),
            (self.id.is_some(), "--id"),
        ] {
            ensure!(
                screenshots == 1 || !is_given,
                "{option} takes one screenshot at a time, and there are {screenshots}"
            );
        }
        if !self.annotate.any() {
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
        let checked = Arc::clone(&provider.checked);
        Ok(match chain.store() {
            Some(store) => Arc::new(checked.durable(store)),
            None => checked,
        })
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

    fn tasks(&self, paths: Vec<PathBuf>) -> Vec<Task> {
        let task = |path| Task {
            path,
            id: self.id.clone(),
            region: self.region,
            paid_jobs: self.resume.iter().cloned().collect(),
        };
        paths.into_iter().map(task).collect()
    }
}

/// Solves every screenshot and prints what became of each, until done or interrupted.
pub(crate) async fn run(args: &Args, spinner: bool) -> anyhow::Result<Exit> {
    let paths = args.paths.all()?;
    args.check(paths.len())?;
    let _recording = args.record.start()?;
    let store = args.store.clone().buying_unconfirmed(args.buy_unconfirmed);
    let source = args.chain.source(args.attempts, args.timeout, &store)?;
    let chain = source.build()?;
    let people = chain.providers().iter().filter(|one| one.kind == PERSON);
    let people: Vec<String> = people.map(|one| one.name().to_owned()).collect();
    for name in &people {
        console::eprint_unless_quiet(&format!("note: {name} cannot answer here: {PEOPLE_HINT}"));
    }
    let has_store = chain.store().is_some();
    let limit = args
        .timeout
        .or(chain.time_limit())
        .unwrap_or(DEFAULT_TIMEOUT);
    let solver = &args.solver(chain)?;
    let targets = &args.annotate.targets(&paths)?;
    let tasks = &args.tasks(paths);
    let options = BatchOptions {
        concurrency: args.concurrency.get(),
        format: args.format,
        unordered: args.unordered,
        asked: Asked {
            config: args.chain.config.clone(),
            store: source.store_place(),
            people,
        },
        spinner,
    };
    let exit = run_all(tasks, options, |index, handle| async move {
        let task = &tasks[index];
        let (screenshot, annotation) = read(&task.path, targets.get(index))
            .await
            .map_err(|why| task.unusable(&why))?;
        let mut challenge = task.challenge(screenshot, limit)?;
        if let Some(label) = &args.label {
            challenge = challenge.with_label(label.as_str());
        }
        let challenge = if has_store {
            with_default_id(challenge, &default_name(&task.path))
        } else {
            challenge
        };
        let challenge = handle.observe(challenge);
        let resumed = task.paid_jobs.iter().cloned();
        let challenge = resumed.fold(challenge, DragChallenge::resume_job);
        let answer = solver.solve(&challenge).await;
        let solution = answer.map_err(|error| args.failure(task, error))?;
        Ok(Answer {
            solution,
            annotation,
        })
    });
    Ok(exit.await)
}

/// What a screenshot is called in a store: the name of its file, wherever that is.
fn default_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Reads the screenshot, and makes sure that it can be drawn on if it is to be: both before anything is
/// paid.
async fn read(
    path: &Path,
    target: Option<&PathBuf>,
) -> Result<(Screenshot, Option<Annotation>), String> {
    let (target, name) = (target.cloned(), file_name(path));
    screenshot_input::read_and(path, move |screenshot| {
        let annotation = target.map(|target| Annotation::new(target, screenshot.clone()));
        let annotation = annotation
            .transpose()
            .map_err(|error| format!("cannot draw on {name}: {error:#}"))?;
        Ok((screenshot, annotation))
    })
    .await
}
