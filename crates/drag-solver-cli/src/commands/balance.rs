//! `drag-solver balance`: how much money is left.

use drag_solver::config::Chain;
use drag_solver::http::Balance;
use drag_solver::{ErrorKind, SolveError, Usd};
use serde::Serialize;

use crate::chain::options::ChainArgs;
use crate::chain::record::RecordArgs;
use crate::chain::registry::PERSON;
use crate::chain::store::StoreArgs;
use crate::exit::Exit;
use crate::format::Format;
use crate::json_version::versioned;
use crate::ui::console;
use crate::ui::text::with_sources;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # every account whose key is in the environment
  drag-solver balance
  # the accounts of a chain, for a program
  drag-solver balance --config chain.toml --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    chain: ChainArgs,

    #[command(flatten)]
    record: RecordArgs,

    /// How balances are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One account as a line of JSON.
#[derive(Serialize)]
struct BalanceLine<'a> {
    solver: &'a str,
    balance_usd: Option<Usd>,
    vouchers_usd: Option<Usd>,
    error: Option<&'a SolveError>,
}

/// Prints what each provider's account holds, one line each.
pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let _recording = args.record.start()?;
    let source = args.chain.source(None, None, &StoreArgs::default())?;
    print_balances(&source.build()?, args.format).await
}

/// Asks for the balances of all providers of a chain, one after the other, and prints them.
pub(super) async fn print_balances(chain: &Chain, format: Format) -> anyhow::Result<Exit> {
    let mut exit = Exit::Success;
    for provider in chain.providers() {
        let name = provider.name();
        if provider.kind == PERSON {
            console::eprint_unless_quiet(&format!("note: {name} has no account: people answer"));
            continue;
        }
        let balance = provider.balance().await.unwrap_or_else(|| {
            let error = SolveError::new(ErrorKind::Unsupported, "has no account to ask about");
            Err(error.with_solver(name))
        });
        if let Err(error) = &balance {
            exit = Exit::Unsolved;
            console::eprint_unless_quiet(&format!("error: {}", with_sources(error)));
        }
        let line = match (format, &balance) {
            (Format::Json, balance) => json(name, balance)?,
            (Format::Text, Ok(balance)) => format!("{name}: {balance}"),
            (Format::Text, Err(_)) => continue,
        };
        console::print(&line).map_err(console::cannot_print)?;
    }
    Ok(exit)
}

fn json(solver: &str, balance: &Result<Balance, SolveError>) -> serde_json::Result<String> {
    versioned(BalanceLine {
        solver,
        balance_usd: balance.as_ref().ok().map(|balance| balance.available),
        vouchers_usd: balance.as_ref().ok().and_then(|balance| balance.vouchers),
        error: balance.as_ref().err(),
    })
}
