//! `drag-solver check`: what a chain's file makes, before it costs anything.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use drag_solver::config::{Chain, ChainConfig, ProviderConfig, ProviderHandle, Registry, Strategy};
use drag_solver::http::NoCallbacks;
use drag_solver::{DragSolver as _, ScreenshotLimits, WorstCase};
use drag_solver_gateway::Keys;

use super::balance::print_balances;
use crate::chain::gateway::{Door, GatewayConfig};
use crate::chain::source::ChainSource;
use crate::chain::store::StoreArgs;
use crate::exit::Exit;
use crate::format::Format;
use crate::sandbox;
use crate::ui::console;
use crate::ui::text::file_name;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # before a chain costs anything
  drag-solver check chain.toml
  # that each token is right, too
  drag-solver check --online chain.toml")]
pub(crate) struct Args {
    /// The file of the chain
    #[arg(value_name = "TOML")]
    chain: PathBuf,

    /// Ask each provider how much money its account holds, which shows that the token is right
    #[arg(long)]
    online: bool,
}

/// Prints the chain, what a call of it can take at most, what is strange about it, and what `[gateway]` comes to. With
/// `--online`, what each account holds.
pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let name = file_name(&args.chain);
    let source = ChainSource::of_file(&args.chain, &StoreArgs::default())?;
    let receiver = source.gateway.door.callback_receiver()?;
    let source = source.with_callbacks(receiver.as_ref());
    let chain = source.build()?;
    let mut text = description(&chain);
    for request in requests(&source.config, &source.registry) {
        let _ = write!(text, "\n\n{request}");
    }
    for note in notes(&chain, &source) {
        let _ = write!(text, "\nnote: {note}");
    }
    if source.gateway != GatewayConfig::default() {
        let described = described_gateway(source.gateway.door, &chain, &source.registry).await;
        let _ = write!(text, "\n\n{}", described.context(name)?);
    }
    console::print(&text).map_err(console::cannot_print)?;
    if args.online {
        print_balances(&chain, Format::Text).await
    } else {
        Ok(Exit::Success)
    }
}

/// How `drag-solver serve` would listen, and who would call it. Takes no port and writes nothing.
async fn described_gateway(
    mut door: Door,
    chain: &Chain,
    registry: &Registry,
) -> anyhow::Result<String> {
    door.listen_somewhere();
    door.certificate().context("[gateway]")?;
    let plain = door.listen.iter().map(|at| format!("http://{at}"));
    let tls = door.tls_listen.iter().map(|at| format!("https://{at}"));
    let all: Vec<String> = plain.chain(tls).collect();
    let mut text = format!("serve listens on {}", all.join(", "));
    if let Some(receiver) = door.callback_receiver()? {
        let url = receiver.public_url();
        let _ = write!(text, "\nproviders reach it at {url}:");
        for provider in chain.providers() {
            let _ = write!(text, "\n  {}", who_calls(provider, registry));
        }
    }
    if let Some(note) = door.note() {
        let _ = write!(text, "\nnote: {note}");
    }
    let has_key = match chain.store() {
        Some(store) => !Keys::open(store.clone()).await?.is_open(),
        None => false,
    };
    if let Some(address) = door.reachable().filter(|_| !has_key) {
        let _ = write!(
            text,
            "\nnote: {address} can be reached from other machines, and serve refuses that as long as its store has no key \
             (`drag-solver keys add`)"
        );
    }
    Ok(text)
}

/// Whether this provider is asked to call, and why if it is not.
fn who_calls(provider: &ProviderHandle, registry: &Registry) -> String {
    let name = provider.name();
    let Err(why) = provider.callbacks() else {
        return format!("{name} is asked to call there when an answer is there");
    };
    let declared = registry.find(&provider.kind);
    let declared = declared.and_then(|kind| kind.declared.as_ref());
    let has_jobs = declared.is_some_and(|service| service.definition().poll.is_some());
    if has_jobs && why == NoCallbacks::NotInProtocol {
        return format!("{name} is polled alone: there is no {{callback}} in its declaration");
    }
    format!("{name} is polled alone: {why}")
}

/// What would be sent to the services that are declared, with names in place of keys and pictures.
fn requests(config: &ChainConfig, registry: &Registry) -> Vec<String> {
    let request = |provider: &ProviderConfig| {
        let declared = registry.find(provider.kind())?.declared.as_ref()?;
        Some(format!(
            "{} sends\n{}",
            provider.label(),
            declared.preview()
        ))
    };
    config.providers.iter().filter_map(request).collect()
}

