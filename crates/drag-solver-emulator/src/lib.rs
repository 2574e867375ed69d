#![doc = include_str!("../README.md")]

mod builder;
mod connection;
#[cfg(test)]
mod fault_tests;
mod faults;
mod http1;
mod ledger;
mod protocol;
mod requests;
mod secret_scanner;
mod server;
mod service;
mod stats;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use drag_solver_core::Usd;

pub use self::builder::EmulatorBuilder;
use self::faults::Script;
pub use self::faults::{Echo, ErrorBody, Fault, RedirectTo, ResetPoint};
pub use self::protocol::{Operation, Protocol, Quirk};
pub use self::requests::ReceivedRequest;
pub use self::secret_scanner::SecretScanner;
use self::server::Server;
use self::service::Service;
pub use self::stats::{JobRecord, JobStatus, Stats};

/// A provider on a loopback port: one account, every [`Protocol`].
///
/// Dropping it stops everything soon after; [`shutdown`](Self::shutdown) does so before it returns.
#[derive(Debug)]
pub struct Emulator {
    service: Arc<Service>,
    server: Server,
}

impl Emulator {
    /// An emulator with default settings, to be [started](EmulatorBuilder::start).
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The base URL of a protocol, as in `http://127.0.0.1:40123/api`.
    #[must_use]
    pub fn url(&self, protocol: Protocol) -> String {
        format!("http://{}{}", self.address(), protocol.path())
    }

    /// What was billed and what came of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.service.stats()
    }

    /// The jobs, in the order of their creation. Of those whose answer was fetched, the latest 10,000.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobRecord> {
        self.service.ledger().records()
    }

    /// The latest requests, in the order in which they were read.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.service.log().all()
    }

    /// Replaces what the account has left, in US dollars.
    pub fn set_balance(&self, balance: Usd) {
        self.service.ledger().stats.balance = balance;
    }

    /// Lets `fault` happen while the emulator runs; see [`EmulatorBuilder::fault`]. One that means
    /// nothing to `operation` does nothing.
    pub fn inject(&self, operation: Operation, fault: Fault, times: u32) {
        if fault.applies_to(operation) {
            self.service
                .change_faults(|faults| faults.add(operation, fault, times));
        }
    }

    /// Takes back every fault that has not happened yet, scripted or random.
    pub fn clear_faults(&self) {
        self.service.change_faults(Script::clear);
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
}
