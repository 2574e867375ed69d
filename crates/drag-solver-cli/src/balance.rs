//! `drag-solver balance`: how much money is left.

use drag_solver::core::{DragSolver as _, ErrorKind, SolveError, Usd};
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
    for provider in providers::open(&args.providers)? {
        let name = provider.solver().name();
        let balance = provider.balance().await.unwrap_or_else(|| {
            let error = SolveError::new(ErrorKind::Unsupported, "has no account to ask about");
            Err(error.with_provider(name))
        });
        if balance.is_err() {
            exit = Exit::Unsolved;
        }
        let line = match (args.format, &balance) {
            (Format::Json, balance) => json(name, balance)?,
            (Format::Text, Ok(balance)) => format!("{name}: {balance}"),
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
