#![doc = include_str!("../README.md")]

mod builder;
mod callbacks;
mod connection;
#[cfg(test)]
mod fault_tests;
mod faults;
mod host;
mod http1;
#[cfg(test)]
mod in_php_tests;
mod job_id;
mod ledger;
mod providers;
mod requests;
mod response;
mod rules;
mod secret_scanner;
mod server;
mod stand_in;
mod stats;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use drag_solver_core::Usd;
pub use drag_solver_wire::{Callback, Operation, Pairs, Part, Protocol, Quirk, Request};

pub use self::builder::EmulatorBuilder;
pub use self::callbacks::Callbacks;
use self::faults::Script;
pub use self::faults::{Echo, ErrorBody, Fault, RedirectTo, ResetPoint};
use self::host::{Host, Site, lock};
pub use self::providers::Providers;
pub use self::requests::ReceivedRequest;
pub use self::response::Response;
pub use self::secret_scanner::SecretScanner;
use self::server::Server;
pub use self::stand_in::{StandIn, stand_in};
pub use self::stats::{JobRecord, JobStatus, Stats, Traffic};

/// A service on a loopback port: the [`Providers`], one account for every [`Protocol`], or a
/// [stand-in](stand_in) for another.
///
/// Dropping it stops everything soon after; [`shutdown`](Self::shutdown) does so before it returns.
#[derive(Debug)]
pub struct Emulator<S = Providers> {
    host: Arc<Host<S>>,
    server: Server,
}

impl Emulator {
    /// An emulator of the providers with default settings, to be [started](EmulatorBuilder::start).
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::of(Providers::new())
    }

    /// The base URL of a protocol, as in `http://127.0.0.1:40123/api`; that of `in.php` has no path.
    #[must_use]
    pub fn url(&self, protocol: Protocol) -> String {
        format!("http://{}{}", self.address(), protocol.path())
    }

    /// What was billed and what came of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.host.site.ledger().stats
    }

    /// The jobs, in the order of their creation. Of those whose answer was fetched, the latest 10,000.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobRecord> {
        self.host.site.ledger().records()
    }

    /// Replaces what the account has left, in US dollars.
    pub fn set_balance(&self, balance: Usd) {
        self.host.site.ledger().stats.balance = balance;
    }
}

#[allow(private_bounds)] // a sealed trait: there is nothing else to serve
impl<S: Site> Emulator<S> {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The latest requests, in the order in which they were read.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        lock(&self.host.log).all()
    }

    /// How many of the [latest requests](Self::requests) went to this path, as in `/api/createJob`.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> usize {
        let is_to = |it: &&ReceivedRequest| it.request.path() == path;
        self.requests().iter().filter(is_to).count()
    }

    /// Lets `fault` happen while the emulator runs; see [`EmulatorBuilder::fault`]. One that
    /// [`start`](EmulatorBuilder::start) would refuse does nothing.
    pub fn inject(&self, operation: Operation, fault: Fault, times: u32) {
        if builder::why_not(&*self.host.site, operation, &fault).is_none() {
            self.host
                .change_faults(|faults| faults.add(operation, fault, times));
        }
    }

    /// Takes back every fault that has not happened yet, scripted or random.
    pub fn clear_faults(&self) {
        self.host.change_faults(Script::clear);
    }

    /// Stops listening and cuts every connection, as if the server had been killed. Connecting is
    /// refused until [`resume`](Self::resume). Jobs are kept and go on; the port stays reserved.
    /// Dropping the future leaves the port closed; some connections may then be cut a little later.
    pub async fn suspend(&self) -> io::Result<()> {
        self.server.listen(false).await
    }

    /// Listens again, on the same port.
    pub async fn resume(&self) -> io::Result<()> {
        self.server.listen(true).await
    }

    /// Stops everything. When it returns, no task and no socket is left.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }

    /// What went over the network, so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let faults = lock(&self.host.faults).happened;
        Traffic {
            faults,
            ..*lock(&self.host.traffic)
        }
    }
}
