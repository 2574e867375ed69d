//! What a process does as long as it has the store open: it says that it is there, hears and tells of challenges that have
//! ended, reads the server's clock, and forgets what is old.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::poll_fn;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client};

use super::changes::{Changes, Mark};
use super::connect::CONNECT;
use super::owners::RENEW;
use super::problem::{Problem, Result};
use super::{Shared, budgets, calls, challenges};
use crate::{Pruned, Retention};

/// How often old things are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// How much is forgotten in one transaction.
const AT_A_TIME: i64 = 1_000;

/// Challenges of which one message tells: it may have 8,000 bytes.
const MARKS: usize = 400;

/// How long until the server is asked again for a connection.
const AGAIN: Duration = Duration::from_millis(300);

/// Reads the server's clock.
pub(super) const TIME: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// The server's time, as far as it is known: machines need not agree, and it continues between two readings.
#[derive(Default)]
pub(super) struct ServerClock(Mutex<Option<(Timestamp, std::time::Instant)>>);

impl ServerClock {
    pub(super) fn now(&self) -> Timestamp {
        let read = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = read.and_then(|(time, at)| time.checked_add(at.elapsed()).ok());
        now.unwrap_or_else(Timestamp::now)
    }

    /// Of what [`TIME`] answers.
    pub(super) fn set(&self, micros: i64) -> Result<()> {
        let time = Timestamp::from_microsecond(micros).map_err(Problem::unreadable)?;
        let at = std::time::Instant::now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((time, at));
        Ok(())
    }
}

/// Works until the store is closed.
pub(super) async fn keep(shared: Arc<Shared>, mut ended: mpsc::UnboundedReceiver<Mark>) {
    let mut is_failing = false;
    loop {
        let problem = match connect(&shared).await {
            Ok(client) => {
                if std::mem::take(&mut is_failing) {
                    tracing::info!("the server of the store is there again");
                }
                // What ended meanwhile was not heard of here.
                shared.changes.wake_all();
                match work(&shared, &client, &mut ended).await {
                    Ok(()) => {
                        let _ = timeout(shared.options.lease, remove(&shared, &client)).await;
                        return;
                    }
                    Err(problem) => problem,
                }
            }
            Err(problem) => problem,
        };
        if !std::mem::replace(&mut is_failing, true) {
            tracing::warn!(error = %problem.error, "the server of the store cannot be reached");
        }
        if ended.is_closed() {
            return;
        }
        sleep(AGAIN).await;
    }
}

fn silent(_: tokio::time::error::Elapsed) -> Problem {
    Problem::passing("the server does not answer")
}

/// A connection of its own, on which the server tells of what has ended.
async fn connect(shared: &Arc<Shared>) -> Result<Client> {
    // The tables are there.
    drop(shared.db().await?);
    let address = &shared.address;
    let connected = timeout(CONNECT, address.config.connect(address.tls.clone())).await;
    let (client, mut connection) = connected.map_err(silent)??;
    let changes = Arc::clone(&shared.changes);
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(told) = message {
                hear(&changes, told.payload());
            }
        }
    });
    let listen = format!("LISTEN {}", shared.options.schema);
    let listens = timeout(CONNECT, client.batch_execute(&listen)).await;
    listens.map_err(silent)??;
    Ok(client)
}

fn hear(changes: &Changes, payload: &str) {
    for mark in payload.split(' ') {
        if let Ok(mark) = Mark::from_str_radix(mark, 16) {
            changes.wake(mark);
        }
    }
}

