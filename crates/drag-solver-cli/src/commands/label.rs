//! `drag-solver label`: a person says on the operator's page where the true drags are.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::builder::NonEmptyStringValueParser;
use drag_solver::operators::{Desk, DeskPolicy, Operators, OperatorsPolicy, WhenAbsent};
use drag_solver::{DragChallenge, DragSolver as _, Rect, Solution, SolveError};
use drag_solver_mock::pictures::AnswerKey;
use futures_util::{StreamExt as _, stream};

use crate::exit::Exit;
use crate::label_page::LabelPage;
use crate::labels::{Labels, LabelsFile, identity};
use crate::parse::{loopback, region, undo};
use crate::screenshot_input::{STDIN, read_again_later};
use crate::screenshot_paths::PathArgs;
use crate::signals;
use crate::ui::console::{self, eprint_unless_quiet};
use crate::ui::text::{file_name, one_line};

/// Challenges that wait at the desk; the pictures of the others are not in memory.
const IN_LINE: usize = 16;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # every picture in a folder: open the address that it prints; the same line again continues where it stopped
  drag-solver label shots --output labels.jsonl
  # what is to be dragged, for providers that read it, too
  drag-solver label shots --output labels.jsonl --instruction the-star-to-the-hole --region 40,380,510,400")]
pub(crate) struct Args {
    #[command(flatten)]
    paths: PathArgs,

    /// The file that labels are added to, a JSON object a line; screenshots that it has already are not asked about
    #[arg(long, value_name = "JSONL")]
    output: PathBuf,

    /// What is asked of each screenshot: it stands above the picture, and in the label
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    instruction: Option<String>,

    /// The part of each screenshot that holds the challenge, in pixels; it is in the label, too
    #[arg(long, value_name = "X,Y,W,H", value_parser = region, allow_hyphen_values = true)]
    region: Option<Rect>,

    /// Ask about test pictures, too, whose true drag is written in them
    #[arg(long)]
    test_pictures: bool,

    /// How long an answer can be undone before it is added to the file, at most a minute; 0s adds it at once
    #[arg(long, value_name = "DURATION", value_parser = undo, default_value = "3s")]
    undo: Duration,

    /// Where the page is served, on this machine; port 0 is a free one
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        value_parser = loopback,
        default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    )]
    listen: SocketAddr,
}

/// Shows each screenshot that has no label yet to those who have the page open, and adds what they answer to the file.
pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let paths = args.paths.all()?;
    ensure!(
        paths.iter().all(|path| path.as_os_str() != STDIN),
        "a label says which file it is of, and standard input is none: name the file"
    );
    let labels = Labels::read(&args.output)?;
    let mut tally = Tally::default();
    let paths = args.unlabelled(paths, &labels, &mut tally).await;
    tally.left = paths.len();
    let ended = if paths.is_empty() {
        Exit::Success
    } else {
        serve(args, &paths, labels, &mut tally).await?
    };
    eprint_unless_quiet(&format!("{}: {}", file_name(&args.output), tally.summary()));
    Ok(ended.max(tally.exit()))
}

impl Args {
    /// Those that have no label and can be shown. Of the others it is said why not.
    async fn unlabelled(
        &self,
        paths: Vec<PathBuf>,
        labels: &Labels,
        tally: &mut Tally,
    ) -> Vec<PathBuf> {
        let (mut seen, mut unlabelled) = (HashSet::new(), Vec::new());
        let mut test_pictures = 0;
        for path in paths {
            if !seen.insert(identity(&path)) {
                continue;
            }
            if labels.has(&path) {
                tally.before += 1;
                continue;
            }
            match self.challenge(&path).await {
                Err(why) => tally.unusable(&why),
                Ok(challenge) if !self.test_pictures && is_known(&challenge).await => {
                    test_pictures += 1;
                }
                Ok(_) => unlabelled.push(path),
            }
        }
        if test_pictures > 0 {
            eprint_unless_quiet(&format!(
                "note: left out {test_pictures} that have their true drag in them, as test pictures do; \
                 --test-pictures asks about them, too"
            ));
        }
        unlabelled
    }

    async fn challenge(&self, path: &Path) -> Result<DragChallenge, String> {
        let file = path.to_owned();
        let read = tokio::task::spawn_blocking(move || read_again_later(&file)).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()));
        let screenshot = read.map_err(|why| format!("cannot use {}: {why}", file_name(path)))?;
        let mut challenge = DragChallenge::new(screenshot);
        if let Some(instruction) = &self.instruction {
            challenge = challenge.with_instruction(instruction.as_str());
        }
        let Some(region) = self.region else {
            return Ok(challenge);
        };
        let challenge = challenge.with_region(region);
        challenge.map_err(|error| format!("cannot use {}: {}", file_name(path), error.message()))
    }
}

