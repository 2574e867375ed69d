//! What the command line accepts, and its help.

use std::fmt::Write as _;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use drag_solver::config::Kind;
use drag_solver::core::{JobId, PaidJob, Rect, Verdict};

use crate::providers;

/// Time for a screenshot, unless somebody says otherwise.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

fn after_help() -> String {
    let mut environment = String::new();
    for kind in providers::registry().kinds() {
        for variable in kind.variables() {
            let (name, meaning) = (variable.name, variable.meaning);
            let default = variable
                .default
                .map(|default| format!("; default {default}"));
            let default = default.unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = writeln!(
                environment,
                "  {name:<22}  {}: {meaning}{default}",
                kind.name()
            );
        }
    }
    format!(
        "\
Exit status:
  0    everything was solved, reported or found in order
  1    at least one screenshot was not solved or not reported, or a balance is not known
  2    wrong usage or configuration, or a file that cannot be read or written
  130  interrupted (Ctrl-C); 143 if by a request to terminate

Environment:
{environment}  {:<22}  if set, nothing is coloured

Without --provider and --config, every provider with a token or key there is asked, in this order. No
option takes a token, because arguments are visible to every user of a machine.

Results go to standard output, everything else to standard error.",
        "NO_COLOR"
    )
}

/// Find where to drag: a screenshot in, the two points of its drag out.
#[derive(Debug, Parser)]
#[command(name = "drag-solver", version, after_help = after_help())]
pub(crate) struct Args {
    /// Show what happens on standard error: -v each attempt, -vv connections too, -vvv everything
    #[arg(short, long, action = ArgAction::Count, global = true, display_order = 100)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Solve screenshots and print where each drag starts and ends
    #[command(after_long_help = after_help())]
    Solve(SolveArgs),
    /// Print how much money each provider's account holds
    Balance(BalanceArgs),
    /// Print what a chain's file makes, and what a call of it can take and cost at the worst
    Check(CheckArgs),
    /// Tell providers whether answers were right, from the lines that `solve --format json` printed
    Report(ReportArgs),
    /// Fetch answers that were paid for and did not come in time, from the lines that
    /// `solve --format json` printed; nothing is bought
    Resume(ResumeArgs),
    /// Draw a test picture that the sandbox can solve, and print its true drag
    Challenge(ChallengeArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        shell: Shell,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct SolveArgs {
    /// Pictures to solve (PNG, JPEG, WebP or GIF); `-` reads one from standard input
    #[arg(required = true, value_name = "SCREENSHOT")]
    pub(crate) screenshots: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) providers: ProviderArgs,

    /// How results are printed; with several screenshots, always in the order they were given
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Write the picture with the drag drawn in, as PNG (one screenshot only)
    #[arg(long, value_name = "PNG")]
    pub(crate) annotate: Option<PathBuf>,

    /// Time for each screenshot, retries and further providers included [default: the deadline of
    /// --config, else 2m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,

    /// How often each provider is asked at most, the first time included; each may cost an answer
    #[arg(long, value_name = "N", default_value = "3", conflicts_with = "config")]
    pub(crate) attempts: NonZeroU32,

    /// Screenshots solved at the same time
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) concurrency: NonZeroUsize,

    /// The part of the screenshot that holds the challenge, in pixels
    #[arg(long, value_name = "X,Y,W,H", value_parser = region, allow_hyphen_values = true)]
    pub(crate) region: Option<Rect>,

    /// Wait for a job that was paid for before, instead of buying another (one screenshot only)
    #[arg(long, value_name = "PROVIDER:JOB", value_parser = paid_job)]
    pub(crate) resume: Option<PaidJob>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProviderArgs {
    /// Who is asked; give it again for a provider to fall back on, in that order. Without it: those
    /// whose credentials are in the environment, else the sandbox, which knows only test pictures
    #[arg(long = "provider", value_name = "NAME", value_parser = names())]
    pub(crate) names: Vec<String>,

    /// Who is asked, and how: the chain in this file
    #[arg(long, value_name = "TOML", conflicts_with_all = ["names", "poll_interval"])]
    pub(crate) config: Option<PathBuf>,

    /// Time between two questions whether a job is done, instead of the provider's own advice
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) poll_interval: Option<Duration>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The file of the chain
    #[arg(value_name = "TOML")]
    pub(crate) chain: PathBuf,

    /// Ask each provider how much money its account holds, which shows that the token is right
    #[arg(long)]
    pub(crate) online: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The drags were accepted
    #[arg(
        long,
        required_unless_present = "incorrect",
        conflicts_with = "incorrect"
    )]
    correct: bool,

    /// The drags were refused
    #[arg(long)]
    incorrect: bool,

    /// The file of the chain that was asked
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,

    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

