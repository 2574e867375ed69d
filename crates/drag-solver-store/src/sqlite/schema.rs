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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: &str =
        "ALTER TABLE challenges ADD COLUMN later TEXT; UPDATE challenges SET later = id;";

    fn of_version_1() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_to(&mut db, &MIGRATIONS[..1]).unwrap();
        let insert = "INSERT INTO challenges (id, digest, created, updated, status, width, height)
                      VALUES ('order', x'07', 1, 2, 0, 3, 4)";
        assert_eq!(db.execute(insert, []).unwrap(), 1);
        db
    }

    #[test]
    fn an_older_file_becomes_a_newer_one_once() {
        let mut db = of_version_1();
        let two = [MIGRATIONS[0], SECOND];
        for _ in 0..2 {
            migrate_to(&mut db, &two).unwrap();
            assert_eq!(read(&db, "user_version").unwrap(), 2);
        }
        let note = db.query_row("SELECT later FROM challenges", [], |row| row.get(0));
        assert_eq!(note, Ok("order".to_owned()));
        if MIGRATIONS.len() == 1 {
            let error = refuse_foreign(&db).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Newer);
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut db = of_version_1();
        let broken = format!("{SECOND} DROP TABLE of_nobody;");
        assert!(migrate_to(&mut db, &[MIGRATIONS[0], &broken]).is_err());
        assert_eq!(read(&db, "user_version").unwrap(), 1);
        assert!(db.prepare("SELECT later FROM challenges").is_err());
        migrate_to(&mut db, &[MIGRATIONS[0], SECOND]).unwrap();
    }

    #[test]
    fn a_new_file_is_as_far_as_one_that_took_every_step() {
        let mut db = Connection::open_in_memory().unwrap();
        assert!(!is_current(&db).unwrap());
        migrate(&mut db).unwrap();
        assert!(is_current(&db).unwrap());
        assert_eq!(read(&db, "application_id").unwrap(), APPLICATION);
    }
}
