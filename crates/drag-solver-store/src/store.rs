//! What a store does.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::{Usd, Verdict, async_trait};
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    Accepted, BudgetState, CallRecord, ChallengeRecord, Fact, KeyLimits, KeyRecord, Limit,
    NewPurchase, Opening, Pruned, Query, Reported, Retention, Shortage, Spending, SpendingQuery,
    StoreError, TakenUp,
};

/// How often it is worth looking again, where nothing says that something has changed.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// Keeps what must outlive the process: challenges, what was paid for them, and budgets.
///
/// [`SqliteStore`](crate::SqliteStore) is the one that comes with this crate. Another one has to pass the suite
/// in `contract` (feature `contract`).
///
/// Two kinds of writing differ in what happens when they cannot be done. A *permission* is asked for before
/// something is sent or promised ([`take_up`](Self::take_up), [`accept`](Self::accept), [`begin_purchase`](Self::begin_purchase),
/// [`reserve`](Self::reserve), [`charge`](Self::charge)): it fails, and nothing is sent.
/// When it fails, nothing was written, or what may have been is taken back by the store itself; but for what is accepted,
/// see there. A *fact*
/// ([`record`](Self::record)) has happened already: it is kept in memory, in order, until it is written.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Takes a challenge up for a call, in one step with finding out that no other call has it and that it
    /// is not solved. One that failed is open again with that. But one that was [accepted](Self::accept) is opened again
    /// by that alone, unless a paid job is left to fetch: who takes it up may have read that it is open just before
    /// another call for it failed. A claim ends with [`Fact::Finished`], or with the lease of its process; one whose call was
    /// dropped before it knew of it, with [`Fact::GivenBack`]. The same [claim](Opening::claim) again is the same call.
    async fn take_up(&self, opening: &Opening) -> Result<TakenUp, StoreError>;

    /// Puts a challenge on record with its picture, for a call to come: so that a program can say "accepted" before
    /// anything is bought. When this returns, it survives a power cut. Until a call takes it up, it is open and
    /// not held; its picture is kept until it is solved, or has failed with no paid job that needs it.
    ///
    /// The same again is [known](Accepted::Known). So it is not taken back if it fails and is on record all the same (a
    /// server that was lost sight of while it wrote): others may have read since that it is open, and said so.
    ///
    /// A new one counts against `rate` and `parallel` of `limits`, for all challenges of its label together; what may be
    /// spent is not looked at here.
    async fn accept(
        &self,
        opening: &Opening,
        picture: &Bytes,
        limits: &KeyLimits,
    ) -> Result<Accepted, StoreError>;

    /// Puts a purchase on record that is about to be sent. When this returns, it survives a power cut.
    ///
    /// # Errors
    ///
    /// Besides what every writing can meet: [`ClaimLost`](crate::StoreErrorKind::ClaimLost).
    async fn begin_purchase(&self, purchase: NewPurchase) -> Result<(), StoreError>;

    /// Notes what has happened, after everything that was noted or asked before. Dropping the future changes
    /// nothing. It ends when the fact is written, that of a job or of money so that it survives a power cut;
    /// or with the error of the first try, and then it is tried again until it is written.
    ///
    /// # Errors
    ///
    /// Besides what every writing can meet: [`ClaimLost`](crate::StoreErrorKind::ClaimLost), for a call that ends and has
    /// lost its challenge to another. What came of it is not written, as the other one's outcome counts; the jobs that it
    /// paid for stay on record as they are.
    fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>>;

    /// The challenge of this id, without its picture.
    async fn find(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError>;

    /// The challenge of this id, with its picture if that is kept.
    async fn find_with_picture(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError>;

    /// Notes whether the answer of a challenge was right, in one step with finding that it was not said before.
    async fn report(&self, id: &str, verdict: Verdict) -> Result<Reported, StoreError>;

    /// Ends when it is worth looking again what became of this challenge: its call may have ended. What happens after this
    /// was called, and before it is awaited, counts.
    fn changed(&self, id: &str) -> BoxFuture<'static, ()> {
        let _ = id;
        Box::pin(tokio::time::sleep(LOOK_AGAIN))
    }

    /// Challenges, in the order of their first taking up.
    async fn list(&self, query: &Query) -> Result<Vec<ChallengeRecord>, StoreError>;

    /// Sets `amount` aside under this key, in one step with finding that each of the limits allows it. It ends
    /// with [`Fact::Released`], or with the lease of its process.
    async fn reserve(
        &self,
        key: i64,
        budget: &str,
        amount: Usd,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError>;

    /// Spends `amount`, of what was set aside under `reservation` if that is still there, and else in one step
    /// with finding that each of the limits allows it. When this returns, it survives a power cut.
    async fn charge(
        &self,
        charge: &Charge,
        limits: &[Limit],
    ) -> Result<Result<(), Shortage>, StoreError>;

    /// What is spent of a budget, and set aside, since each of these times.
    async fn budget(&self, budget: &str, since: &[Timestamp]) -> Result<BudgetState, StoreError>;

    /// What was spent, by day, solver and budget.
    async fn spending(&self, query: &SpendingQuery) -> Result<Vec<Spending>, StoreError>;

    /// The last calls of this solver that ended after `since`, as they were [noted](Fact::Called), and at most so many;
    /// the earliest first. Of each solver the last 100 are kept.
    async fn calls(
        &self,
        solver: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<CallRecord>, StoreError>;

    /// Adds a key, in one step with finding that there is no valid one of its name: false if there is.
    async fn add_key(&self, key: &KeyRecord) -> Result<bool, StoreError>;

    /// All keys that there ever were, also those that open nothing any more, the oldest first.
    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError>;

    /// Revokes the key of this name: false if there is none.
    async fn revoke_key(&self, name: &str) -> Result<bool, StoreError>;

    /// Forgets what is old enough, and gives its room back.
    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError>;

    /// Ends when everything that was noted before is written, and the store was found to be one that can be written.
    ///
    /// # Errors
    ///
    /// The store cannot be written. What was noted is still tried again.
    async fn flush(&self) -> Result<(), StoreError>;

    /// What time it is, as far as the store is concerned.
    fn now(&self) -> Timestamp;

    /// Its file, if it is one.
    fn path(&self) -> Option<&Path> {
        None
    }
}

/// Money that is about to be spent.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs)] // made by callers of `charge`
pub struct Charge {
    /// Its key, which is unique.
    pub key: i64,
    /// What was set aside for it, if anything was.
    pub reservation: Option<i64>,
    /// Name of the budget.
    pub budget: String,
    /// Name of the solver that is paid.
    pub solver: String,
    /// How much, in US dollars.
    pub amount: Usd,
}
