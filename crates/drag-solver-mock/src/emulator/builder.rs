//! How an [`Emulator`] is set up.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Solution, SolveError, Usd, WorstCase, async_trait,
};
use secrecy::SecretString;

use super::faults::{Fault, Script};
use super::quirks::{Quirk, Quirks};
use super::server::Server;
use super::service::{Service, Settings};
use super::{Emulator, Step};

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
                faults: Script::default(),
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

    /// Lets `fault` happen to the next clients that are at `step`, this many times (`u32::MAX` is
    /// always), after those that were given for this step before.
    ///
    /// ```
    /// use drag_solver_mock::emulator::{Emulator, Fault, Moment, Step};
    /// # use drag_solver_core::{Drag, Point};
    /// # use drag_solver_mock::MockSolver;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
    /// let emulator = Emulator::builder()
    ///     .solver(MockSolver::new("mock").always(drag))
    ///     .fault(Step::Create, Fault::Reset(Moment::BeforeAnswer), 1)
    ///     .fault(Step::Poll, Fault::Html, 2)
    ///     .start()
    ///     .await?;
    /// // Run your client against `emulator.twocaptcha_url()`. The first job is bought and its id
    /// // lost; so the books show one paid job, whatever the client believes.
    /// assert_eq!(emulator.books().faults, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn fault(mut self, step: Step, fault: Fault, times: u32) -> Self {
        self.settings.faults.add(step, fault, times);
        self
    }

    /// Lets one of `faults`, out of those for its step, happen to so many of a thousand requests (and
    /// connections), drawn from `seed`. The draws are the same in every run; who gets which depends on
    /// who comes first. Faults that were [scripted](Self::fault) come first.
    pub fn random_faults(
        mut self,
        seed: u64,
        per_mille: u16,
        faults: impl IntoIterator<Item = (Step, Fault)>,
    ) -> Self {
        let faults = faults.into_iter().collect();
        self.settings.faults.add_random(seed, per_mille, faults);
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
    /// No free port; or, as [`io::ErrorKind::InvalidInput`], a price below zero or a
    /// [fault](Self::fault) that means nothing at its step ([`Fault::works_at`]).
    #[allow(clippy::unused_async)] // so that what starting has to do can grow
    pub async fn start(self) -> io::Result<Emulator> {
        if self.settings.price.is_negative() {
            let why = format!("price: {} US dollars is below zero", self.settings.price);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        if let Some((step, fault)) = self.settings.faults.misplaced() {
            let why = format!("fault: `{fault}` means nothing at the step `{step}`");
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
