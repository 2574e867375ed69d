//! `drag-solver spend`: what was spent, by day.

use std::time::Duration;

use clap::ValueEnum;
use drag_solver::Usd;
use drag_solver::store::jiff::tz::TimeZone;
use drag_solver::store::{Spending, SpendingBy, SpendingQuery};
use serde::Serialize;

use crate::chain::store::StoreArgs;
use crate::exit::Exit;
use crate::format::Format;
use crate::parse::duration;
use crate::ui::console;
use crate::ui::text::one_line;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # what each provider cost on each of the last 30 days
  drag-solver spend --store drags.db
  # what each budget was charged in the last week, for a program
  drag-solver spend --store drags.db --by budget --last 7days --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    store: StoreArgs,

    /// What it is told apart by, besides the day
    #[arg(long, value_enum, default_value_t = By::Solver)]
    by: By,

    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "30days", value_parser = duration)]
    last: Duration,

    /// Whose days they are, as in Asia/Tokyo [default: this machine's]
    #[arg(long, value_name = "NAME", value_parser = time_zone)]
    time_zone: Option<TimeZone>,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Solver,
    Budget,
    Label,
}

/// What was spent on one day, as a line of JSON.
#[derive(Serialize)]
struct SpendingLine<'a> {
    by: SpendingBy,
    #[serde(flatten)]
    spending: &'a Spending,
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    let unknown = |_| "no time zone that this system knows: write it like Asia/Ho_Chi_Minh or UTC";
    TimeZone::get(name).map_err(unknown).map_err(str::to_owned)
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    console::check_stdout()?;
    let store = args.store.open()?;
    let by = match args.by {
        By::Solver => SpendingBy::Solver,
        By::Budget => SpendingBy::Budget,
        By::Label => SpendingBy::Label,
    };
    let zone = args.time_zone.clone().unwrap_or_else(TimeZone::system);
    let query = SpendingQuery::last(args.last, by, store.now(), zone);
    let spending = store.spending(&query).await?;
    for spending in &spending {
        let line = SpendingLine { by, spending };
        args.format.print(line, || text(spending))?;
    }
    if args.format == Format::Text {
        console::print(&total(&spending)).map_err(console::cannot_print)?;
    }
    Ok(Exit::Success)
}

fn text(spending: &Spending) -> String {
    let Spending {
        day,
        name,
        purchases,
        spent,
        unknown,
        ..
    } = spending;
    let name = match &**name {
        "" => "(no label)".to_owned(),
        name => one_line(name),
    };
    let unknown = of_unknown_cost(*unknown);
    format!("{day}  {name}  ${spent}  {purchases} bought{unknown}")
}

fn total(all: &[Spending]) -> String {
    let spent: Usd = all.iter().map(|one| one.spent).sum();
    let purchases: u64 = all.iter().map(|one| one.purchases).sum();
    let unknown: u64 = all.iter().map(|one| one.unknown).sum();
    let unknown = of_unknown_cost(unknown);
    format!("in all: ${spent}, {purchases} bought{unknown}")
}

fn of_unknown_cost(purchases: u64) -> String {
    match purchases {
        0 => String::new(),
        unknown => format!(", {unknown} of unknown cost"),
    }
}
