//! Keys that programs are given, so that each may do and spend so much: kept by their hash alone.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use drag_solver_core::{Usd, human_duration};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{StoreError, StoreErrorKind, StoredBudgetPolicy};

/// What is kept of a key: SHA-256 of it. A key is 128 random bits, and so it is not found by trying.
pub type KeyHash = [u8; 32];

/// What is kept of this key.
#[must_use]
pub fn key_hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

/// A key, as it is on record.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyRecord {
    /// Who has it: a name by which budgets and metrics are kept. Of letters, digits, `-`, `_` and `.`, 64 at most.
    pub name: String,
    /// What tells it from others.
    #[serde(skip)]
    pub hash: KeyHash,
    /// What it is for.
    pub role: KeyRole,
    /// What may be done with it.
    pub limits: KeyLimits,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyRole {
    /// Has challenges solved.
    #[default]
    Client,
    /// Looks at everything, and buys nothing.
    Administrator,
    /// Answers challenges.
    Operator,
}

/// How many jobs may be made in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs)] // a number and a time
pub struct KeyRate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    #[serde(with = "human_duration")]
    pub per: Duration,
}

impl KeyRate {
    /// Takes a turn: says when all turns are free again after it, in nanoseconds since 1970; `None` if there is no
    /// turn now. `last` is what the turn before said.
    pub(crate) fn turn(&self, last: Option<i64>, now: Timestamp) -> Option<i64> {
        let per = i64::try_from(self.per.as_nanos()).unwrap_or(i64::MAX);
        let now = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
        let latest = now.saturating_add(per);
        // What is later than can be is of a clock that was set back.
        let free_at = last.filter(|&at| at <= latest).unwrap_or(now).max(now);
        let next = free_at.saturating_add(per / i64::from(self.count.get()));
        (next <= latest).then_some(next)
    }
}

/// What may be done with a key. What is not set is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct KeyLimits {
    /// The most that may be spent on one day (UTC), in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Usd>,
    /// The most that may be spent in all, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Usd>,
    /// How fast jobs may be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<KeyRate>,
    /// How many jobs may be open at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<NonZeroU32>,
}

impl KeyLimits {
    /// What may be spent.
    #[must_use]
    pub fn policy(&self) -> StoredBudgetPolicy {
        let mut policy = StoredBudgetPolicy::default();
        (policy.total, policy.per_day) = (self.total, self.per_day);
        policy
    }

    /// Whether so much may be spent and no more.
    #[doc(hidden)]
    #[must_use]
    pub fn limit_money(&self) -> bool {
        self.per_day.is_some() || self.total.is_some()
    }
}

/// Longest name of a key, in characters.
const LONGEST_NAME: usize = 64;

impl KeyRecord {
    /// A key for clients, without limits.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Invalid`] if the name is not one that a label of a budget and of metrics can be.
    pub fn new(name: &str, hash: KeyHash, created: Timestamp) -> Result<Self, StoreError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                "the name of a key is 1 to 64 letters, digits, `-`, `_` or `.`",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            hash,
            role: KeyRole::Client,
            limits: KeyLimits::default(),
            created,
            expires: None,
            revoked: None,
        })
    }

    /// Whether it opens anything at this time.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// Without what tells it from others.
impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("limits", &self.limits)
            .field("created", &self.created)
            .field("expires", &self.expires)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Result<KeyRecord, StoreError> {
        KeyRecord::new(name, key_hash("secret"), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_name_is_one_that_a_label_can_be() {
        assert!(key("shop-1_a.B").is_ok());
        for name in ["", "a b", "a/b", "a\n", "é", &"a".repeat(65)] {
            let kind = key(name).map_err(|error| error.kind());
            assert_eq!(kind, Err(StoreErrorKind::Invalid), "{name:?}");
        }
    }

    #[test]
    fn turns_come_back_one_after_the_other() {
        let (count, per) = (NonZeroU32::new(4).unwrap(), Duration::from_secs(2));
        let rate = KeyRate { count, per };
        let at = |millis: i64| Timestamp::from_millisecond(1_000_000 + millis).unwrap();
        let mut last = None;
        let mut takes = |millis| {
            let next = rate.turn(last, at(millis));
            last = next.or(last);
            next.is_some()
        };
        assert_eq!([0; 5].map(&mut takes), [true, true, true, true, false]);
        assert_eq!(
            [499, 500, 501, 999].map(&mut takes),
            [false, true, false, false]
        );
        assert_eq!([9_000; 5].map(&mut takes), [true, true, true, true, false]);
        // The clock is set back by an hour: no caller waits for that.
        assert!(takes(-3_600_000));
    }

    #[test]
    fn it_is_valid_until_it_ends() {
        let mut key = key("a").unwrap();
        let now = Timestamp::from_second(100).unwrap();
        assert!(key.is_valid(now));
        key.expires = Some(now);
        assert!(!key.is_valid(now));
        key.expires = Timestamp::from_second(101).ok();
        assert!(key.is_valid(now));
        key.revoked = Some(now);
        assert!(!key.is_valid(now));
    }

    #[test]
    fn neither_debug_nor_json_tell_what_tells_it_from_others() {
        let key = key("a").unwrap();
        let shown = format!("{key:?} {}", serde_json::to_string(&key).unwrap());
        let hash = format!("{:?}", key.hash);
        assert!(
            !shown.contains("hash") && !shown.contains(&hash[1..9]),
            "{shown}"
        );
    }
}
