//! `drag-solver evaluate`: who is right how often, how soon, for how much money.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use drag_solver::evaluate::propose::{Goal, chain_file};
use drag_solver::evaluate::{Call, DEFAULT_TOLERANCE, Ending, Evaluation, Report};
use drag_solver::{ErrorKind, Usd};

use crate::chain::options::DEFAULT_TIMEOUT;
use crate::chain::store::{StoreArgs, store_help};
use crate::evaluate::pictures::{self, Pictures};
use crate::evaluate::subjects::{AtMost, SubjectArgs, Subjects};
use crate::evaluate::targets::{ReportTargets, check_apart};
use crate::evaluate::view::{Bought, CallBar};
use crate::exit::Exit;
use crate::format::Format;
use crate::parse::{count, duration, share, tolerance, usd};
use crate::signals;
use crate::target::Target;
use crate::ui::console::{self, eprint_line, eprint_unless_quiet};
use crate::ui::text::one_line;

const EXAMPLES: &str = "\
Examples:
  # without an account: the sandbox, on test pictures that `drag-solver challenge` has drawn
  drag-solver evaluate --report report.html shots
  # two providers, for two dollars at most; the same line continues after Ctrl-C, and buys nothing twice
  drag-solver evaluate --provider omocaptcha --price omocaptcha=0.0009 --provider 2captcha --price twocaptcha=0.0012 \
--budget 2 --store evaluation.db labels.jsonl
  # the cheapest chain of them that answers 99 of 100 challenges within 20 seconds, in a file for --config
  drag-solver evaluate --provider omocaptcha --price omocaptcha=0.0009 --provider 2captcha --price twocaptcha=0.0012 \
--budget 2 --store evaluation.db --within 20s --propose chain.toml labels.jsonl
  # the chain itself
  drag-solver evaluate --config chain.toml --budget 2 --store evaluation.db labels.jsonl";

const EXITS: &str = "\
Exit status:
  0    all were asked about all pictures
  1    it stopped before that, or a provider was left out, or no chain does what was asked
  2    wrong usage or configuration, a file that cannot be read or written, or money that was not allowed
  3    at least one picture cannot be used, and was left out
  130  interrupted (Ctrl-C); 143 if by a request to terminate, 129 if the terminal is gone";

#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXITS}"),
    mut_arg("store", |arg| store_help(arg, "With it, the same line again continues, and buys nothing twice"))
)]
pub(crate) struct Args {
    /// Pictures whose true drag is known: test pictures and folders of them, and files of JSON lines (.jsonl, .ndjson, .json)
    /// that name screenshots and their true drags
    #[arg(value_name = "LABELLED", required = true)]
    labelled: Vec<PathBuf>,

    #[command(flatten)]
    subjects: SubjectArgs,

    /// How far off a right answer may be, in pixels, at its start and at its end
    #[arg(long, value_name = "PX", default_value_t = DEFAULT_TOLERANCE, value_parser = tolerance)]
    tolerance: f64,

    /// Time for each call [default: 2m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,

    /// Calls at the same time, of all together
    #[arg(long, value_name = "N", default_value = "4", value_parser = count::<NonZeroUsize>)]
    concurrency: NonZeroUsize,

    /// Spend no more than this, in US dollars, and stop when it is spent
    #[arg(long, value_name = "USD", value_parser = usd)]
    budget: Option<Usd>,

    /// Spend what it takes, without a --budget
    #[arg(long, conflicts_with = "budget")]
    yes: bool,

    #[command(flatten)]
    store: StoreArgs,

    /// Propose a chain that answers 99 of 100 challenges within this time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,

    /// Propose a chain that is right at least this often, as in 95%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_right: Option<f64>,

    /// Write the proposed chain, as a file for --config. With --force, one that is there is removed if a whole run
    /// proposes none
    #[arg(long, value_name = "TOML")]
    propose: Option<PathBuf>,

    /// Write a page with tables and plots, and the same as JSON beside it
    #[arg(long, value_name = "HTML")]
    report: Option<PathBuf>,

    /// Write over the files of --report and --propose if they are there
    #[arg(long)]
    force: bool,

