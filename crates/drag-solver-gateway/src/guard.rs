//! Clients that guess keys are told slowly that they are wrong.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// Wrong keys that an address may send in a minute before it has to wait.
const FREE: u32 = 10;

/// The stretch of time that wrong keys are counted in.
const STRETCH: Duration = Duration::from_secs(60);

/// How long an answer to a wrong key is held back.
const WAIT: Duration = Duration::from_secs(1);

/// Answers that are held back at once, at most: beyond that, waiting would cost us more than the guesser.
const WAITING: usize = 256;

/// Addresses that are counted, at most.
const ADDRESSES: usize = 10_000;

/// Counts wrong keys by the address that they came from. A right key is never slowed down, from any address.
#[derive(Debug)]
pub(crate) struct Guard {
    wrong: Mutex<HashMap<IpAddr, (Instant, u32)>>,
    waiting: Semaphore,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            wrong: Mutex::default(),
            waiting: Semaphore::new(WAITING),
        }
    }
}

impl Guard {
    /// A wrong key came from there. Ends when it may be answered.
    pub(crate) async fn wrong_key(&self, from: Option<IpAddr>) {
        let Some(from) = from else { return };
        let count = self.count(from);
        if count <= FREE {
            return;
        }
        if count == FREE + 1 {
            tracing::warn!(%from, "many wrong keys: they are answered slowly");
        }
        if let Ok(_place) = self.waiting.try_acquire() {
            sleep(WAIT).await;
        }
    }

    /// How many came from there in this stretch of time.
    fn count(&self, from: IpAddr) -> u32 {
        let (now, from) = (Instant::now(), network(from));
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= ADDRESSES {
            wrong.retain(|_, (since, _)| now - *since < STRETCH);
        }
        if wrong.len() >= ADDRESSES {
            wrong.clear();
        }
        let (since, count) = wrong.entry(from).or_insert((now, 0));
        if now - *since >= STRETCH {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count
    }
}

/// A client with one address of IPv6 has 2^64, as a rule.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    #[tokio::test(start_paused = true)]
    async fn the_first_wrong_keys_are_a_mistake_and_more_are_guesses() {
        let guard = Guard::default();
        let begun = Instant::now();
        for _ in 0..FREE {
            guard.wrong_key(HERE).await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        guard.wrong_key(HERE).await;
        assert_eq!(begun.elapsed().as_secs(), WAIT.as_secs());
        tokio::time::advance(STRETCH).await;
        let later = Instant::now();
        guard.wrong_key(HERE).await;
        assert_eq!(
            later.elapsed(),
            Duration::ZERO,
            "a minute later it is forgotten"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_counted_and_what_waits_is_bounded() {
        let guard = Guard::default();
        for n in 0..u32::try_from(ADDRESSES).unwrap() * 2 {
            guard.count(IpAddr::V4(n.into()));
        }
        assert!(guard.wrong.lock().unwrap().len() <= ADDRESSES);
        let _all = guard
            .waiting
            .acquire_many(u32::try_from(WAITING).unwrap())
            .await
            .unwrap();
        let begun = Instant::now();
        for _ in 0..FREE * 3 {
            guard.wrong_key(HERE).await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
