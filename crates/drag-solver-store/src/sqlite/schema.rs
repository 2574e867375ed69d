//! The tables, and how older files become newer ones.

use rusqlite::{Connection, TransactionBehavior};

use super::problem;
use crate::{StoreError, StoreErrorKind};

/// Each file has had the first so many of these. One that is released is never changed: a change is another
/// entry at the end.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql")];

/// `PRAGMA application_id` of a store: tells it from any other SQLite file. "drag", in ASCII.
const APPLICATION: i64 = 0x6472_6167;

/// Brings the file up to date, one step after the other, each whole or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    if version_index(read(connection, "user_version")?) == MIGRATIONS.len() {
        return Ok(());
    }
    // Another process may be about to do the same.
    let step = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(problem)?;
    let version: i64 = read(&step, "user_version")?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version_index(version)) {
        step.execute_batch(migration).map_err(problem)?;
        step.pragma_update(None, "user_version", (index + 1) as u64)
            .map_err(problem)?;
    }
    step.pragma_update(None, "application_id", APPLICATION)
        .map_err(problem)?;
    step.commit().map_err(problem)
}

/// Refuses a file of another program, and one that a newer version wrote.
pub(super) fn refuse_foreign(connection: &Connection) -> Result<(), StoreError> {
    let version = read(connection, "user_version")?;
    if read(connection, "application_id")? != APPLICATION {
        let tables: i64 = connection
            .query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(problem)?;
        if tables > 0 || version != 0 {
            return Err(StoreError::new(
                StoreErrorKind::Corrupt,
                "it is an SQLite file of another program: name a new file",
            ));
        }
    }
    if version_index(version) > MIGRATIONS.len() {
        let newest = MIGRATIONS.len();
        return Err(StoreError::new(
            StoreErrorKind::Newer,
            format!(
                "it has the format {version}, and this version knows those up to {newest}: use the newer \
                 version of drag-solver that wrote it"
            ),
        ));
    }
    Ok(())
}

/// The same for a file that cannot be written.
pub(super) fn check_as_it_is(connection: &Connection) -> Result<(), StoreError> {
    refuse_foreign(connection)?;
    if version_index(read(connection, "user_version")?) < MIGRATIONS.len() {
        let message =
            "it has an older format, or none, and cannot be written to be brought up to date";
        return Err(StoreError::new(StoreErrorKind::ReadOnly, message));
    }
    Ok(())
}

fn read(connection: &Connection, pragma: &str) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, pragma, |row| row.get(0))
        .map_err(problem)
}

fn version_index(version: i64) -> usize {
    usize::try_from(version).unwrap_or(usize::MAX)
}
