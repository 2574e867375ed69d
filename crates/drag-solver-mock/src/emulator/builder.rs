//! How an [`Emulator`] is set up.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Solution, SolveError, Usd, WorstCase, async_trait,
};
use secrecy::SecretString;

use super::Emulator;
use super::quirks::{Quirk, Quirks};
use super::server::Server;
use super::service::{Service, Settings};

/// How an [`Emulator`] is set up. `Debug` does not show the token.
#[derive(Debug)]
#[must_use = "nothing listens until `start`"]
pub struct EmulatorBuilder {
    settings: Settings,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings {
                solver: Arc::new(KnowsNothing),
                token: None,
                balance: Usd::from_micros(10_000_000),
                price: Usd::from_micros(900),
                answer_after: Duration::ZERO,
                running_polls: 0,
                seed: 0,
                quirks: Quirks::default(),
                remembered: 1_000,
            },
        }
    }

    /// Who finds the drags. Without one, every picture is unsolvable.
    pub fn solver(mut self, solver: impl DragSolver + 'static) -> Self {
        self.settings.solver = Arc::new(solver);
        self
    }

    /// The account's token. Without one, every token but an empty one is right.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.settings.token = Some(SecretString::from(token.into()));
        self
    }

    /// What the account holds, in US dollars. By default 10.
    pub fn balance(mut self, balance: Usd) -> Self {
        self.settings.balance = balance;
        self
    }

    /// What a job costs, in US dollars. By default 0.0009.
    pub fn price(mut self, price: Usd) -> Self {
        self.settings.price = price;
        self
    }

    /// How long after its creation a job's result can be fetched, at the earliest. By default at
    /// once.
    pub fn answer_after(mut self, delay: Duration) -> Self {
        self.settings.answer_after = delay;
        self
    }

    /// How many times a client is told to wait before each job's result. By default 0.
    pub fn running_polls(mut self, polls: u32) -> Self {
        self.settings.running_polls = polls;
        self
    }

    /// What ids are drawn from: emulators with different seeds give different ids.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Switches one habit of real services on.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.settings.quirks.add(quirk);
        self
    }

    /// How many of the latest requests are kept for [`Emulator::requests`], each with its picture. By
    /// default 1,000; 0 for long tests of memory.
    pub fn remembered_requests(mut self, requests: usize) -> Self {
        self.settings.remembered = requests;
        self
    }

    /// Listens on a free port of 127.0.0.1. Must be called on a Tokio runtime that does I/O.
    ///
    /// # Errors
    ///
    /// No free port; or, as [`io::ErrorKind::InvalidInput`], a price below zero.
    #[allow(clippy::unused_async)] // so that what starting has to do can grow
    pub async fn start(self) -> io::Result<Emulator> {
        if self.settings.price.is_negative() {
            let why = format!("price: {} US dollars is below zero", self.settings.price);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let server = Server::reserve(Service::new(self.settings))?;
        server.open()?;
        Ok(Emulator { server })
    }
}

/// What answers when nobody was named.
#[derive(Debug)]
struct KnowsNothing;

#[async_trait]
impl DragSolver for KnowsNothing {
    fn name(&self) -> &'static str {
        "knows-nothing"
    }

    async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
        Err(SolveError::new(
            ErrorKind::Unsolvable,
            "the emulator was given no solver",
        ))
    }

    fn worst_case(&self) -> WorstCase {
        WorstCase::unknown()
    }
}
