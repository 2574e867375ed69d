//! `drag-solver balance`: how much money is left.

use drag_solver::core::{SolveError, Usd};
use drag_solver::http::Balance;
use serde::Serialize;

use crate::args::{BalanceArgs, Format};
use crate::outcome::Exit;
use crate::text::with_sources;
use crate::{console, providers};

/// One account as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    provider: &'a str,
    balance_usd: Option<Usd>,
    vouchers_usd: Option<Usd>,
    error: Option<&'a SolveError>,
}

/// Prints what each provider's account holds, one line each.
pub(crate) async fn run(args: &BalanceArgs) -> anyhow::Result<Exit> {
    let mut exit = Exit::Success;
    for provider in providers::open(&args.providers).await? {
        let balance = provider.balance().await;
        if balance.is_err() {
            exit = Exit::Unsolved;
        }
        let line = match (args.format, &balance) {
            (Format::Json, balance) => json(provider.name(), balance)?,
            (Format::Text, Ok(balance)) => format!("{}: {balance}", provider.name()),
            (Format::Text, Err(error)) => {
                console::note(&format!("error: {}", with_sources(error)));
                continue;
            }
        };
        if let Err(error) = console::print(&line) {
            return console::closed(error);
        }
    }
    Ok(exit)
}

fn json(provider: &str, balance: &Result<Balance, SolveError>) -> serde_json::Result<String> {
    serde_json::to_string(&Line {
        provider,
        balance_usd: balance.as_ref().ok().map(|balance| balance.available),
        vouchers_usd: balance.as_ref().ok().and_then(|balance| balance.vouchers),
        error: balance.as_ref().err(),
    })
}
