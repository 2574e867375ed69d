//! What the provider knows, for tests to look at.

use drag_solver_core::{JobId, Usd, Verdict};
use tokio::time::Instant;

use crate::Protocol;

/// What went over the network, in any protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Connections accepted.
    pub connections: u64,
    /// Requests whose headers were read.
    pub requests: u64,
    /// Bytes handed to the network.
    pub bytes_sent: u64,
    /// [Faults](crate::Fault) that happened.
    pub faults: u64,
    /// Requests that came because a client followed a [redirect](crate::Fault::Redirect) to another
    /// place.
    pub redirects_followed: u64,
}

/// What the account has been billed for, and what came of it.
///
/// A job is paid for when it is accepted. One that is given up is refunded where the provider does so
/// (all but Anti-Captcha). So, even if answers are lost on their way:
///
/// - `jobs_created == jobs_paid + jobs_refunded`
/// - `spent` is the price times `jobs_paid`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs that were accepted.
    pub jobs_created: u64,
    /// Jobs that were accepted and not refunded.
    pub jobs_paid: u64,
    /// Jobs that were given up and refunded.
    pub jobs_refunded: u64,
    /// Jobs that no answer was found to yet.
    pub jobs_running: u64,
    /// Jobs that an answer was found to.
    pub jobs_solved: u64,
    /// Solved jobs whose answer was sent whole at least once. Whether it arrived, the client knows.
    pub answers_fetched: u64,
    /// Reports that an answer was right.
    pub reported_correct: u64,
    /// Reports that an answer was wrong.
    pub reported_incorrect: u64,
    /// Calls to addresses of clients, and all that came of them.
    pub callbacks: u64,
    /// What the account has left, in US dollars.
    pub balance: Usd,
    /// What the jobs cost, in US dollars.
    pub spent: Usd,
}

/// One job, as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRecord {
    /// Its id, as sent to the client.
    pub id: JobId,
    /// The protocol it was created by.
    pub protocol: Protocol,
    /// What became of it.
    pub status: JobStatus,
    /// How often its result was asked for.
    pub polls: u32,
    /// How often its answer was sent whole.
    pub fetched: u32,
    /// The latest report about its answer.
    pub verdict: Option<Verdict>,
    /// When its result can be fetched, or could be first; `None` while it is being worked on.
    pub ready: Option<Instant>,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobStatus {
    /// It is being worked on.
    Running,
    /// An answer was found, right or wrong.
    Solved,
    /// The provider gave up.
    GaveUp,
}