/// The chain and its worst case, without a line break at its end.
fn description(chain: &Chain) -> String {
    let mut text = format!("{chain:#}\n");
    // Writing to a String cannot fail.
    let _ = write!(text, "\nat most: {}", in_words(chain.profile().worst_case));
    if chain.providers().len() > 1 {
        for provider in chain.providers() {
            let worst = in_words(provider.solver.profile().worst_case);
            let _ = write!(text, "\n  {}: {worst}", provider.name());
        }
    }
    text
}

/// What the file's author may not have meant.
pub(super) fn notes(chain: &Chain, source: &ChainSource) -> Vec<String> {
    let mut notes: Vec<String> = late_provider(chain).into_iter().collect();
    for provider in chain.providers() {
        let name = provider.name();
        let limits = provider.checked.profile().limits;
        if limits != ScreenshotLimits::none() {
            notes.push(format!(
                "{name} has no `fit`, so screenshots that it does not take are refused{}",
                in_numbers(&limits)
            ));
        }
        if provider.solver.profile().worst_case.cost.is_none() {
            notes.push(format!(
                "{name} has no `price`, so it is not known what it can cost"
            ));
        }
    }
    notes.extend(short_deadline(&source.config, &source.registry));
    notes.extend(unused_price(&source.config));
    notes.extend(long_timeouts(&source.config));
    notes.extend(small_budgets(&source.config));
    notes
}

/// The providers that have more time for an attempt than the whole chain has.
fn long_timeouts(config: &ChainConfig) -> impl Iterator<Item = String> {
    let note = |provider: &ProviderConfig| {
        let (deadline, timeout) = (config.deadline?.limit, provider.known_timeout()?);
        (timeout > deadline).then(|| {
            let name = provider.label();
            format!("the `timeout` of {name} is longer than the `deadline`, which ends every call first: {timeout:?} and {deadline:?}")
        })
    };
    config.providers.iter().filter_map(note)
}

/// The budgets that a single answer is too expensive for.
fn small_budgets(config: &ChainConfig) -> impl Iterator<Item = String> {
    let note = |provider: &ProviderConfig| {
        let price = provider.known_price()?;
        let budgets = config.budget.iter().chain(provider.known_budget());
        let limits = budgets.flat_map(|budget| [budget.total, budget.per_period, budget.per_day]);
        let least = limits.flatten().min().filter(|&least| least < price)?;
        let name = provider.label();
        Some(format!(
            "nothing is ever bought from {name}: a `budget` allows ${least}, and an answer may cost ${price}"
        ))
    };
    config.providers.iter().filter_map(note)
}

/// The providers that a deadline leaves no time to ask: they would refuse it as a timeout of their own.
fn short_deadline(config: &ChainConfig, registry: &Registry) -> impl Iterator<Item = String> {
    let note = |provider: &ProviderConfig| {
        let in_its_place = provider.clone().timeout(config.deadline?.limit);
        let error = registry.open(&in_its_place).err()?;
        let (problem, name) = (error.problem(), provider.label());
        Some(format!(
            "`deadline` {problem} of {name}, or nothing is bought there (the wait is its `poll.first`)"
        ))
    };
    config.providers.iter().filter_map(note)
}

/// The sandboxes that have a price.
fn unused_price(config: &ChainConfig) -> impl Iterator<Item = String> {
    let providers = config.providers.iter();
    let priced = providers.filter(|one| one.kind() == sandbox::NAME && one.known_price().is_some());
    priced.map(|one| {
        let name = one.label();
        format!("the `price` of {name} is the most that an answer costs, and it costs $0: the sandbox takes no money")
    })
}

/// The first provider that may not be asked before the deadline. Hedges and quorums ask several at a
/// time.
fn late_provider(chain: &Chain) -> Option<String> {
    let limit = chain.time_limit()?;
    if !matches!(chain.strategy(), Strategy::Fallback | Strategy::Ordered(_)) {
        return None;
    }
    let mut before = Duration::ZERO;
    for provider in chain.providers() {
        if before >= limit {
            return Some(format!(
                "the deadline of {limit:?} may pass before {} is asked: those before it can take \
                 {before:?}",
                provider.name()
            ));
        }
        before = before.saturating_add(provider.solver.profile().worst_case.time?);
    }
    None
}

fn in_numbers(limits: &ScreenshotLimits) -> String {
    let bytes = limits.max_bytes().map(|bytes| format!("{bytes} bytes"));
    let side = limits.max_side().map(|side| format!("{side} px a side"));
    let limits: Vec<String> = bytes.into_iter().chain(side).collect();
    if limits.is_empty() {
        return String::new();
    }
    format!(": over {}", limits.join(" or "))
}

/// A worst case in words. A time that no clock reaches is none.
fn in_words(mut worst: WorstCase) -> String {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    worst.time = worst.time.filter(|&time| time < CENTURY);
    worst.to_string()
}
