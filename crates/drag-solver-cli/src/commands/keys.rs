//! `drag-solver keys`: who may use a gateway, and for how much.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use drag_solver::Usd;
use drag_solver::store::jiff::Timestamp;
use drag_solver::store::jiff::civil::Date;
use drag_solver::store::jiff::tz::TimeZone;
use drag_solver::store::{
    BudgetSummary, KeyLimits, KeyRate, KeyRecord, KeyRole, StoreHandle, key_hash,
};
use drag_solver_gateway::{Keys, new_key};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::chain::store::StoreArgs;
use crate::exit::Exit;
use crate::format::Format;
use crate::parse::{count, duration, usd};
use crate::ui::console::{self, eprint_unless_quiet};
use crate::ui::text::one_line;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key, and print it: it is shown once, and kept by its hash alone
    Add(AddArgs),
    /// List the keys, and what was spent with each
    List(ListArgs),
    /// Revoke a key: within two seconds it opens nothing any more
    Revoke(RevokeArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # a key for 5 dollars a day
  KEY=$(drag-solver keys add shop --store drags.db --per-day 5)
  # one that ends by itself, and makes at most 10 jobs a second and 20 at once
  drag-solver keys add guest --store drags.db --total 1 --rate 10/s --parallel 20 --expires 30days
  # one that reads the chain's file again and sees how it is doing, and buys nothing
  drag-solver keys add boss --store drags.db --admin
  # one for a person who answers challenges that no service has answered
  drag-solver keys add anna --store drags.db --operator")]
pub(crate) struct AddArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Who has it: what budgets and metrics are kept by. Letters, digits, `-`, `_` and `.`. The name of a key that was
    /// revoked or has ended can be given again: what was spent with that one counts, and its jobs stay its own
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,

    /// The most that it may spend on one day (UTC), in US dollars
    #[arg(long, value_name = "DOLLARS", value_parser = dollars_a_day, allow_negative_numbers = true)]
    per_day: Option<Usd>,

    /// The most that it may spend in all, in US dollars
    #[arg(long, value_name = "DOLLARS", value_parser = usd, allow_negative_numbers = true)]
    total: Option<Usd>,

    /// How fast it may make jobs: so many in a second, a minute or an hour, as in 10/s, 300/m or 1000/h
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<KeyRate>,

    /// How many jobs of it may be open at once
    #[arg(long, value_name = "N", value_parser = count::<NonZeroU32>)]
    parallel: Option<NonZeroU32>,

    /// When it ends: in so long, as in 30days, or when this day begins (UTC), as in 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Expiry>,

    /// An administrator's: looks at everything, and buys nothing
    #[arg(long, conflicts_with_all = ["per_day", "total", "rate", "parallel"])]
    admin: bool,

    /// An operator's: answers challenges on the page /operator, and buys nothing
    #[arg(long, conflicts_with_all = ["per_day", "total", "rate", "parallel", "admin"])]
    operator: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # who may spend how much, and has
  drag-solver keys list --store drags.db
  # the same for a program
  drag-solver keys list --store drags.db --format json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # it opens nothing any more
  drag-solver keys revoke shop --store drags.db")]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Who has it
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    In(Duration),
    On(Date),
}

/// One that a key can have, before a store is made for it.
fn name(text: &str) -> Result<String, String> {
    let key = KeyRecord::new(text, [0; 32], Timestamp::UNIX_EPOCH);
    key.map(|key| key.name).map_err(|error| error.to_string())
}

fn dollars_a_day(text: &str) -> Result<Usd, String> {
    let amount = usd(text)?;
    if amount == Usd::ZERO {
        let why = "must be more than 0; for a key without money, to try how a client takes that, write --total 0";
        return Err(why.to_owned());
    }
    Ok(amount)
}

fn rate(text: &str) -> Result<KeyRate, String> {
    let wrong = "write a number and a time, as in 10/s, 300/m or 1000/h";
    let (number, unit) = text.split_once('/').ok_or(wrong)?;
    let per = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 60 * 60,
        _ => return Err(wrong.to_owned()),
    };
    Ok(KeyRate {
        count: count(number)?,
        per: Duration::from_secs(per),
    })
}

fn expiry(text: &str) -> Result<Expiry, String> {
    if let Ok(day) = text.parse() {
        return Ok(Expiry::On(day));
    }
    let wrong = |_| "write how long, as in 30days, or a day, as in 2027-01-31".to_owned();
    duration(text).map(Expiry::In).map_err(wrong)
}

impl Expiry {
    fn at(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        let at = match self {
            Self::In(duration) => now.checked_add(duration).ok(),
            Self::On(day) => TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok(),
        };
        let at = at.context("--expires: that is farther away than times can be written")?;
        if at <= now {
            bail!("--expires: that is over already");
        }
        Ok(at)
    }
}

pub(crate) async fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(args).await,
        Command::List(args) => list(args).await,
        Command::Revoke(args) => revoke(args).await,
    }
}

