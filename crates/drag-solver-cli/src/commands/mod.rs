//! The commands: the flags and the work of each in a file of its own.

mod balance;
mod challenge;
mod check;
mod completions;
mod evaluate;
mod health;
mod jobs;
mod keys;
mod label;
mod man;
mod report;
mod resume;
mod serve;
mod service;
mod services;
pub(crate) mod solve;
mod spend;
mod store;

use clap::Subcommand;

use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Solve screenshots and print where each drag starts and ends
    Solve(Box<solve::Args>),
    /// Measure providers and chains on screenshots whose true drag is known, and propose a chain
    Evaluate(Box<evaluate::Args>),
    /// Serve any chain to programs in any language, in the protocols that their clients already speak
    Serve(Box<serve::Args>),
    /// Ask whether a gateway takes jobs, for containers: exit status 0 if it does
    Health(health::Args),
    /// Make, list and revoke keys for those who may use `serve`
    #[command(subcommand)]
    Keys(keys::Command),
    /// Print how much money each provider's account holds
    Balance(balance::Args),
    /// Print what a chain's file makes, and what a call of it can take and cost at most
    Check(check::Args),
    /// Tell providers whether answers were right, from the lines that `solve --format json` printed
    Report(report::Args),
    /// Fetch answers that were paid for and did not come in time, from the lines that
    /// `solve --format json` printed, or from a store; nothing is bought
    Resume(resume::Args),
    /// List what a store has on record: paid for and not fetched, sent and never heard of, solved
    Jobs(jobs::Args),
    /// Print what was spent, by day and provider, from a store
    Spend(spend::Args),
    /// Move what a store has on record
    #[command(subcommand)]
    Store(store::Command),
    /// List the services that come as declarations, and what of each is a guess
    Services(services::Args),
    /// Try a service that is declared in TOML, without an account
    #[command(subcommand)]
    Service(service::Command),
    /// Say on a page in the browser where the true drag of each screenshot is
    Label(label::Args),
    /// Draw a test picture that the sandbox can solve, and print its true drag
    Challenge(challenge::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page, or write one for each command
    Man(man::Args),
}

impl Command {
    /// Whether it runs until it is told to stop, on all cores and with a log.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    /// Does what was asked. `definition` is the whole command line; `spinner` says whether standard
    /// error is free for one.
    pub(crate) async fn run(
        self,
        definition: clap::Command,
        spinner: bool,
        verbose: u8,
    ) -> anyhow::Result<Exit> {
        match self {
            Self::Serve(args) => serve::run(&args, verbose).await,
            Self::Solve(args) => solve::run(&args, spinner).await,
            Self::Evaluate(args) => evaluate::run(&args, spinner).await,
            Self::Health(args) => health::run(&args).await,
            Self::Keys(command) => keys::run(&command).await,
            Self::Balance(args) => balance::run(&args).await,
            Self::Check(args) => check::run(&args).await,
            Self::Report(args) => report::run(&args).await,
            Self::Resume(args) => resume::run(args, spinner).await,
            Self::Jobs(args) => jobs::run(&args).await,
            Self::Spend(args) => spend::run(&args).await,
            Self::Store(command) => store::run(&command).await,
            Self::Services(args) => services::run(&args),
            Self::Service(command) => service::run(&command, spinner).await,
            Self::Label(args) => label::run(&args).await,
            Self::Challenge(args) => challenge::run(&args),
            Self::Completions(args) => completions::run(&args, definition),
            Self::Man(args) => man::run(&args, definition),
        }
    }
}
