//! `drag-solver jobs`: what a store has on record.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::ensure;
use clap::{Subcommand, ValueEnum};
use drag_solver::store::{
    ChallengeRecord, PurchaseRecord, PurchaseState, Query, Retention, Status, StoreHandle,
};

use crate::chain::store::StoreArgs;
use crate::exit::Exit;
use crate::format::Format;
use crate::parse::duration;
use crate::ui::console;
use crate::ui::solution_text::drag_text;
use crate::ui::text::one_line;

/// How many records are read at a time.
const PAGE: u32 = 500;

#[derive(Debug, clap::Args)]
#[command(
    mut_arg("store", |arg| arg.global(true)),
    after_help = "\
Examples:
  # what is paid for and not fetched, and what may be paid for
  drag-solver jobs --store drags.db
  # all that is solved, for a program
  drag-solver jobs --store drags.db --format json done
  # forget what is older than a week, and make the file small again
  drag-solver jobs prune --store drags.db --older-than 7days"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    store: StoreArgs,

    /// Which ones: not finished, or paid for and not fetched; sent and never heard of; failed; done, with an answer
    /// [default: open and unsure]
    #[arg(value_enum, value_name = "WHICH")]
    which: Vec<Which>,

    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forget what is old, and make the file small again
    Prune(PruneArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # forget what is older than a week, and make the file small again
  drag-solver jobs prune --store drags.db --older-than 7days")]
struct PruneArgs {
    /// Forget challenges whose state changed last longer ago than this. What was spent is kept for 400 days
    #[arg(long, value_name = "DURATION", default_value = "30days", value_parser = duration)]
    older_than: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    Open,
    Unsure,
    Failed,
    Done,
    All,
}

impl Which {
    fn holds_of(self, record: &ChallengeRecord) -> bool {
        let held = matches!(record.status, Status::Open { held: true });
        match self {
            // Of what is solved, a job of another solver that was asked as well is of no more use.
            Self::Open => match record.status {
                Status::Solved { .. } => false,
                Status::Open { held: false } if record.unconfirmed().next().is_none() => true,
                _ => held || record.open_jobs().next().is_some(),
            },
            Self::Unsure => !held && record.unconfirmed().next().is_some(),
            Self::Failed => matches!(record.status, Status::Failed { .. }),
            Self::Done => matches!(record.status, Status::Solved { .. }),
            Self::All => true,
        }
    }
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(Command::Prune(prune_args)) = &args.command {
        ensure!(
            args.which.is_empty() && args.format == Format::Text,
            "prune forgets by age: WHICH and --format are for the list of `drag-solver jobs`"
        );
        return prune(&args.store.open()?, prune_args.older_than).await;
    }
    console::check_stdout()?;
    let store = args.store.open()?;
    let which: &[Which] = match &args.which[..] {
        [] => &[Which::Open, Which::Unsure],
        which => which,
    };
    let mut count = 0;
    let mut after = None;
    loop {
        let records = page(&store, after.take()).await?;
        for record in &records {
            if !which.iter().any(|which| which.holds_of(record)) {
                continue;
            }
            count += 1;
            args.format.print(record, || text(record))?;
        }
        match records.last() {
            Some(last) => after = Some(last.id.clone()),
            None => break,
        }
    }
    if count == 0 && args.format == Format::Text {
        console::eprint_unless_quiet("nothing is on record that would be listed");
    }
    Ok(Exit::Success)
}

/// The next records, in the order in which they were begun.
async fn page(store: &StoreHandle, after: Option<String>) -> anyhow::Result<Vec<ChallengeRecord>> {
    let mut query = Query::default();
    (query.after, query.limit) = (after, Some(PAGE));
    Ok(store.list(&query).await?)
}

/// One line a challenge, and one for each purchase that is not simply its answer.
fn text(record: &ChallengeRecord) -> String {
    let status = match &record.status {
        Status::Open { held: true } => "being worked on".to_owned(),
        Status::Open { .. } => "not finished".to_owned(),
        Status::Solved { solution } => {
            format!("{} by {}", drag_text(solution.drag()), solution.solver())
        }
        Status::Failed { error } => format!("failed: {error}"),
        _ => "in a state that this version does not know".to_owned(),
    };
    let mut text = format!("{}: {}", one_line(&record.id), one_line(&status));
    let listed = record
        .purchases
        .iter()
        .filter(|one| one.state != PurchaseState::Settled || one.is_unconfirmed());
    for purchase in listed {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {}", one_line(&purchase_text(purchase)));
    }
    text
}

fn purchase_text(purchase: &PurchaseRecord) -> String {
    let PurchaseRecord { solver, begun, .. } = purchase;
    match purchase.open_job() {
        Some(job) => format!("{job}: paid for {begun}, not fetched"),
        None => format!("{solver}: sent {begun}, nothing was heard: it may be on the bill"),
    }
}

async fn prune(store: &StoreHandle, older_than: Duration) -> anyhow::Result<Exit> {
    let mut retention = Retention::default().challenges(older_than);
    retention.money = retention.money.max(older_than);
    let pruned = store.prune(&retention).await?;
    let line = format!(
        "forgot {} challenges and {} purchases; the file is {} bytes smaller",
        pruned.challenges, pruned.money, pruned.bytes
    );
    console::print(&line).map_err(console::cannot_print)?;
    Ok(Exit::Success)
}