async fn add(args: &AddArgs) -> anyhow::Result<Exit> {
    console::check_stdout()?;
    // Before a store is made.
    let now = Timestamp::now();
    let expires = args.expires.map(|expiry| expiry.at(now)).transpose()?;
    let store = args.store.open_or_make()?;
    let key = new_key();
    let mut record = KeyRecord::new(&args.name, key_hash(key.expose_secret()), now)?;
    if args.admin {
        record.role = KeyRole::Administrator;
    } else if args.operator {
        record.role = KeyRole::Operator;
    }
    let limits = &mut record.limits;
    (limits.per_day, limits.total) = (args.per_day, args.total);
    (limits.rate, limits.parallel) = (args.rate, args.parallel);
    record.expires = expires;
    let name = &args.name;
    let before = Keys::open(&store).await?.budget();
    let before = before.summary(Some(name)).await?;
    if !store.add_key(&record).await? {
        bail!(
            "there is a key for {name} already: choose another name, or revoke it with `drag-solver keys revoke {name} --store FILE`"
        );
    }
    console::print(key.expose_secret()).context("the key is made, and cannot be shown")?;
    eprint_unless_quiet(&format!(
        "the key of {name} ({}): it is shown this once",
        limits_text(&record)
    ));
    if before.spent > Usd::ZERO {
        eprint_unless_quiet(&format!(
            "note: ${} was spent with an earlier key of {name}, ${} of it today: that counts",
            before.spent, before.spent_today
        ));
    }
    Ok(Exit::Success)
}

/// The store, which the first key makes.
fn open(store: &StoreArgs) -> anyhow::Result<StoreHandle> {
    store.open_made_by("`drag-solver keys add NAME --store FILE` makes one, with a key in it")
}

async fn revoke(args: &RevokeArgs) -> anyhow::Result<Exit> {
    let (store, name) = (open(&args.store)?, &args.name);
    if !store.revoke_key(name).await? {
        bail!("there is no key of {name}: `drag-solver keys list --store FILE` lists them");
    }
    eprint_unless_quiet(&format!("the key of {name} is revoked"));
    Ok(Exit::Success)
}

/// A key as a line of JSON.
#[derive(Serialize)]
struct KeyLine<'a> {
    #[serde(flatten)]
    key: &'a KeyRecord,
    valid: bool,
    spent_usd: Usd,
    spent_today_usd: Usd,
}

async fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    console::check_stdout()?;
    let store = open(&args.store)?;
    let budget = Keys::open(&store).await?.budget();
    let keys = store.keys().await?;
    if keys.is_empty() && args.format == Format::Text {
        eprint_unless_quiet(
            "there are no keys: `drag-solver keys add NAME --store FILE` makes one",
        );
    }
    for key in keys {
        let spent = budget.summary(Some(&key.name)).await?;
        let line = KeyLine {
            valid: key.is_valid(store.now()),
            spent_usd: spent.spent,
            spent_today_usd: spent.spent_today,
            key: &key,
        };
        args.format.print(&line, || text(&key, &spent, &store))?;
    }
    Ok(Exit::Success)
}

fn text(key: &KeyRecord, spent: &BudgetSummary, store: &StoreHandle) -> String {
    let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
    let state = match (key.revoked, key.expires) {
        (Some(at), _) => format!(", revoked {}", day(at)),
        (None, Some(at)) if at <= store.now() => format!(", ended {}", day(at)),
        (None, Some(at)) => format!(", until {}", day(at)),
        (None, None) => String::new(),
    };
    format!(
        "{}  {}{state}  ${} today, ${} in all",
        one_line(&key.name), // of a file that others may have written
        limits_text(key),
        spent.spent_today,
        spent.spent
    )
}

/// What may be done with a key, in words.
fn limits_text(key: &KeyRecord) -> String {
    let KeyLimits {
        per_day,
        total,
        rate,
        parallel,
        ..
    } = key.limits;
    let limits = [
        per_day.map(|most| format!("${most} a day")),
        total.map(|most| format!("${most} in all")),
        rate.map(|rate| {
            format!(
                "{} jobs in {}",
                rate.count,
                humantime::format_duration(rate.per)
            )
        }),
        parallel.map(|most| format!("{most} open at once")),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    match key.role {
        KeyRole::Administrator => "administrator".to_owned(),
        KeyRole::Operator => "operator".to_owned(),
        _ if limits.is_empty() => "no limits".to_owned(),
        _ => limits.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_ends_are_written_for_people() {
        let ten = rate("10/s").unwrap();
        assert_eq!((ten.count.get(), ten.per), (10, Duration::from_secs(1)));
        assert_eq!(rate("300/m").unwrap().per, Duration::from_secs(60));
        for bad in ["10", "0/s", "x/s", "10/d", "/s"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert_eq!(
            expiry("30days"),
            Ok(Expiry::In(Duration::from_secs(30 * 24 * 60 * 60)))
        );
        assert_eq!(
            expiry("2027-01-31"),
            Ok(Expiry::On(Date::constant(2027, 1, 31)))
        );
        assert!(expiry("soon").unwrap_err().contains("30days"));
        assert!(dollars_a_day("-1").is_err() && dollars_a_day("x").is_err());
        assert!(dollars_a_day("0").is_err() && dollars_a_day("0.01").is_ok());
    }
}
