//! Whose key it is.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{
    KeyLimits, KeyRecord, KeyRole, StoreError, StoreHandle, StoredBudget, StoredBudgetPolicy,
    key_hash,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, timeout};

/// How long the keys of the store are taken for what they were: a key that is revoked opens nothing any more this
/// long after, at the latest.
const FRESH: Duration = Duration::from_secs(2);

/// How long a request with a key that is known waits until the keys are read again: a store that cannot be read holds
/// nobody up whose key was good before.
const KNOWN_WAITS: Duration = Duration::from_secs(1);

/// How often the store is asked, at most, because of unknown keys.
const ASKED_AGAIN: Duration = Duration::from_millis(250);

/// Keys that are told apart while any key is taken, at most.
const GUESTS: usize = 10_000;

/// The name that budgets of keys have in the store: each is `key/NAME`.
const BUDGET: &str = "key";

/// A new key: 32 hexadecimal digits, which is what clients of other services look for.
#[must_use]
pub fn new_key() -> SecretString {
    hex(&rand::random::<[u8; 16]>()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // to a String it cannot fail
        text
    })
}

/// The keys that open a gateway: those of its store. While the store never had a key, any key does.
///
/// Clones are the same keys.
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    store: StoreHandle,
    table: Arc<RwLock<Table>>,
    /// One at a time reads them again. When that last failed.
    reading: tokio::sync::Mutex<Option<Instant>>,
    /// Whether a key with a limit on money cannot be taken.
    no_limits_on_money: AtomicBool,
    guests: Mutex<HashMap<KeyHash, Arc<Account>>>,
}

type KeyHash = [u8; 32];

struct Table {
    read: Instant,
    accounts: HashMap<KeyHash, Arc<Account>>,
    /// What each may spend, by name.
    policies: HashMap<String, StoredBudgetPolicy>,
    /// Whether the store never had a key.
    is_open: bool,
}

/// One who has a key, and what counts for them.
pub(crate) struct Account {
    /// Who has the key.
    pub(crate) name: String,
    /// What jobs of this key are called by in the store, before their own id. Another key of the same name has another.
    pub(crate) prefix: String,
    pub(crate) hash: KeyHash,
    /// The key as it is on record; none while any key is taken.
    record: Option<KeyRecord>,
    /// Jobs that are not ended.
    pub(crate) open: Arc<AtomicU32>,
}

impl Account {
    fn of_record(record: KeyRecord, hash: KeyHash, before: Option<&Arc<Self>>) -> Self {
        Self {
            prefix: format!("{}-{}", record.name, hex(&hash[..4])),
            name: record.name.clone(),
            hash,
            record: Some(record),
            open: before
                .map(|before| Arc::clone(&before.open))
                .unwrap_or_default(),
        }
    }

    fn guest(hash: KeyHash) -> Self {
        let prefix = format!("any-{}", hex(&hash[..8]));
        Self {
            name: prefix.clone(),
            prefix,
            hash,
            record: None,
            open: Arc::default(),
        }
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        self.record
            .as_ref()
            .is_some_and(|record| record.is_valid(now))
    }

    fn has_limit_on_money(&self) -> bool {
        let limits = self.record.as_ref().map(|record| &record.limits);
        limits.is_some_and(KeyLimits::limit_money)
    }

    /// What its challenges are labelled: budgets and metrics are kept by it.
    pub(crate) fn label(&self) -> Option<&str> {
        self.record.as_ref().map(|record| record.name.as_str())
    }

    pub(crate) fn role(&self) -> KeyRole {
        let record = self.record.as_ref();
        record.map_or(KeyRole::Client, |record| record.role)
    }

    /// What may be done with it, at all gateways of its store together.
    pub(crate) fn limits(&self) -> KeyLimits {
        self.record
            .as_ref()
            .map(|record| record.limits)
            .unwrap_or_default()
    }

    /// The most jobs that may be open.
    pub(crate) fn parallel(&self) -> Option<u32> {
        self.record.as_ref()?.limits.parallel.map(NonZeroU32::get)
    }

    /// A place among the open jobs, if there are fewer than so many.
    pub(crate) fn open_one(&self, most: u32) -> Option<OpenJob> {
        let more = |open: u32| (open < most).then_some(open + 1);
        let taken = self
            .open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        taken.ok().map(|_| OpenJob(Arc::clone(&self.open)))
    }
}

/// Who has the key that jobs are called so by.
pub(crate) fn name_of_prefix(prefix: &str) -> &str {
    let name = prefix.rsplit_once('-').filter(|(_, hash)| hash.len() == 8);
    name.map_or(prefix, |(name, _)| name)
}

/// A place among the open jobs of a key. It is free again when this is dropped.
pub(crate) struct OpenJob(Arc<AtomicU32>);

impl Drop for OpenJob {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Keys {
    /// The keys of this store.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn open(store: impl Into<StoreHandle>) -> Result<Self, StoreError> {
        let store = store.into();
        let table = Table::read(&store, None).await?;
        Ok(Self(Arc::new(Shared {
            store,
            table: Arc::new(RwLock::new(table)),
            reading: tokio::sync::Mutex::default(),
            no_limits_on_money: AtomicBool::new(false),
            guests: Mutex::default(),
        })))
    }