    /// How the figures are printed: as tables, or all of them as one JSON object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Asks every solver about every picture, prints the figures, and writes the files.
pub(crate) async fn run(args: &Args, spinner: bool) -> anyhow::Result<Exit> {
    console::check_stdout()?;
    let limit = args.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let subjects = args.subjects.subjects(limit)?;
    let asks_proposal = args.propose.is_some() || args.within.is_some() || args.min_right.is_some();
    if asks_proposal {
        subjects.check_proposable()?;
    }
    let report_to = args.report.as_deref();
    let report_to = report_to
        .map(|html| ReportTargets::new(html, args.force))
        .transpose()?;
    let chain_to = args.propose.clone();
    let chain_to = chain_to
        .map(|toml| Target::new(toml, args.force))
        .transpose()?;
    let pages = report_to.iter().flat_map(|to| [&to.html, &to.json]);
    let labelled = args.labelled.iter().map(PathBuf::as_path);
    check_apart(pages.chain(&chain_to), labelled.chain(args.store.file()))?;

    let Pictures {
        usable: pictures,
        unusable,
    } = pictures::read(&args.labelled).await?;
    let bought = Bought::new();
    let evaluation = args.evaluation(&subjects, limit, &bought)?;
    args.allow(&subjects, &evaluation.to_buy(&pictures).await)?;

    let mut calls: Vec<Call> = Vec::new();
    let total = pictures.len() * evaluation.names().len();
    let mut bar = CallBar::new(total, spinner, args.tolerance);
    let ended = {
        let run = evaluation.run(&pictures, |call| {
            bar.count(&call);
            calls.push(call);
        });
        tokio::select! {
            biased;
            exit = pin!(signals::interruption()) => Err(exit),
            ending = run => Ok(ending),
        }
    };
    bar.clear();
    let mut exit = if unusable == 0 {
        Exit::Success
    } else {
        Exit::Screenshot
    };
    let asked = calls.len();
    let mut report = Report::new(&evaluation, &pictures, calls);
    match ended {
        Err(interrupted) => {
            exit = exit.max(interrupted);
            let why = format!("interrupted after {asked} of {total} calls");
            args.tell_interrupted(&why, &bought);
            report = report.with_stopped(why);
        }
        Ok(ending) => {
            if let Some(why) = why_stopped(&ending, &report) {
                exit = exit.max(Exit::Unsolved);
                eprint_line(&format!("stopped: {why}"));
                report = report.with_stopped(why);
            }
        }
    }
    let report = report.with_proposal(&subjects.members(), args.goal());
    let chosen = report
        .proposal
        .as_ref()
        .and_then(|proposal| proposal.chosen());
    if asks_proposal && chosen.is_none() {
        exit = exit.max(Exit::Unsolved);
    }
    // The answers were paid for: they are printed before a file can fail.
    if let Err(error) = console::print(&args.figures(&report)?) {
        eprint_line(&format!("error: cannot write to standard output: {error}"));
        exit = exit.max(Exit::Config);
    }
    // With a store nothing is lost, and the same line is to work again.
    if exit >= Exit::HungUp && args.store.is_given() {
        return Ok(exit);
    }
    if let Some(targets) = &report_to {
        write_report(targets, &report)?;
    }
    match (&chain_to, &report.proposal, chosen) {
        (Some(target), Some(proposal), Some(chosen)) => {
            let text = chain_file(&chosen.candidate, limit, &proposal.why, |index| {
                subjects.entry(index)
            });
            write_chain(target, &text)?;
        }
        (Some(target), ..) => no_chain(target, report.stopped.is_none())?,
        _ => {}
    }
    Ok(exit)
}

fn write_chain(target: &Target, text: &str) -> anyhow::Result<()> {
    target.write(text)?;
    let name = target.name();
    eprint_unless_quiet(&format!(
        "note: the chain is in {name}: see `drag-solver check {name}`"
    ));
    Ok(())
}

/// Removes the chain of before, which would be taken for the one that was asked for; but not if the run was cut short, as
/// when keys were refused.
fn no_chain(target: &Target, is_whole: bool) -> anyhow::Result<()> {
    let name = target.name();
    if is_whole && target.remove()? {
        eprint_line(&format!(
            "note: no chain is proposed, and {name} of before is removed"
        ));
    } else if target.path().exists() {
        eprint_line(&format!(
            "note: no chain is proposed, as the run was cut short: {name} is the one of before"
        ));
    }
    Ok(())
}

/// Writes the page, and the JSON beside it.
fn write_report(targets: &ReportTargets, report: &Report) -> anyhow::Result<()> {
    targets.html.write(report.html())?;
    targets.json.write(serde_json::to_string(report)? + "\n")?;
    let (page, json) = (targets.html.name(), targets.json.name());
    eprint_unless_quiet(&format!(
        "note: the report is in {page}, and all of it in {json}"
    ));
    Ok(())
}

impl Args {
    fn evaluation(
        &self,
        subjects: &Subjects,
        limit: Duration,
        bought: &Arc<Bought>,
    ) -> anyhow::Result<Evaluation> {
        let evaluation = Evaluation::new()
            .tolerance(self.tolerance)
            .limit(limit)
            .concurrency(self.concurrency.get())
            .observer(bought.clone());
        let evaluation = subjects.put_into(evaluation, self.budget)?;
        if !self.store.is_given() {
            return Ok(evaluation);
        }
        Ok(evaluation.store(&self.store.open_or_make()?))
    }

