//! The tables, and how older files become newer ones.

use rusqlite::{Connection, TransactionBehavior};

use super::problem::problem;
use crate::{StoreError, StoreErrorKind};

/// Each file has had the first so many of these. One that is released is never changed: a change is another
/// entry at the end.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql")];

/// `PRAGMA application_id` of a store: tells it from any other SQLite file. "drag", in ASCII.
const APPLICATION: i64 = 0x6472_6167;

/// Brings the file up to date, one step after the other, each whole or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_to(connection, MIGRATIONS)
}

fn migrate_to(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    if version_index(read(connection, "user_version")?) == migrations.len() {
        return Ok(());
    }
    // Another process may be about to do the same.
    let step = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(problem)?;
    let version: i64 = read(&step, "user_version")?;
    for (index, migration) in migrations.iter().enumerate().skip(version_index(version)) {
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
    // Of one moment: another process may be making the tables.
    let moment = connection.unchecked_transaction().map_err(problem)?;
    let version = read(&moment, "user_version")?;
    if read(&moment, "application_id")? != APPLICATION {
        let tables: i64 = moment
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

/// Whether a file can be read as it is: it is a store, and up to date.
pub(super) fn is_current(connection: &Connection) -> Result<bool, StoreError> {
    refuse_foreign(connection)?;
    let version = version_index(read(connection, "user_version")?);
    Ok(version == MIGRATIONS.len())
}

fn read(connection: &Connection, pragma: &str) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, pragma, |row| row.get(0))
        .map_err(problem)
}

fn version_index(version: i64) -> usize {
    usize::try_from(version).unwrap_or(usize::MAX)
}