/// Whether the true drag is written in the picture.
async fn is_known(challenge: &DragChallenge) -> bool {
    AnswerKey.solve(challenge).await.is_ok()
}

/// Serves the page until every screenshot was shown and answered, or the command is interrupted.
async fn serve(
    args: &Args,
    paths: &[PathBuf],
    labels: Labels,
    tally: &mut Tally,
) -> anyhow::Result<Exit> {
    let mut file = labels.open()?;
    let desk = Desk::new(DeskPolicy::default().undo(args.undo));
    let page = LabelPage::open(args.listen, &desk).await?;
    eprint_unless_quiet(&format!(
        "{} to label: open this address in a browser; Ctrl-C stops, and the same command continues",
        paths.len()
    ));
    console::print(&page.link).context("cannot write to standard output")?;
    let ended = ask(args, paths, &desk, &mut file, tally).await;
    desk.end();
    page.close().await?;
    ended
}

/// Asks about each in order. If that is interrupted, what was answered by then is in the file, also what could still be
/// undone.
async fn ask(
    args: &Args,
    paths: &[PathBuf],
    desk: &Desk,
    file: &mut LabelsFile,
    tally: &mut Tally,
) -> anyhow::Result<Exit> {
    let policy = OperatorsPolicy::default().when_absent(WhenAbsent::Wait);
    let person = &Operators::new(desk, policy.answer_timeout(Duration::MAX)); // take your time
    let to_come = (0..paths.len()).rev();
    let read = stream::iter(paths.iter().zip(to_come))
        .then(|(path, to_come)| async move { (path, to_come, args.challenge(path).await) });
    let answers = read.map(|(path, to_come, challenge)| {
        desk.expect(to_come);
        async move {
            let challenge = challenge?;
            let answer = person.solve(&challenge).await;
            Ok((path.as_path(), challenge, answer))
        }
    });
    let mut answers = pin!(answers.buffer_unordered(IN_LINE));
    let mut interruption = pin!(signals::interruption());
    let ended = loop {
        tokio::select! {
            biased;
            exit = &mut interruption => break exit,
            answer = answers.next() => match answer {
                None => return Ok(Exit::Success),
                Some(answer) => tally.take(answer, file)?,
            }
        }
    };
    desk.hurry();
    while desk.uncounted() > 0
        && let Some(answer) = answers.next().await
    {
        tally.take(answer, file)?;
    }
    Ok(ended)
}

/// What was asked about a screenshot, and what was said; or why it cannot be shown.
type Asked<'a> = Result<(&'a Path, DragChallenge, Result<Solution, SolveError>), String>;

/// What became of the screenshots.
#[derive(Debug, Default)]
struct Tally {
    /// Those that had a label already.
    before: usize,
    labelled: usize,
    unsolved: usize,
    unusable: usize,
    left: usize,
}

impl Tally {
    /// A screenshot that cannot be shown.
    fn unusable(&mut self, why: &str) {
        self.unusable += 1;
        eprint_unless_quiet(&format!("error: {why}"));
    }

    fn take(&mut self, asked: Asked<'_>, file: &mut LabelsFile) -> anyhow::Result<()> {
        self.left -= 1;
        let (path, challenge, answer) = match asked {
            Ok(asked) => asked,
            Err(why) => {
                self.unusable(&why);
                return Ok(());
            }
        };
        let said = match answer {
            Ok(solution) => {
                file.add(path, &challenge, solution.drag())?;
                self.labelled += 1;
                solution.drag().to_string()
            }
            Err(error) => {
                self.unsolved += 1;
                one_line(error.message())
            }
        };
        let left = self.left;
        eprint_unless_quiet(&format!("{}: {said}; {left} left", file_name(path)));
        Ok(())
    }

    fn exit(&self) -> Exit {
        match self {
            Self { unusable: 1.., .. } => Exit::Screenshot,
            Self { unsolved: 1.., .. } => Exit::Unsolved,
            _ => Exit::Success,
        }
    }

    fn summary(&self) -> String {
        let counts = [
            (self.before, "before"),
            (self.unsolved, "cannot be solved"),
            (self.unusable, "cannot be used"),
            (self.left, "left"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let rest = counts.map(|(count, what)| format!(", {count} {what}"));
        format!("{} labelled{}", self.labelled, rest.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_there_is_to_tell_and_the_status_the_gravest() {
        let mut tally = Tally::default();
        assert_eq!(
            (tally.summary().as_str(), tally.exit()),
            ("0 labelled", Exit::Success)
        );
        (tally.labelled, tally.before, tally.unsolved) = (3, 9, 1);
        assert_eq!(tally.exit(), Exit::Unsolved);
        (tally.unusable, tally.left) = (2, 27);
        let all = "3 labelled, 9 before, 1 cannot be solved, 2 cannot be used, 27 left";
        assert_eq!(
            (tally.summary().as_str(), tally.exit()),
            (all, Exit::Screenshot)
        );
    }
}