async fn work(
    shared: &Arc<Shared>,
    client: &Client,
    ended: &mut mpsc::UnboundedReceiver<Mark>,
) -> Result<()> {
    // A connection that says nothing for so long is left: there is time for another before the lease is over.
    let every = (shared.options.lease / 3).max(Duration::from_millis(10));
    let mut beat = interval(every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut pruned: Option<Instant> = None;
    loop {
        let marks = tokio::select! {
            _ = beat.tick() => None,
            first = ended.recv() => match first {
                Some(first) => Some(first),
                None => return Ok(()),
            },
        };
        if let Some(first) = marks {
            let told = timeout(every, tell(shared, client, first, ended)).await;
            told.map_err(silent)??;
            continue;
        }
        let renewed = timeout(every, renew(shared, client)).await;
        renewed.map_err(silent)??;
        if let Some(retention) = &shared.options.retention
            && pruned.is_none_or(|last| last.elapsed() >= PRUNE_EVERY)
        {
            pruned = Some(Instant::now());
            let (shared, retention) = (Arc::clone(shared), *retention);
            // That may take longer than a lease.
            tokio::spawn(async move {
                if let Err(Problem { error, .. }) = forget(&shared, &retention).await {
                    tracing::warn!(%error, "old challenges cannot be forgotten");
                }
            });
        }
    }
}

/// Tells of all that have ended by now.
///
/// Not in the transactions that end them: those that tell something are committed one after the other, in the whole
/// database. Word that is lost is made up for by looking.
async fn tell(
    shared: &Shared,
    client: &Client,
    first: Mark,
    ended: &mut mpsc::UnboundedReceiver<Mark>,
) -> Result<()> {
    let mut payload = format!("{first:x}");
    for _ in 1..MARKS {
        let Ok(mark) = ended.try_recv() else { break };
        let _ = write!(payload, " {mark:x}"); // to a String it cannot fail
    }
    let channel = &shared.options.schema;
    let notify = "SELECT pg_notify($1, $2)";
    client.execute(notify, &[channel, &payload]).await?;
    Ok(())
}

/// Reads the server's clock, and says that this process is there.
async fn renew(shared: &Shared, client: &Client) -> Result<()> {
    let row = client.query_one(TIME, &[]).await?;
    shared.clock.set(row.try_get(0)?)?;
    // A newer version may have taken the tables over.
    let row = client.query_one("SELECT oldest FROM version", &[]).await?;
    shared.set_oldest(row.try_get(0)?);
    let now = shared.now();
    let until = shared.lease_until(now);
    let values: [&(dyn ToSql + Sync); 3] = [
        &shared.owner,
        &now.as_millisecond(),
        &until.as_millisecond(),
    ];
    client.execute(RENEW, &values).await?;
    shared.set_leased_until(until);
    Ok(())
}

/// Gives back what this process holds: others need not wait for its lease.
async fn remove(shared: &Shared, client: &Client) -> Result<()> {
    for delete in [
        "DELETE FROM reservations WHERE owner = $1",
        "DELETE FROM owners WHERE key = $1",
    ] {
        client.execute(delete, &[&shared.owner]).await?;
    }
    Ok(())
}

/// Forgets what is old enough, a part at a time. One process at a time does so.
pub(super) async fn forget(shared: &Shared, retention: &Retention) -> Result<Pruned> {
    let db = shared.db().await?;
    let now = shared.now();
    let before = |length| {
        now.checked_sub(length)
            .unwrap_or(Timestamp::MIN)
            .as_millisecond()
    };
    let (finished, old) = (before(retention.challenges), before(retention.money));
    // Each schema has a turn of its own. What holds it is not for others to read with.
    let turn = format!("forget/{}", shared.options.schema);
    db.set_busy(true);
    let free = db
        .row(
            "SELECT pg_try_advisory_lock(hashtextextended($1, 0))",
            &[&turn],
        )
        .await?;
    if !free.get::<bool>(0)? {
        db.set_busy(false);
        return Ok(Pruned::default());
    }
    let mut pruned = Pruned::default();
    let forgotten = async {
        loop {
            let challenges = challenges::forget(&db, finished, old, now, AT_A_TIME).await?;
            let money = budgets::forget(&db, old, AT_A_TIME).await?;
            let calls = calls::forget(&db, finished, now, AT_A_TIME).await?;
            // Of processes that were killed nothing is left but this.
            let dead = "DELETE FROM owners WHERE lease_until < $1";
            db.run(dead, &[&before(Duration::from_secs(3_600))]).await?;
            pruned.challenges += challenges;
            pruned.money += money;
            if challenges == 0 && money == 0 && calls == 0 {
                return Ok(());
            }
        }
    };
    let forgotten: Result<()> = forgotten.await;
    db.rows(
        "SELECT pg_advisory_unlock(hashtextextended($1, 0))",
        &[&turn],
    )
    .await?;
    db.set_busy(false);
    forgotten.map(|()| pruned)
}