impl ReportArgs {
    pub(crate) fn verdict(&self) -> Verdict {
        if self.correct {
            Verdict::Correct
        } else {
            Verdict::Incorrect
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {
    /// The file of the chain that was asked
    #[arg(long, value_name = "TOML", conflicts_with = "poll_interval")]
    pub(crate) config: Option<PathBuf>,

    /// Where the screenshot is now, if it is not where the line says (one line only)
    #[arg(long, value_name = "PNG")]
    pub(crate) screenshot: Option<PathBuf>,

    /// How results are printed; always in the order of the lines
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Time for each screenshot
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub(crate) timeout: Duration,

    /// Screenshots that are waited for at the same time
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) concurrency: NonZeroUsize,

    /// Time between two questions whether a job is done, instead of the provider's own advice
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) poll_interval: Option<Duration>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BalanceArgs {
    #[command(flatten)]
    pub(crate) providers: ProviderArgs,

    /// How balances are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ChallengeArgs {
    /// Which picture: the same seed and size always draw the same one
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Where to write the picture; `-` writes it to standard output, and the drag to standard error
    #[arg(long, value_name = "PNG")]
    pub(crate) out: PathBuf,

    /// Size of the picture in pixels
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) size: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: `83,560 -> 320,560`, then the provider and the seconds it took
    Text,
    /// For programs: one JSON object a line
    Json,
}

/// What `--provider` accepts.
fn names() -> PossibleValuesParser {
    let values = providers::registry().kinds().map(|kind| {
        let aliases = kind.aliases();
        let mut about = kind.about().to_owned();
        if let Some(alias) = aliases.first() {
            let _ = write!(about, ", also called {alias}");
        }
        PossibleValue::new(kind.name()).help(about).aliases(aliases)
    });
    PossibleValuesParser::new(values)
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(_) => Err("write a number and its unit, as in 60s, 500ms or 1m30s".to_owned()),
    }
}

fn region(text: &str) -> Result<Rect, String> {
    text.parse::<Rect>()
        .map_err(|error| error.message().to_owned())
}

fn size(text: &str) -> Result<(u32, u32), String> {
    text.split_once(['x', 'X'])
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
        .ok_or_else(|| "write width and height in pixels, as in 591x1149".to_owned())
}

fn paid_job(text: &str) -> Result<PaidJob, String> {
    let (provider, id) = text
        .split_once(':')
        .ok_or("write the provider and its id for the job, as in omocaptcha:123456")?;
    let provider = providers::find(provider).map_or(provider, Kind::name);
    let id = JobId::new(id).map_err(|error| error.to_string())?;
    Ok(PaidJob::new(provider, id))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn solve(arguments: &[&str]) -> Result<SolveArgs, String> {
        let all = ["drag-solver", "solve"].iter().chain(arguments);
        match Args::try_parse_from(all) {
            Ok(Args {
                command: Command::Solve(solve),
                ..
            }) => Ok(solve),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_are_written_for_people() {
        let timeout = |text| solve(&["a.png", "--timeout", text]).map(|args| args.timeout);
        assert_eq!(timeout("60s"), Ok(Some(Duration::from_secs(60))));
        assert_eq!(timeout("1m30s"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(timeout("500ms"), Ok(Some(Duration::from_millis(500))));
        for bad in ["60", "", "soon", "9999999999999999999999s"] {
            assert!(timeout(bad).unwrap_err().contains("as in 60s"), "{bad}");
        }
        assert!(timeout("0s").unwrap_err().contains("longer than nothing"));
    }

    #[test]
    fn shapes_are_checked_before_anything_else() {
        let args = solve(&["a.png", "--region", "40,380,510,400"]).unwrap();
        assert_eq!(args.region, Some(Rect::new(40.0, 380.0, 510.0, 400.0)));
        let error = solve(&["a.png", "--region", "-1,2,3"]).unwrap_err();
        assert!(error.contains("write x,y,w,h in pixels"), "{error}");
        assert_eq!(size("591x1149"), Ok((591, 1149)));
        for bad in ["591", "591x", "x", "-1x5", "1x2x3"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_paid_job_names_its_provider() {
        let args = solve(&["a.png", "--resume", "omocaptcha:12:34"]).unwrap();
        let job = PaidJob::new("omocaptcha", JobId::new("12:34").unwrap());
        assert_eq!(args.resume, Some(job));
        let args = solve(&["a.png", "--resume", "2captcha:9"]).unwrap();
        assert_eq!(args.resume.unwrap().provider, "twocaptcha");
        assert!(solve(&["a.png", "--resume", "123"]).is_err());
        assert!(solve(&["a.png", "--resume", "omocaptcha:"]).is_err());
    }

    #[test]
    fn an_unknown_provider_is_told_the_known_ones() {
        let error = solve(&["a.png", "--provider", "omocapcha"]).unwrap_err();
        for kind in providers::registry().kinds() {
            assert!(error.contains(kind.name()), "{error}");
        }
    }

    #[test]
    fn no_argument_takes_a_token() {
        let help = Args::command().render_long_help().to_string();
        let mut command = Args::command();
        let solve_help = command
            .find_subcommand_mut("solve")
            .unwrap()
            .render_long_help()
            .to_string();
        for option in ["--token", "--key", "--api"] {
            assert!(!help.contains(option) && !solve_help.contains(option));
        }
    }
}
