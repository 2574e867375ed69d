//! How an [`Emulator`] is set up.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{DragSolver, Usd, builder_setters};
use secrecy::SecretString;

use crate::faults::Script;
use crate::host::{Host, Site};
use crate::server::Server;
use crate::{Callbacks, Emulator, Fault, Operation, Providers, Quirk};

/// How an [`Emulator`] is set up. `Debug` does not show the token.
#[derive(Debug)]
#[must_use = "nothing listens until `start`"]
pub struct EmulatorBuilder<S = Providers> {
    pub(crate) site: S,
    remembered_requests: usize,
    faults: Script,
}

impl EmulatorBuilder {
    builder_setters! {
        /// Who finds the drags. Without one, every picture is unsolvable.
        solver(solver: impl DragSolver) |it| it.site.solver = Arc::new(solver);

        /// The account's token. Without one, every token but an empty one is right.
        token(token: impl Into<String>) |it| it.site.token = Some(SecretString::from(token.into()));

        /// What the account holds, in US dollars. By default 10.
        balance(balance: Usd) |it| it.site.ledger().stats.balance = balance;

        /// What a job costs, in US dollars. By default 0.0009.
        price(price: Usd) |it| it.site.ledger().price = price;

        /// How long after its creation a job's result can be fetched, at the earliest. By default at
        /// once.
        answer_after(delay: Duration) |it| it.site.answer_after = delay;

        /// How many times a client is told to wait before each job's result. By default 0.
        running_polls(polls: u32) |it| it.site.ledger().running_polls = polls;

        /// What becomes of the calls to clients that give an address of 127.0.0.1 (`callbackUrl`, `pingback`).
        /// By default each comes in time.
        callbacks(callbacks: Callbacks) |it| it.site.callbacks = callbacks;

        /// What ids are drawn from: emulators with different seeds give different ids.
        seed(seed: u64) |it| it.site.seed = seed;

        /// Switches one habit of real services on.
        quirk(quirk: Quirk) |it| it.site.quirks.push(quirk);
    }
}

#[allow(private_bounds)] // a sealed trait: there is nothing else to serve
impl<S: Site> EmulatorBuilder<S> {
    pub(crate) fn of(site: S) -> Self {
        Self {
            site,
            remembered_requests: 1_000,
            faults: Script::default(),
        }
    }

    builder_setters! {
        /// Lets `fault` happen to the next clients that do `operation`, this many times (`u32::MAX` is
        /// always), after those that were given for this operation before.
        fault(operation: Operation, fault: Fault, times: u32)
            |it| it.faults.add(operation, fault, times);

        /// Lets one of `faults`, out of those for its operation, happen to so many of a thousand requests (and
        /// connections), drawn from `seed`. The draws are the same in every run; who gets which depends on
        /// who comes first. Faults that were [scripted](Self::fault) come first.
        random_faults(seed: u64, per_mille: u16, faults: impl IntoIterator<Item = (Operation, Fault)>) |it| {
            let faults = faults.into_iter().collect();
            it.faults.set_random(seed, per_mille, faults);
        };

        /// How many of the latest requests are kept for [`Emulator::requests`], each with its picture. By
        /// default 1,000; 0 for long tests of memory.
        remembered_requests(requests: usize) |it| it.remembered_requests = requests;
    }

    /// Listens on a free port of 127.0.0.1. Must be called on a Tokio runtime that does I/O.
    ///
    /// # Errors
    ///
    /// No free port; or, as [`io::ErrorKind::InvalidInput`], a price below zero, an operation that is no
    /// method and path, or a [fault](Self::fault) that means nothing to its operation
    /// ([`Fault::applies_to`]) or to a stand-in ([`Fault::applies_to_stand_in`]).
    #[allow(clippy::unused_async)] // so that what starting has to do can grow
    pub async fn start(mut self) -> io::Result<Emulator<S>> {
        let refusal = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
        self.site.prepare().map_err(refusal)?;
        let why_not = |(at, fault)| why_not(&self.site, at, fault);
        if let Some(why) = self.faults.all().find_map(why_not) {
            return Err(refusal(format!("fault: {why}")));
        }
        let host = Arc::new(Host::new(self.site, self.faults, self.remembered_requests));
        let server = Server::start(Arc::clone(&host))?;
        Ok(Emulator { host, server })
    }
}

/// Why `fault` cannot happen to `operation`, if it cannot.
pub(crate) fn why_not(site: &impl Site, operation: Operation, fault: &Fault) -> Option<String> {
    if fault.applies_to(operation) {
        return site.why_not(operation, fault);
    }
    Some(format!(
        "`{fault}` means nothing to the operation `{operation}`"
    ))
}
