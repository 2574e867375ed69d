//! The providers' wire protocols on a loopback port, answering from any
//! [`DragSolver`](drag_solver_core::DragSolver).
//!
//! A test or a sandbox talks to it through the real client, over real HTTP, without an account:
//!
//! | protocol | path | methods |
//! |---|---|---|
//! | omocaptcha v1 | `/api` | `createJob`, `getJobResult`, `getBalance`, `getService` |
//! | omocaptcha v2 | `/v2` | `createTask`, `getTaskResult`, `getBalance` |
//! | 2Captcha | `/2captcha` | the same, `reportCorrect`, `reportIncorrect` |
//! | Anti-Captcha | `/anticaptcha` | the same, `reportIncorrectImageCaptcha` |
//!
//! It never invents a drag: what its solver gives up on is answered with the provider's own
//! "unsolvable", and other errors with the provider's code for them. A solver that refuses at once,
//! say with [`RateLimited`](drag_solver_core::ErrorKind::RateLimited), refuses the job: there is
//! nothing to pay for. A screenshot beyond the provider's limits is refused as the provider would.
//!
//! What networks and providers do wrong, it does on demand: a [`Fault`] at any [`Step`], see
//! [`EmulatorBuilder::fault`].
//!
//! ```
//! use drag_solver_core::{Drag, Point};
//! use drag_solver_mock::{MockSolver, emulator::Emulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
//! let emulator = Emulator::builder()
//!     .solver(MockSolver::new("mock").always(drag))
//!     .token("secret")
//!     .start()
//!     .await?;
//! println!("set OMOCAPTCHA_BASE_URL to {}", emulator.omocaptcha_v1_url());
//! assert_eq!(emulator.books().jobs_created, 0);
//! emulator.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod anticaptcha;
mod builder;
mod connection;
mod dialect;
#[cfg(test)]
mod fault_tests;
mod faults;
mod http1;
mod jobs;
mod omocaptcha_v1;
mod omocaptcha_v2;
mod protocol;
mod quirks;
mod random;
mod requests;
mod server;
mod service;
mod task_api;
#[cfg(test)]
mod tests;
mod token;
mod twocaptcha;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use drag_solver_core::Usd;

pub use self::builder::EmulatorBuilder;
pub use self::dialect::{Dialect, Step};
pub use self::faults::{Echo, ErrorBody, Fault, Moment, RedirectTo};
pub use self::jobs::{Books, JobFate, JobRecord};
pub use self::quirks::Quirk;
pub use self::requests::ReceivedRequest;
use self::server::Server;
pub use self::token::TokenSearch;

/// A provider on a loopback port: one account, every [`Dialect`].
///
/// Dropping it stops everything soon after; [`shutdown`](Self::shutdown) does so before it returns.
#[derive(Debug)]
pub struct Emulator {
    server: Arc<Server>,
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
    pub fn url(&self, dialect: Dialect) -> String {
        format!("http://{}{}", self.address(), dialect.path())
    }

    /// The base URL of omocaptcha v1.
    #[must_use]
    pub fn omocaptcha_v1_url(&self) -> String {
        self.url(Dialect::OmocaptchaV1)
    }

    /// The base URL of omocaptcha v2.
    #[must_use]
    pub fn omocaptcha_v2_url(&self) -> String {
        self.url(Dialect::OmocaptchaV2)
    }

    /// The base URL of 2Captcha.
    #[must_use]
    pub fn twocaptcha_url(&self) -> String {
        self.url(Dialect::TwoCaptcha)
    }

    /// The base URL of Anti-Captcha.
    #[must_use]
    pub fn anticaptcha_url(&self) -> String {
        self.url(Dialect::AntiCaptcha)
    }

    /// What was billed and what came of it.
    #[must_use]
    pub fn books(&self) -> Books {
        self.server.service.books()
    }

    /// The jobs, in the order of their creation. Of those whose answer was fetched, the latest 10,000.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobRecord> {
        self.server.service.records()
    }

    /// The latest requests, in the order in which they were read.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.server.service.requests()
    }

    /// Replaces what the account has left, in US dollars.
    pub fn set_balance(&self, balance: Usd) {
        self.server.service.set_balance(balance);
    }

    /// Lets `fault` happen while the emulator runs; see [`EmulatorBuilder::fault`]. One that means
    /// nothing at `step` does nothing.
    pub fn inject(&self, step: Step, fault: Fault, times: u32) {
        if fault.works_at(step) {
            let change = |faults: &mut faults::Script| faults.add(step, fault, times);
            self.server.service.change_faults(change);
        }
    }

    /// Takes back every fault that has not happened yet, scripted or random.
    pub fn clear_faults(&self) {
        self.server.service.change_faults(faults::Script::clear);
    }

    /// Stops listening and cuts every connection, as if the server had been killed. Connecting is
    /// refused until [`resume`](Self::resume). Jobs are kept and go on; the port stays reserved.
    /// Dropping the future leaves the port closed; some connections may then be cut a little later.
    pub async fn suspend(&self) -> io::Result<()> {
        self.server.close().await
    }

    /// Listens again, on the same port.
    #[allow(clippy::unused_async)] // it needs the runtime, and says so
    pub async fn resume(&self) -> io::Result<()> {
        self.server.open()
    }

    /// Stops everything. When it returns, no task and no socket is left.
    pub async fn shutdown(self) {
        let (accepting, mut tasks) = self.server.stop();
        if let Some(accepting) = accepting {
            let _ = accepting.await;
        }
        for tasks in &mut tasks {
            tasks.shutdown().await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.server.stop();
    }
}
