//! How an [`Emulator`] is set up.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{DragSolver, ErrorKind, SolveError, Usd, solver_fn};
use secrecy::SecretString;

use crate::faults::Script;
use crate::server::Server;
use crate::service::Service;
use crate::{Emulator, Fault, Operation, Quirk};

/// How an [`Emulator`] is set up. `Debug` does not show the token.
#[derive(Debug)]
#[must_use = "nothing listens until `start`"]
pub struct EmulatorBuilder {
    pub(crate) solver: Arc<dyn DragSolver>,
    pub(crate) token: Option<SecretString>,
    pub(crate) balance: Usd,
    pub(crate) price: Usd,
    pub(crate) answer_after: Duration,
    pub(crate) running_polls: u32,
    pub(crate) seed: u64,
    pub(crate) quirks: Vec<Quirk>,
    pub(crate) remembered_requests: usize,
    pub(crate) faults: Script,
}

impl EmulatorBuilder {
    pub(crate) fn new() -> Self {
        let knows_nothing = solver_fn("knows-nothing", |_| async {
            let why = "the emulator was given no solver";
            Err(SolveError::new(ErrorKind::Unsolvable, why))
        });
        Self {
            solver: Arc::new(knows_nothing),
            token: None,
            balance: Usd::from_micros(10_000_000),
            price: Usd::from_micros(900),
            answer_after: Duration::ZERO,
            running_polls: 0,
            seed: 0,
            quirks: Vec::new(),
            remembered_requests: 1_000,
            faults: Script::default(),
        }
    }

    /// Who finds the drags. Without one, every picture is unsolvable.
    pub fn solver(mut self, solver: impl DragSolver) -> Self {
        self.solver = Arc::new(solver);
        self
    }

    /// The account's token. Without one, every token but an empty one is right.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(SecretString::from(token.into()));
        self
    }

    /// What the account holds, in US dollars. By default 10.
    pub fn balance(mut self, balance: Usd) -> Self {
        self.balance = balance;
        self
    }

    /// What a job costs, in US dollars. By default 0.0009.
    pub fn price(mut self, price: Usd) -> Self {
        self.price = price;
        self
    }

    /// How long after its creation a job's result can be fetched, at the earliest. By default at
    /// once.
    pub fn answer_after(mut self, delay: Duration) -> Self {
        self.answer_after = delay;
        self
    }

    /// How many times a client is told to wait before each job's result. By default 0.
    pub fn running_polls(mut self, polls: u32) -> Self {
        self.running_polls = polls;
        self
    }

    /// What ids are drawn from: emulators with different seeds give different ids.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Switches one habit of real services on.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// Lets `fault` happen to the next clients that do `operation`, this many times (`u32::MAX` is
    /// always), after those that were given for this operation before.
    pub fn fault(mut self, operation: Operation, fault: Fault, times: u32) -> Self {
        self.faults.add(operation, fault, times);
        self
    }

    /// Lets one of `faults`, out of those for its operation, happen to so many of a thousand requests (and
    /// connections), drawn from `seed`. The draws are the same in every run; who gets which depends on
    /// who comes first. Faults that were [scripted](Self::fault) come first.
    pub fn random_faults(
        mut self,
        seed: u64,
        per_mille: u16,
        faults: impl IntoIterator<Item = (Operation, Fault)>,
    ) -> Self {
        let faults = faults.into_iter().collect();
        self.faults.set_random(seed, per_mille, faults);
        self
    }

    /// How many of the latest requests are kept for [`Emulator::requests`], each with its picture. By
    /// default 1,000; 0 for long tests of memory.
    pub fn remembered_requests(mut self, requests: usize) -> Self {
        self.remembered_requests = requests;
        self
    }

    /// Listens on a free port of 127.0.0.1. Must be called on a Tokio runtime that does I/O.
    ///
    /// # Errors
    ///
    /// No free port; or, as [`io::ErrorKind::InvalidInput`], a price below zero or a
    /// [fault](Self::fault) that means nothing to its operation ([`Fault::applies_to`]).
    #[allow(clippy::unused_async)] // so that what starting has to do can grow
    pub async fn start(self) -> io::Result<Emulator> {
        let refuse = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if self.price.is_negative() {
            let price = self.price;
            return refuse(format!("price: {price} US dollars is below zero"));
        }
        if let Some((operation, fault)) = self.faults.misplaced() {
            let why = format!("fault: `{fault}` means nothing to the operation `{operation}`");
            return refuse(why);
        }
        let service = Arc::new(Service::new(self));
        let server = Server::start(Arc::clone(&service))?;
        Ok(Emulator { service, server })
    }
}
