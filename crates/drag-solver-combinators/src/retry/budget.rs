//! A limit on retries across calls, so that they do not become a storm.

use std::sync::Arc;

use drag_solver_core::{CheckSettings, Ratio};

use crate::chain_debug::Setting;
use crate::settings::{policy, shared_form};
use crate::sync::{Mutex, lock};

/// Tokens are counted in millionths, so that no fraction of one is ever rounded away.
const TOKEN: u64 = 1_000_000;

policy! {
    /// How many retries a [`RetryBudget`] allows.
    pub struct RetryBudgetPolicy {
        /// How many retries are allowed at once, after a quiet time. Default: 10; a few calls that fail
        /// by chance are no storm.
        pub burst: count = 10,
        /// How many retries each further call allows. Default: 0.2; when everything fails,
        /// the provider sees a fifth more than its usual load, and not three times as much.
        pub ratio: Ratio = Ratio::percent(20),
    }
}

impl RetryBudgetPolicy {
    /// What a full bucket holds.
    fn capacity(&self) -> u64 {
        u64::from(self.burst.get()) * TOKEN
    }

    /// What a call puts back.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss
    )] // from 0 to a million
    fn deposit(&self) -> u64 {
        (self.ratio.get() * TOKEN as f64).round() as u64
    }
}

impl CheckSettings for RetryBudgetPolicy {}

/// A bucket of tokens that several [`Retry`](crate::Retry)s share: each retry takes one, each call
/// puts a fraction of one back. When it is empty, errors come back without a retry.
///
/// Clones share the bucket. Over any time, there are at most `burst + ratio * calls` retries.
/// Resuming a job that was paid for takes no token: it asks for nothing new.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, RetryBudget, RetryBudgetPolicy, RetryPolicy};
/// # use drag_solver_mock::MockSolver;
/// # let (first, second) = (MockSolver::new("first"), MockSolver::new("second"));
///
/// let budget = RetryBudget::new(RetryBudgetPolicy::default().burst(20));
/// let chain = first
///     .retry(RetryPolicy::default())
///     .with_retry_budget(&budget)
///     .or(second.retry(RetryPolicy::default()).with_retry_budget(&budget));
/// # let _ = chain;
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget(Arc<Mutex<Bucket>>);

#[derive(Debug)]
struct Bucket {
    policy: RetryBudgetPolicy,
    tokens: u64,
}

impl RetryBudget {
    /// A full bucket.
    #[must_use]
    pub fn new(policy: RetryBudgetPolicy) -> Self {
        let tokens = policy.capacity();
        Self(Arc::new(Mutex::new(Bucket { policy, tokens })))
    }

    /// Its settings.
    #[must_use]
    pub fn policy(&self) -> RetryBudgetPolicy {
        lock(&self.0).policy
    }

    /// Changes the settings, for all who share the bucket. What was taken stays taken.
    pub fn set_policy(&self, policy: RetryBudgetPolicy) {
        let mut bucket = lock(&self.0);
        let taken = bucket.policy.capacity() - bucket.tokens;
        let tokens = policy.capacity().saturating_sub(taken);
        *bucket = Bucket { policy, tokens };
    }

    /// How many whole retries are left right now.
    #[must_use]
    pub fn available(&self) -> u64 {
        lock(&self.0).tokens / TOKEN
    }

    /// A call was made.
    pub(crate) fn deposit(&self) {
        let mut bucket = lock(&self.0);
        let deposit = bucket.policy.deposit();
        bucket.put(deposit);
    }

    /// Takes a token, if there is one. It goes back unless the retry is made.
    pub(crate) fn withdraw(&self) -> Option<Withdrawal> {
        let mut bucket = lock(&self.0);
        bucket.tokens = bucket.tokens.checked_sub(TOKEN)?;
        Some(Withdrawal(Some(Arc::clone(&self.0))))
    }
}

shared_form!(RetryBudget of RetryBudgetPolicy);

impl Bucket {
    fn put(&mut self, amount: u64) {
        self.tokens = self
            .tokens
            .saturating_add(amount)
            .min(self.policy.capacity());
    }
}

impl Setting for &RetryBudget {
    fn text(self) -> Option<String> {
        let RetryBudgetPolicy { burst, ratio } = self.policy();
        Some(format!("{burst} + {ratio} a call"))
    }
}

/// A token taken for a retry that is yet to be made. Dropped before that, it goes back.
#[must_use]
pub(crate) struct Withdrawal(Option<Arc<Mutex<Bucket>>>);

impl Withdrawal {
    /// The retry is made: the token is gone.
    pub(crate) fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        if let Some(bucket) = self.0.take() {
            lock(&bucket).put(TOKEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(burst: u32, percent: u8) -> RetryBudget {
        let ratio = Ratio::percent(percent);
        RetryBudget::new(RetryBudgetPolicy::default().burst(burst).ratio(ratio))
    }

    fn spend_all(budget: &RetryBudget) -> u32 {
        let mut spent = 0;
        while let Some(token) = budget.withdraw() {
            token.spend();
            spent += 1;
        }
        spent
    }

    #[test]
    fn fractions_are_not_truncated() {
        let budget = budget(1, 10);
        assert_eq!(spend_all(&budget), 1);
        for _ in 0..9 {
            budget.deposit();
            assert!(budget.withdraw().is_none());
        }
        budget.deposit();
        assert_eq!(spend_all(&budget), 1, "ten tenths are one");
    }

    #[test]
    fn no_token_is_taken_twice() {
        let budget = budget(1_000, 0);
        let taken: u32 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| spend_all(&budget))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(taken, 1_000);
    }

    #[test]
    fn new_settings_keep_what_was_taken() {
        let budget = budget(10, 0);
        for _ in 0..4 {
            budget.withdraw().unwrap().spend();
        }
        let open = budget.withdraw();
        let resized = |burst| {
            budget.set_policy(budget.policy().burst(burst));
            budget.available()
        };
        assert_eq!((resized(20), resized(6), resized(2)), (15, 1, 0));
        drop(open);
        assert_eq!(budget.available(), 1);
        budget.set_policy(budget.policy().ratio(Ratio::ONE));
        budget.deposit();
        budget.deposit();
        assert_eq!(budget.available(), 2);
    }

    #[test]
    fn a_token_that_was_not_used_goes_back_and_the_bucket_does_not_overflow() {
        let budget = budget(2, 100);
        drop(budget.withdraw());
        assert_eq!(budget.available(), 2);
        budget.deposit();
        assert_eq!(budget.available(), 2);
    }
}
