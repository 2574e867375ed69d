//! What a solver says while it works.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Billed, Frame, JobId, SolveError, Tracker, Usd};

/// What happens to money and time while a challenge is solved.
///
/// A solver that cannot spend money need not say anything. One that can says [`Started`] before it
/// sends, [`Buying`] right before it sends what may be billed, and then how the purchase ends:
/// [`NotBought`], or [`Settled`] with what was billed, with [`Bought`] in between if the provider named
/// the job. A job that is left unfinished has no end yet: it is [`Resumed`] and settled by a later
/// call. So every purchase has at most one end, and what it cost is said there and nowhere else.
///
/// A solver that waits on this side, and not for a provider, says [`Waiting`] and [`WaitEnded`]. One that returns what
/// another call has found says [`OnRecord`], and nothing of that is spent again.
///
/// [`Started`]: Event::Started
/// [`Buying`]: Event::Buying
/// [`NotBought`]: Event::NotBought
/// [`Bought`]: Event::Bought
/// [`Resumed`]: Event::Resumed
/// [`Settled`]: Event::Settled
/// [`Waiting`]: Event::Waiting
/// [`WaitEnded`]: Event::WaitEnded
/// [`OnRecord`]: Event::OnRecord
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call waits on this side: no provider was asked for it yet.
    Waiting {
        /// Name of the solver that will be asked.
        solver: &'a str,
        /// What it waits for, as in `"a permit"`.
        reason: &'static str,
    },
    /// The wait is over, and the solver is asked next.
    WaitEnded {
        /// Name of the solver.
        solver: &'a str,
    },
    /// What comes of the challenge is for another call to say, or is on record: nothing more is done for it here.
    OnRecord {
        /// Name of the solver whose answers are on record.
        solver: &'a str,
    },
    /// The solver is not sent the screenshot as it is, but this of it: its answers are in pixels of that.
    Fitted {
        /// Name of the solver.
        solver: &'a str,
        /// Which part of the screenshot, and at which size.
        frame: Frame,
    },
    /// An attempt began. Nothing that could cost money has been sent.
    Started {
        /// Name of the solver.
        solver: &'a str,
    },
    /// The request that buys an answer is about to be sent. From here on money may be spent.
    Buying {
        /// Name of the solver.
        solver: &'a str,
    },
    /// The purchase came to nothing: it provably never reached the provider, or was refused there.
    NotBought {
        /// Name of the solver.
        solver: &'a str,
    },
    /// The provider accepted the job.
    Bought {
        /// Name of the solver.
        solver: &'a str,
        /// The provider's id for it.
        job: &'a JobId,
    },
    /// Instead of buying, the solver waits for a job that was bought before.
    Resumed {
        /// Name of the solver.
        solver: &'a str,
        /// The provider's id for it.
        job: &'a JobId,
    },
    /// The outcome of a purchase is known, good or bad: nothing is left to fetch.
    Settled {
        /// Name of the solver.
        solver: &'a str,
        /// The provider's id for the job; `None` if it never named one.
        job: Option<&'a JobId>,
        /// Whether it was billed. `Maybe` if it is not known.
        billed: Billed,
        /// What it cost, in US dollars, if the provider said or its price is known.
        cost: Option<Usd>,
    },
}

impl<'a> Event<'a> {
    /// Name of the solver that says it.
    #[must_use]
    pub fn solver(&self) -> &'a str {
        match *self {
            Self::Started { solver }
            | Self::Waiting { solver, .. }
            | Self::WaitEnded { solver }
            | Self::OnRecord { solver }
            | Self::Fitted { solver, .. }
            | Self::Buying { solver }
            | Self::NotBought { solver }
            | Self::Bought { solver, .. }
            | Self::Resumed { solver, .. }
            | Self::Settled { solver, .. } => solver,
        }
    }
}

/// Hears the [`Event`]s of one challenge: a spinner, a list of jobs to resume, a store.
///
/// Give it to a challenge with [`DragChallenge::with_observer`](crate::DragChallenge::with_observer).
/// For what the events say about money there is [`DragChallenge::tracked`](crate::DragChallenge::tracked).
#[async_trait]
pub trait Observer: Debug + Send + Sync {
    /// Called from inside the solver, which continues when the future has ended. It must not panic.
    ///
    /// # Errors
    ///
    /// An error for [`Event::Buying`] prevents the purchase: nothing is sent, and the solver fails with
    /// it. Errors for other events, which have happened already, change nothing.
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError>;
}

/// All observers of a challenge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listeners {
    /// The one added last, which knows those before it. They need no await, which spares every
    /// combinator a box for each event.
    tracker: Option<Tracker>,
    /// In the order in which they were added.
    observers: Option<Arc<[Arc<dyn Observer>]>>,
}

impl Listeners {
    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        let earlier = self.observers.as_deref().unwrap_or_default().iter();
        self.observers = Some(earlier.cloned().chain([observer]).collect());
    }

    /// The same, and one more tracker.
    pub(crate) fn tracked(&self) -> (Self, Tracker) {
        let around = self.tracker.as_ref();
        let tracker = around.map_or_else(Tracker::default, Tracker::inside);
        let listeners = Self {
            tracker: Some(tracker.clone()),
            observers: self.observers.clone(),
        };
        (listeners, tracker)
    }

    /// Tells all of them, or tells those who heard of a purchase that another one refused it.
    ///
    /// A call that is dropped while an observer writes must know of what has happened, and of no purchase
    /// that has not begun: so the trackers hear of a purchase last, and of all else first.
    pub(crate) async fn notify(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let Event::Buying { solver } = *event else {
            self.apply(event);
            for observer in self.observers() {
                let _ = observer.on_event(event).await;
            }
            return Ok(());
        };
        for (index, observer) in self.observers().iter().enumerate() {
            if let Err(refusal) = observer.on_event(event).await {
                for told in &self.observers()[..index] {
                    let _ = told.on_event(&Event::NotBought { solver }).await;
                }
                return Err(refusal.with_billed(Billed::No).with_default_solver(solver));
            }
        }
        self.apply(event);
        Ok(())
    }

    fn observers(&self) -> &[Arc<dyn Observer>] {
        self.observers.as_deref().unwrap_or_default()
    }

    fn apply(&self, event: &Event<'_>) {
        if let Some(tracker) = &self.tracker {
            tracker.apply(event);
        }
    }
}
