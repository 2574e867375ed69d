//! The processes that have the store open: what one of them holds ends with its lease.

use jiff::Timestamp;

use super::db::Db;
use super::problem::Result;
use super::session::Session;

/// Says that this process is there until its lease ends.
///
/// What was set aside under a lease that has ended may be given to others by now, and is not set aside again.
pub(super) const RENEW: &str = "WITH over AS (DELETE FROM reservations WHERE owner = $1
         AND NOT EXISTS (SELECT 1 FROM owners WHERE owners.key = $1 AND lease_until > $2))
     INSERT INTO owners (key, lease_until) VALUES ($1, $3)
     ON CONFLICT (key) DO UPDATE SET lease_until = EXCLUDED.lease_until";

/// Who writes, and when: of the moment at which it is written, as what waits for a server that is not there gets old.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    pub(super) key: i64,
    pub(super) now: Timestamp,
    until: Timestamp,
    /// Whether its lease is not as it should be: it was not renewed in time, or the clock was set.
    is_late: bool,
}

impl Owner {
    pub(super) fn new(session: &Session) -> Self {
        let now = session.now();
        let until = session.lease_until(now);
        let leased = session.leased_until();
        Self {
            key: session.owner,
            now,
            until,
            is_late: leased <= now || leased > until,
        }
    }

    /// Makes sure that what is taken up now is not free at once. Not in the transaction that takes it up: while that waits
    /// for another, this process still has to say that it is there.
    pub(super) async fn keep(&self, db: &Db, session: &Session) -> Result<()> {
        if self.is_late {
            let (now, until) = (self.now.as_millisecond(), self.until.as_millisecond());
            db.run(RENEW, &[&self.key, &now, &until]).await?;
            session.set_leased_until(self.until);
        }
        Ok(())
    }
}
