//! The tables, and how older ones become newer ones.

use super::db::Db;
use super::problem::{Problem, Result};
use crate::StoreErrorKind;

/// The steps from nothing to the newest tables. Each is what it was when it was released: a change is another entry at the
/// end. With each stands the oldest version that can work on tables after it, counted from 1: of two versions that
/// follow each other, both work on the tables of the newer one, so that gateways can be replaced one by one. So a step
/// adds, and what is no longer used is removed a version later.
const MIGRATIONS: &[(&str, u32)] = &[(include_str!("schema_1.sql"), 1)];

/// Of all that lock something by a number, this is who makes tables. "drag", in ASCII.
const LOCK: i64 = 0x6472_6167;

/// Brings the tables up to date, all steps or none. Several processes may do so at once.
pub(super) async fn migrate(db: &Db, schema: &str, later: &[(&str, u32)]) -> Result<()> {
    let steps: Vec<_> = MIGRATIONS.iter().chain(later).copied().collect();
    let done = match find(db, schema).await? {
        Some((version, oldest)) => check(version, oldest, steps.len())?,
        None => false,
    };
    if done {
        return Ok(());
    }
    db.begin("BEGIN").await?;
    let ended = match step(db, schema, &steps).await {
        Ok(()) => db.commit().await,
        Err(problem) => Err(problem),
    };
    if ended.is_err() {
        db.roll_back().await;
    }
    ended
}

/// The version of the tables, and the oldest that can work on them; nothing if there are none.
///
/// Asked of the catalog's tables: its functions may still answer by what was so before the lock was waited for.
async fn find(db: &Db, schema: &str) -> Result<Option<(u32, u32)>> {
    let there = db
        .row(
            "SELECT EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                 WHERE nspname = $1 AND relname = 'version')",
            &[&schema],
        )
        .await?;
    if !there.get(0)? {
        return Ok(None);
    }
    let row = db.maybe("SELECT version, oldest FROM version", &[]).await?;
    let Some(row) = row else { return Ok(None) };
    let number = |column| -> Result<u32> {
        u32::try_from(row.get::<i64>(column)?).map_err(Problem::unreadable)
    };
    Ok(Some((number(0)?, number(1)?)))
}

/// Whether the tables are as this version has them, or newer ones that it can work on.
fn check(version: u32, oldest: u32, newest: usize) -> Result<bool> {
    let newest = u32::try_from(newest).unwrap_or(u32::MAX);
    if oldest > newest {
        return Err(too_old(newest));
    }
    Ok(version >= newest)
}

/// Refuses to work on tables that a newer version has taken over since.
pub(super) fn check_oldest(oldest: i64, later: &[(&str, u32)]) -> Result<()> {
    let newest = u32::try_from(MIGRATIONS.len() + later.len()).unwrap_or(u32::MAX);
    if oldest > i64::from(newest) {
        return Err(too_old(newest));
    }
    Ok(())
}

fn too_old(newest: u32) -> Problem {
    Problem::lasting(
        StoreErrorKind::Newer,
        format!(
            "a newer version of drag-solver has made its tables, and this one knows those up to format {newest}: use the \
             newer version"
        ),
    )
}

async fn step(db: &Db, schema: &str, steps: &[(&str, u32)]) -> Result<()> {
    db.rows("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    // Another process may just have done the same.
    let known = find(db, schema).await?;
    if let Some((version, oldest)) = known
        && check(version, oldest, steps.len())?
    {
        return Ok(());
    }
    if known.is_none() {
        // Who may not make a schema can be given one.
        let there = db
            .row(
                "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)",
                &[&schema],
            )
            .await?;
        if !there.get::<bool>(0)? {
            db.batch(&format!("CREATE SCHEMA {schema}")).await?;
        }
        db.batch("CREATE TABLE version (version BIGINT NOT NULL, oldest BIGINT NOT NULL)")
            .await?;
        db.batch("INSERT INTO version (version, oldest) VALUES (0, 0)")
            .await?;
    }
    let done = known.map_or(0, |(version, _)| version);
    for (index, (sql, oldest)) in (1_i64..).zip(steps).skip(done as usize) {
        db.long_batch(sql).await?;
        db.run(
            "UPDATE version SET version = $1, oldest = GREATEST(oldest, $2)",
            &[&index, &i64::from(*oldest)],
        )
        .await?;
    }
    Ok(())
}
