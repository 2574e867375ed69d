//! What a solver says while it works.

use std::fmt::Debug;

use crate::JobId;

/// How far one attempt at a challenge has come, and above all whether money may have been spent.
///
/// A solver that cannot spend money need not say anything. One that can says [`Started`] before it
/// sends, and [`Buying`] right before it sends what may be billed: a budget then knows, when the
/// future is dropped between the two, that nothing was bought.
///
/// [`Started`]: Progress::Started
/// [`Buying`]: Progress::Buying
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// An attempt began. Nothing that could cost money has been sent.
    Started {
        /// Name of the solver.
        provider: &'a str,
    },
    /// The request that buys an answer is about to be sent. From here on money may be spent.
    Buying {
        /// Name of the solver.
        provider: &'a str,
    },
    /// The request that buys an answer provably never reached the provider.
    NotBought {
        /// Name of the solver.
        provider: &'a str,
    },
    /// The provider accepted the job.
    Bought {
        /// Name of the solver.
        provider: &'a str,
        /// The provider's id for it.
        job: &'a JobId,
    },
    /// Instead of buying, the solver waits for a job that was bought before.
    Resumed {
        /// Name of the solver.
        provider: &'a str,
        /// The provider's id for it.
        job: &'a JobId,
    },
    /// The outcome of a job is known, good or bad: nothing is left to fetch.
    Settled {
        /// Name of the solver.
        provider: &'a str,
        /// The provider's id for it.
        job: &'a JobId,
    },
}

/// Hears of the [`Progress`] of one challenge: a spinner, a budget, the list of jobs to resume.
///
/// Give it to a challenge with [`DragChallenge::with_listener`](crate::DragChallenge::with_listener).
pub trait ProgressListener: Debug + Send + Sync {
    /// Called from inside the solver. Must return quickly and must not panic.
    fn on_progress(&self, progress: &Progress<'_>);
}
