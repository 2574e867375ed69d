//! Keys that programs are given.

use std::num::NonZeroU32;
use std::time::Duration;

use super::subject::{said, usd};
use super::{Checked, StoreUnderTest};
use crate::key::new_key;
use crate::{KeyRate, KeyRecord, KeyRole, key_hash};

impl StoreUnderTest<'_> {
    /// A key that no other check has.
    fn key(&self, name: &str) -> Result<KeyRecord, String> {
        let hash = key_hash(&format!("{:016x}", new_key()));
        // To the millisecond, as it is on record.
        let now = self.store.now().as_millisecond();
        let created = jiff::Timestamp::from_millisecond(now).map_err(|error| error.to_string())?;
        KeyRecord::new(name, hash, created).map_err(said)
    }

    async fn add(&self, key: &KeyRecord) -> Result<bool, String> {
        self.store.add_key(key).await.map_err(said)
    }

    async fn revoke(&self, name: &str) -> Result<bool, String> {
        self.store.revoke_key(name).await.map_err(said)
    }

    /// The keys of these names that are on record.
    async fn keys_of(&self, names: &[&str]) -> Result<Vec<KeyRecord>, String> {
        let mut keys = self.store.keys().await.map_err(said)?;
        keys.retain(|key| names.contains(&&*key.name));
        Ok(keys)
    }

    pub(super) async fn of_each_name_one_key_is_valid(&self) -> Checked {
        let name = format!("one-{:016x}", new_key());
        let first = self.key(&name)?;
        ensure!(self.add(&first).await?, "there was none");
        let mut second = self.key(&name)?;
        ensure!(!self.add(&second).await?, "there is a valid one");
        ensure_eq!(self.keys_of(&[&name]).await?, [first], "keys");

        self.wait(1);
        let revoked = self.store.now().as_millisecond();
        ensure!(self.revoke(&name).await?, "there was one");
        self.wait(1);
        ensure!(!self.revoke(&name).await?, "it is revoked already");
        ensure!(!self.revoke(&format!("{name}-")).await?, "there is none");
        let known = self.keys_of(&[&name]).await?;
        let at = known[0].revoked.map(jiff::Timestamp::as_millisecond);
        ensure_eq!(at, Some(revoked), "when it was revoked");

        second.expires = second.created.checked_add(Duration::from_secs(60)).ok();
        ensure!(self.add(&second).await?, "the first one is revoked");
        let third = self.key(&name)?;
        self.wait(57); // 59 s after the second was made
        ensure!(!self.add(&third).await?, "the second one is valid");
        self.wait(1);
        ensure!(self.add(&third).await?, "the second one has expired");
        let known = self.keys_of(&[&name]).await?;
        ensure_eq!(known.len(), 3, "keys");
        ensure_eq!(known[1..], [second, third][..], "keys");
        Ok(())
    }

    pub(super) async fn keys_are_listed_in_order_with_all_that_they_are(&self) -> Checked {
        // Not in the order of the alphabet.
        let names = ["b", "a", "c"].map(|name| format!("{name}-{:016x}", new_key()));
        let mut keys = Vec::new();
        for name in &names {
            keys.push(self.key(name)?);
        }
        keys[1].role = KeyRole::Administrator;
        keys[1].expires = keys[1]
            .created
            .checked_add(Duration::from_millis(1_500))
            .ok();
        keys[2].role = KeyRole::Operator;
        keys[2].limits.per_day = Some(usd("0.000000001"));
        keys[2].limits.total = Some(usd("9"));
        keys[2].limits.parallel = NonZeroU32::new(3);
        keys[2].limits.rate = NonZeroU32::new(5).map(|count| KeyRate {
            count,
            per: Duration::from_secs(60),
        });
        for key in &keys {
            ensure!(self.add(key).await?, "there was none of its name");
        }
        let names = names.each_ref().map(|name| &**name);
        let known = self.keys_of(&names).await?;
        ensure_eq!(known, keys, "keys");
        let hashes = |keys: &[KeyRecord]| keys.iter().map(|key| key.hash).collect::<Vec<_>>();
        ensure_eq!(hashes(&known), hashes(&keys), "hashes");
        Ok(())
    }
}