    /// Whether any key is taken, as the store never had one.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.table(|table| table.is_open)
    }

    /// A key that is valid and may spend no more than so much, by its name, if there is one.
    #[must_use]
    pub fn limited_in_money(&self) -> Option<String> {
        let now = self.0.store.now();
        self.table(|table| {
            let mut accounts = table.accounts.values();
            let limited = accounts.find(|one| one.is_valid(now) && one.has_limit_on_money());
            limited.map(|one| one.name.clone())
        })
    }

    /// Takes no keys with a limit on money, from now on: for a chain that does not know what its answers cost, and
    /// so does not spend from [`budget`](Self::budget).
    pub fn refuse_limits_on_money(&self) {
        self.0.no_limits_on_money.store(true, Ordering::Release);
    }

    /// What each key may spend: a budget for [`ChainParts::spend_also_from`](drag_solver::config::ChainParts::spend_also_from).
    #[must_use]
    pub fn budget(&self) -> StoredBudget {
        let table = Arc::clone(&self.0.table);
        StoredBudget::by_label(&self.0.store, BUDGET, move |label| {
            let table = table.read().unwrap_or_else(PoisonError::into_inner);
            let known = table.policies.get(label).cloned();
            // While any key is taken, none has a limit.
            known.unwrap_or_default()
        })
    }

    /// Whose jobs are called so.
    pub(crate) fn of_prefix(&self, prefix: &str) -> Option<Arc<Account>> {
        self.table(|table| {
            let mut accounts = table.accounts.values();
            accounts.find(|account| account.prefix == prefix).cloned()
        })
    }

    /// Whether any key is taken now.
    pub(crate) async fn take_any(&self) -> bool {
        let age = self.table(|table| table.read.elapsed());
        if age >= FRESH && self.is_open() {
            self.read_again(age).await;
        }
        self.is_open()
    }

    /// Whose key this is.
    pub(crate) async fn find(&self, key: &SecretString) -> Option<Arc<Account>> {
        let hash = key_hash(key.expose_secret());
        let mut found = self.table(|table| table.find(&hash));
        let age = self.table(|table| table.read.elapsed());
        if age >= FRESH || (found.is_none() && age >= ASKED_AGAIN) {
            let keys = self.clone();
            // It continues when no caller waits for it any more.
            let reading = tokio::spawn(async move { keys.read_again(age).await });
            if found.is_some() {
                let _ = timeout(KNOWN_WAITS, reading).await;
            } else {
                let _ = reading.await;
            }
            found = self.table(|table| table.find(&hash));
        }
        let account = match found? {
            Found::Account(account) => account,
            Found::Anybody => return Some(self.guest(hash)),
        };
        if account.has_limit_on_money() && self.0.no_limits_on_money.load(Ordering::Acquire) {
            let key = &account.name;
            tracing::error!(
                key,
                "refused: this key has a limit on money, and the chain does not know what its answers cost: write a \
                 `price` for each provider into its file, and start again"
            );
            return None;
        }
        account.is_valid(self.0.store.now()).then_some(account)
    }

    async fn read_again(&self, age: Duration) {
        let asked = Instant::now();
        let mut failed = self.0.reading.lock().await;
        if self.table(|table| table.read.elapsed()) < age {
            return; // another call just did
        }
        if failed.is_some_and(|failed| failed >= asked) {
            return; // or could not, and who has waited for that does not wait as long again
        }
        let before = self.table(|table| table.accounts.clone());
        match Table::read(&self.0.store, Some(&before)).await {
            Ok(table) => *self.0.table.write().unwrap_or_else(PoisonError::into_inner) = table,
            // Those that are known stay good until the store can be read again.
            Err(error) => {
                *failed = Some(Instant::now());
                tracing::warn!(%error, "the keys cannot be read");
            }
        }
    }

    fn guest(&self, hash: KeyHash) -> Arc<Account> {
        let mut guests = self.0.guests.lock().unwrap_or_else(PoisonError::into_inner);
        if guests.len() >= GUESTS {
            guests.clear();
        }
        let account = guests
            .entry(hash)
            .or_insert_with(|| Arc::new(Account::guest(hash)));
        Arc::clone(account)
    }

    fn table<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.0.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}

enum Found {
    Account(Arc<Account>),
    Anybody,
}

impl Table {
    async fn read(
        store: &StoreHandle,
        before: Option<&HashMap<KeyHash, Arc<Account>>>,
    ) -> Result<Self, StoreError> {
        let records = store.keys().await?;
        let is_open = records.is_empty();
        // One that is revoked may still have jobs, and its name may be another's by now: that one's comes last.
        let (revoked, valid): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| record.revoked.is_some());
        let policies = revoked.into_iter().chain(valid);
        let policies = policies.map(|record| (record.name.clone(), record.limits.policy()));
        let policies = policies.collect();
        let account = |record: KeyRecord| {
            let hash = record.hash;
            let before = before.and_then(|before| before.get(&hash));
            (hash, Arc::new(Account::of_record(record, hash, before)))
        };
        Ok(Self {
            read: Instant::now(),
            accounts: records.into_iter().map(account).collect(),
            policies,
            is_open,
        })
    }

    fn find(&self, hash: &KeyHash) -> Option<Found> {
        if self.is_open {
            return Some(Found::Anybody);
        }
        self.accounts.get(hash).cloned().map(Found::Account)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, is_open) = self.table(|table| (table.accounts.len(), table.is_open));
        f.debug_struct("Keys")
            .field("count", &count)
            .field("is_open", &is_open)
            .finish()
    }
}
