//! What a process does as long as it has the store open: it says that it is there, hears and tells of challenges that have
//! ended, reads the server's clock, and forgets what is old.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::poll_fn;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client};

use super::changes::{Changes, Mark};
use super::connect::CONNECT;
use super::db::Row;
use super::owners::RENEW;
use super::problem::{Problem, Result};
use super::server_clock::TIME;
use super::session::Session;
use super::{budgets, calls, challenges};
use crate::{Pruned, Retention};

/// How often old things are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// How much is forgotten in one transaction.
const AT_A_TIME: i64 = 1_000;

/// Challenges of which one message tells: it may have 8,000 bytes.
const MARKS: usize = 400;

/// How long until the server is asked again for a connection.
const AGAIN: Duration = Duration::from_millis(300);

/// Works until the store is closed.
pub(super) async fn keep(session: Arc<Session>, mut ended: mpsc::UnboundedReceiver<Mark>) {
    let mut is_failing = false;
    loop {
        let problem = match connect(&session).await {
            Ok(client) => {
                if std::mem::take(&mut is_failing) {
                    tracing::info!("the server of the store is there again");
                }
                // What ended meanwhile was not heard of here.
                session.changes.wake_all();
                match work(&session, &client, &mut ended).await {
                    Ok(()) => {
                        let _ = timeout(session.options.lease, remove(&session, &client)).await;
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
async fn connect(session: &Arc<Session>) -> Result<Client> {
    // The tables are there.
    drop(session.db().await?);
    let address = &session.address;
    let connected = timeout(CONNECT, address.config.connect(address.tls.clone())).await;
    let (client, mut connection) = connected.map_err(silent)??;
    let changes = Arc::clone(&session.changes);
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(told) = message {
                hear(&changes, told.payload());
            }
        }
    });
    let listen = format!("LISTEN {}", session.options.schema);
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
    session: &Arc<Session>,
    client: &Client,
    ended: &mut mpsc::UnboundedReceiver<Mark>,
) -> Result<()> {
    // A connection that says nothing for so long is left: there is time for another before the lease is over.
    let every = (session.options.lease / 3).max(Duration::from_millis(10));
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
            let told = timeout(every, tell(session, client, first, ended)).await;
            told.map_err(silent)??;
            continue;
        }
        let renewed = timeout(every, renew(session, client)).await;
        renewed.map_err(silent)??;
        if let Some(retention) = &session.options.retention
            && pruned.is_none_or(|last| last.elapsed() >= PRUNE_EVERY)
        {
            pruned = Some(Instant::now());
            let (session, retention) = (Arc::clone(session), *retention);
            // That may take longer than a lease.
            tokio::spawn(async move {
                if let Err(Problem { error, .. }) = forget(&session, &retention).await {
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
    session: &Session,
    client: &Client,
    first: Mark,
    ended: &mut mpsc::UnboundedReceiver<Mark>,
) -> Result<()> {
    let mut payload = format!("{first:x}");
    for _ in 1..MARKS {
        let Ok(mark) = ended.try_recv() else { break };
        let _ = write!(payload, " {mark:x}"); // to a String it cannot fail
    }
    let channel = &session.options.schema;
    let notify = "SELECT pg_notify($1, $2)";
    client.execute(notify, &[channel, &payload]).await?;
    Ok(())
}

/// Reads the server's clock, and says that this process is there.
async fn renew(session: &Session, client: &Client) -> Result<()> {
    let row = Row(client.query_one(TIME, &[]).await?);
    session.clock.set(row.get(0)?)?;
    // A newer version may have taken the tables over.
    let row = Row(client.query_one("SELECT oldest FROM version", &[]).await?);
    session.set_oldest(row.get(0)?);
    let now = session.now();
    let until = session.lease_until(now);
    let values: [&(dyn ToSql + Sync); 3] = [
        &session.owner,
        &now.as_millisecond(),
        &until.as_millisecond(),
    ];
    client.execute(RENEW, &values).await?;
    session.set_leased_until(until);
    Ok(())
}

/// Gives back what this process holds: others need not wait for its lease.
async fn remove(session: &Session, client: &Client) -> Result<()> {
    for delete in [
        "DELETE FROM reservations WHERE owner = $1",
        "DELETE FROM owners WHERE key = $1",
    ] {
        client.execute(delete, &[&session.owner]).await?;
    }
    Ok(())
}

/// Forgets what is old enough, a part at a time. One process at a time does so.
pub(super) async fn forget(session: &Session, retention: &Retention) -> Result<Pruned> {
    let db = session.db().await?;
    let now = session.now();
    let (finished, old) = retention.kept_since(now);
    let an_hour_ago = now.as_millisecond() - 3_600_000;
    // Each schema has a turn of its own. What holds it is not for others to read with.
    let turn = format!("forget/{}", session.options.schema);
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
            db.run(dead, &[&an_hour_ago]).await?;
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