    fn goal(&self) -> Goal {
        let goal = self.within.into_iter().fold(Goal::default(), Goal::within);
        self.min_right.into_iter().fold(goal, Goal::min_right)
    }

    /// Says what the calls that are not on record may cost at most, and refuses to spend what was not allowed.
    fn allow(&self, subjects: &Subjects, to_buy: &[u64]) -> anyhow::Result<()> {
        let calls: u64 = to_buy.iter().sum();
        let at_most = subjects.at_most(to_buy);
        let (is_free, cost) = match &at_most {
            AtMost::Usd(cost) => (*cost == Usd::ZERO, format!("cost at most ${cost}")),
            AtMost::Unknown(of) => (
                false,
                format!(
                    "cost money, and how much is not known: {} has no price",
                    of.join(" and ")
                ),
            ),
        };
        if is_free {
            return Ok(());
        }
        if self.budget.is_none() && !self.yes {
            bail!(
                "{calls} calls may {cost}. Nothing was sent: --budget USD limits what is spent, and --yes spends what it takes"
            );
        }
        let limit = self
            .budget
            .map(|budget| format!(", and no more than ${budget} is spent"));
        eprint_unless_quiet(&format!(
            "{calls} calls may {cost}{}",
            limit.unwrap_or_default()
        ));
        Ok(())
    }

    fn tell_interrupted(&self, why: &str, bought: &Bought) {
        if self.store.is_given() {
            eprint_line(&format!("{why}; the same line continues from there"));
            return;
        }
        eprint_line(why);
        for job in bought.open_jobs() {
            eprint_line(&format!(
                "paid for and not fetched: {}; `drag-solver solve --resume {} SCREENSHOT` fetches it",
                one_line(&job.to_string()),
                one_line(&format!("{}:{}", job.solver, job.id))
            ));
        }
    }

    /// What is printed: tables, or the report without its calls as one line of JSON.
    fn figures(&self, report: &Report) -> anyhow::Result<String> {
        if self.format == Format::Text {
            return Ok(report.text());
        }
        let mut json = serde_json::to_value(report)?;
        let members = json.as_object_mut();
        if let Some(members) = members {
            members.remove("calls");
            members.remove("pictures");
        }
        Ok(serde_json::to_string(&json)?)
    }
}

/// Why not every solver was asked about every picture.
fn why_stopped(ending: &Ending, report: &Report) -> Option<String> {
    let names = report.names();
    let left_out = ending.left_out.iter().map(|(solver, error)| {
        let name = names.get(*solver).map_or("?", String::as_str);
        format!("{name} was left out: {}", one_line(&error.to_string()))
    });
    let stopped = ending.stopped.iter();
    let stopped = stopped.map(|error| one_line(&error.to_string()));
    let unconfirmed = report.solvers.iter().filter_map(|solver| {
        let count = solver.not_measured.get(ErrorKind::Unconfirmed.as_str())?;
        Some(format!(
            "of the calls of {}, {count} {} interrupted while buying, and may be on the bill: nothing is bought again for \
             them (`drag-solver jobs` shows them), and another store measures anew",
            solver.name,
            if *count == 1 { "was" } else { "were" },
        ))
    });
    let all: Vec<String> = stopped.chain(left_out).chain(unconfirmed).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
