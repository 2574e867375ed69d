//! Keys that programs are given.

use std::num::NonZeroU32;
use std::time::Duration;

use super::subject::{name, said, usd};
use super::{Checked, StoreUnderTest};
use crate::{KeyRate, KeyRecord, KeyRole, key_hash};

impl StoreUnderTest<'_> {
    /// A key of this name, with a secret that nobody has.
    fn key(&self, called: &str) -> Result<KeyRecord, String> {
        let made = KeyRecord::new(called, key_hash(&name("secret")), self.store.now());
        made.map_err(said)
    }

    async fn key_on_record(&self, called: &str) -> Result<Vec<KeyRecord>, String> {
        let all = self.store.keys().await.map_err(said)?;
        Ok(all.into_iter().filter(|key| key.name == called).collect())
    }

    pub(super) async fn a_key_keeps_what_it_was_made_with(&self) -> Checked {
        let called = name("key").replace(' ', "-");
        let mut key = self.key(&called)?;
        key.role = KeyRole::Administrator;
        key.limits.per_day = Some(usd("0.000000001"));
        key.limits.total = Some(usd("12.5"));
        key.limits.parallel = NonZeroU32::new(7);
        key.limits.rate = NonZeroU32::new(3).map(|count| KeyRate {
            count,
            per: Duration::from_secs(60),
        });
        key.expires = self.store.now().checked_add(Duration::from_secs(60)).ok();
        ensure!(
            self.store.add_key(&key).await.map_err(said)?,
            "it was not added"
        );
        let found = self.key_on_record(&called).await?;
        ensure_eq!(found.len(), 1, "keys of this name");
        let (found, millis) = (&found[0], jiff::Timestamp::as_millisecond);
        ensure_eq!(found.hash, key.hash, "hash");
        ensure_eq!(
            (found.role, found.limits),
            (key.role, key.limits),
            "what it may do"
        );
        ensure_eq!(millis(found.created), millis(key.created), "created");
        ensure_eq!(
            found.expires.map(millis),
            key.expires.map(millis),
            "expires"
        );
        ensure_eq!(found.revoked, None, "revoked");
        Ok(())
    }

    pub(super) async fn a_name_has_one_valid_key(&self) -> Checked {
        let called = name("key").replace(' ', "-");
        let add = async || self.store.add_key(&self.key(&called)?).await.map_err(said);
        ensure!(add().await?, "the first is added");
        ensure!(!add().await?, "a second is not, while the first is valid");
        let revoke = async || self.store.revoke_key(&called).await.map_err(said);
        ensure!(revoke().await?, "it is revoked");
        ensure!(!revoke().await?, "there is none to be revoked any more");
        let mut ends = self.key(&called)?;
        ends.expires = self.store.now().checked_add(Duration::from_secs(60)).ok();
        ensure!(
            self.store.add_key(&ends).await.map_err(said)?,
            "the name is free again"
        );
        ensure!(!add().await?, "and taken until that one ends");
        self.wait(61);
        ensure!(add().await?, "one that has ended is in nobody's way");
        let all = self.key_on_record(&called).await?;
        let valid = all.iter().map(|key| key.is_valid(self.store.now()));
        ensure_eq!(
            valid.collect::<Vec<_>>(),
            [false, false, true],
            "all of them, in order"
        );
        Ok(())
    }
}
