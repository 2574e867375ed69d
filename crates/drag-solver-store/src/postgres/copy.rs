//! A store in a file moves to PostgreSQL.

use std::sync::{Mutex, PoisonError};

use drag_solver_core::async_trait;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use tokio_postgres::types::ToSql;

use super::db::{Db, Value};
use super::owners::Owner;
use super::problem::{Problem, Result};
use super::writer::Write;
use super::{PostgresStore, Told};
use crate::{SqliteStore, StoreError, StoreErrorKind};

/// Rows that are read at once, and of those that hold a picture.
const PAGE: (usize, usize) = (500, 8);

/// A table that both kinds of store have: its key first.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
}

/// In an order in which none refers to a later one. What belongs to a process stays behind, and ends with it.
const TABLES: &[Table] = &[
    Table {
        name: "challenges",
        columns: &[
            "n",
            "id",
            "label",
            "digest",
            "instruction",
            "region",
            "deadline",
            "created",
            "updated",
            "status",
            "accepted",
            "outcome",
            "claim",
            "note",
            "width",
            "height",
            "verdict",
        ],
    },
    Table {
        name: "pictures",
        columns: &["challenge", "file"],
    },
    Table {
        name: "purchases",
        columns: &[
            "key",
            "challenge",
            "label",
            "solver",
            "job",
            "state",
            "billed",
            "cost",
            "frame",
            "begun",
            "ended",
        ],
    },
    Table {
        name: "budgets",
        columns: &["name", "spent"],
    },
    Table {
        name: "charges",
        columns: &["key", "budget", "at", "amount", "solver", "job", "open"],
    },
    Table {
        name: "turns",
        columns: &["name", "free_at"],
    },
    Table {
        name: "calls",
        columns: &["key", "solver", "ended", "took", "good", "spent", "job"],
    },
    Table {
        name: "keys",
        columns: &[
            "n", "name", "hash", "role", "limits", "created", "expires", "revoked",
        ],
    },
];

/// Columns that are numbers in a file, and true or false in PostgreSQL.
const BOOLEANS: [&str; 3] = ["accepted", "open", "good"];

impl PostgresStore {
    /// Copies all that is on record in a file into this store, which has to be empty: challenges with their pictures,
    /// purchases, budgets, what solvers did recently, keys. All of it, or nothing. Says how many rows that are.
    ///
    /// The file is not changed. No other process may have it open: what that writes would be missing here.
    ///
    /// # Errors
    ///
    /// [`Invalid`](StoreErrorKind::Invalid) if something is on record here already, or another process has the file open.
    pub async fn copy_from(&self, file: &SqliteStore) -> Told<u64> {
        if file.is_shared().await? {
            let problem = "another process has the file open: stop it first, as what it writes would be missing";
            return Err(StoreError::new(StoreErrorKind::Invalid, problem));
        }
        let file = file.clone();
        let begun = Mutex::default();
        self.write(Copy { file, begun }).await
    }
}

struct Copy {
    file: SqliteStore,
    /// The last transaction that came to its end, and its rows: if it was committed and that was not heard, it is not
    /// for another to find that something is on record.
    begun: Mutex<Option<(i64, u64)>>,
}

#[async_trait]
impl Write for Copy {
    type Told = u64;

    async fn write(&self, db: &Db, _here: &Owner) -> Result<u64> {
        let last = *self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((transaction, count)) = last {
            let status = "SELECT txid_status($1)";
            let status = db.row(status, &[&transaction]).await?;
            if status.get::<Option<&str>>(0)? == Some("committed") {
                return Ok(count);
            }
        }
        let mut count = 0;
        for table in TABLES {
            let there = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
            if db.row(&there, &[]).await?.get(0)? {
                return Err(Problem::lasting(
                    StoreErrorKind::Invalid,
                    "something is on record in this database already, if only a key: name an empty one",
                ));
            }
        }
        for table in TABLES {
            count += self.copy(db, table).await?;
        }
        for table in ["challenges", "keys"] {
            // The next one gets a number of its own.
            let next = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'n'), (SELECT COALESCE(MAX(n), 1) FROM {table}))"
            );
            db.rows(&next, &[]).await?;
        }
        let transaction = db.row("SELECT txid_current()", &[]).await?.get(0)?;
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some((transaction, count));
        Ok(count)
    }
}

impl Copy {
    async fn copy(&self, db: &Db, table: &'static Table) -> Result<u64> {
        let columns = table.columns.join(", ");
        let places: Vec<String> = (1..=table.columns.len())
            .map(|place| format!("${place}"))
            .collect();
        let insert = format!(
            "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({})",
            table.name,
            places.join(", ")
        );
        let (mut count, mut last) = (0, Cell::Null);
        loop {
            let rows = self.file.rows(move |db| page(db, table, &last)).await;
            let rows = rows.map_err(|error| Problem {
                error,
                passes: false,
            })?;
            let Some(row) = rows.last() else {
                return Ok(count);
            };
            last = row[0].clone();
            for row in &rows {
                let values: Vec<Box<dyn ToSql + Send + Sync>> = row
                    .iter()
                    .zip(table.columns)
                    .map(|(cell, column)| value(cell, column))
                    .collect::<Result<_>>()?;
                let values: Vec<Value<'_>> =
                    values.iter().map(|value| &**value as Value<'_>).collect();
                db.run(&insert, &values).await?;
                count += 1;
            }
        }
    }
}

/// The rows after this one.
fn page(db: &Connection, table: &Table, last: &Cell) -> rusqlite::Result<Vec<Vec<Cell>>> {
    let key = table.columns[0];
    let most = if table.columns.contains(&"file") {
        PAGE.1
    } else {
        PAGE.0
    };
    let sql = format!(
        "SELECT {} FROM {} WHERE ?1 IS NULL OR {key} > ?1 ORDER BY {key} LIMIT {most}",
        table.columns.join(", "),
        table.name
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([last], |row| {
        (0..table.columns.len())
            .map(|column| row.get(column))
            .collect()
    })?;
    rows.collect()
}

fn value(cell: &Cell, column: &str) -> Result<Box<dyn ToSql + Send + Sync>> {
    Ok(match cell {
        Cell::Integer(number) if BOOLEANS.contains(&column) => Box::new(*number != 0),
        Cell::Integer(number) => Box::new(*number),
        Cell::Text(text) if text.contains('\0') => {
            return Err(Problem::lasting(
                StoreErrorKind::Invalid,
                format!("PostgreSQL keeps no text with a zero byte, as a {column} in the file has"),
            ));
        }
        Cell::Text(text) => Box::new(text.clone()),
        Cell::Blob(bytes) => Box::new(bytes.clone()),
        Cell::Null => Box::new(Nothing),
        Cell::Real(_) => return Err(Problem::unreadable(format!("a fraction as a {column}"))),
    })
}

/// NULL, for a column of any type.
#[derive(Debug)]
struct Nothing;

impl ToSql for Nothing {
    fn to_sql(
        &self,
        _: &tokio_postgres::types::Type,
        _: &mut bytes::BytesMut,
    ) -> std::result::Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>>
    {
        Ok(tokio_postgres::types::IsNull::Yes)
    }

    fn accepts(_: &tokio_postgres::types::Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}
