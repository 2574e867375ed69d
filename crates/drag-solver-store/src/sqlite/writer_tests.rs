use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;

use rusqlite::{Error, ffi};

use super::*;
use crate::StoreErrorKind;

/// Which one ended, and how.
type Ended = (i64, Option<StoreErrorKind>);

/// A writer to a table of numbers, the numbers of what has ended and how, and whether the disk is full.
struct Setup {
    writer: Writer,
    ended: Arc<Mutex<Vec<Ended>>>,
    is_full: Arc<AtomicBool>,
}

impl Setup {
    fn new() -> Self {
        let db = Connection::open_in_memory().unwrap();
        db.pragma_update(None, "synchronous", "NORMAL").unwrap(); // as a file is opened
        db.execute_batch("CREATE TABLE numbers (n INTEGER NOT NULL, at INTEGER PRIMARY KEY)")
            .unwrap();
        Self {
            writer: Writer::in_memory(db),
            ended: Arc::default(),
            is_full: Arc::default(),
        }
    }

    fn op(&self, is_fact: bool, number: i64, sql: &'static str) -> Op {
        let (ended, is_full) = (Arc::clone(&self.ended), Arc::clone(&self.is_full));
        Op {
            durable: number % 2 == 0,
            is_fact,
            run: Box::new(move |db| {
                if is_full.load(Ordering::Relaxed) {
                    return Err(Error::SqliteFailure(
                        ffi::Error::new(ffi::SQLITE_FULL),
                        None,
                    ));
                }
                db.prepare(sql)?.execute([number]).map(drop)
            }),
            done: Some(Box::new(move |result| {
                let error = result.err().map(|error| error.kind());
                ended.lock().unwrap().push((number, error));
            })),
        }
    }

    fn fact(&self, number: i64) -> Op {
        self.op(true, number, INSERT)
    }

    /// Fills the disk when it is written.
    fn last_fact(&self, number: i64) -> Op {
        let is_full = Arc::clone(&self.is_full);
        let mut op = self.fact(number);
        let mut run = op.run;
        op.run = Box::new(move |db| {
            run(db)?;
            is_full.store(!db.is_autocommit() && is_alone(db), Ordering::Relaxed);
            Ok(())
        });
        op
    }

    fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    /// What is written, in order.
    fn written(&self) -> Vec<i64> {
        let db = self.writer.db().unwrap();
        let mut all = db.prepare("SELECT n FROM numbers ORDER BY at").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_>>().unwrap()
    }

    fn ended(&self) -> Vec<Ended> {
        std::mem::take(&mut self.ended.lock().unwrap())
    }
}

const INSERT: &str = "INSERT INTO numbers (n) VALUES (?)";

/// Breaks a constraint.
const WRONG: &str = "INSERT INTO numbers (n) SELECT NULL WHERE ? > 0";

/// Can never be written, for another reason.
const IMPOSSIBLE: &str = "INSERT INTO nowhere (n) VALUES (?)";

/// Whether a transaction has written one number so far.
fn is_alone(db: &Connection) -> bool {
    db.query_row("SELECT COUNT(*) FROM numbers", [], |row| {
        row.get::<_, i64>(0)
    })
    .unwrap()
        == 1
}

const FULL: Option<StoreErrorKind> = Some(StoreErrorKind::Unavailable);

#[test]
fn one_that_fails_does_no_harm_to_the_others() {
    for sql in [WRONG, IMPOSSIBLE] {
        for is_fact in [true, false] {
            let mut setup = Setup::new();
            let wrong = setup.op(is_fact, 2, sql);
            let batch = vec![setup.fact(1), wrong, setup.fact(3)];
            setup.writer.write(batch);
            assert_eq!(setup.written(), [1, 3], "each once");
            let ended = setup.ended();
            assert_eq!((ended[0], ended[2]), ((1, None), (3, None)));
            assert!(ended[1].1.is_some(), "{ended:?}");
            assert_eq!(setup.writer.backlog.len(), 0, "it is not tried again");
        }
    }
}

#[test]
fn facts_are_kept_in_order_while_the_disk_is_full_and_permissions_are_not() {
    let mut setup = Setup::new();
    setup.set_full(true);
    let permission = setup.op(false, 2, INSERT);
    let batch = vec![setup.fact(1), permission, setup.fact(3)];
    setup.writer.write(batch);
    let batch = vec![setup.fact(4)];
    setup.writer.write(batch);
    assert_eq!(setup.ended(), [1, 2, 3, 4].map(|number| (number, FULL)));
    assert_eq!(setup.written().len(), 0);
    setup.set_full(false);
    let batch = vec![setup.fact(5)];
    setup.writer.write(batch);
    assert_eq!(setup.written(), [1, 3, 4, 5]);
    assert_eq!(setup.ended(), [(5, None)], "the others have heard of it");
}

#[test]
fn facts_stay_in_order_also_if_the_disk_is_full_after_one_was_at_fault() {
    let mut setup = Setup::new();
    let wrong = setup.op(true, 1, WRONG);
    let batch = vec![wrong, setup.last_fact(2), setup.fact(3), setup.fact(4)];
    setup.writer.write(batch);
    assert_eq!(setup.written(), [2]);
    setup.set_full(false);
    let batch = vec![setup.fact(5)];
    setup.writer.write(batch);
    assert_eq!(setup.written(), [2, 3, 4, 5]);
}

#[test]
fn a_file_that_fails_is_not_tried_again_at_once() {
    let mut setup = Setup::new();
    let (mut first, tries) = (setup.fact(1), Arc::new(AtomicU32::new(0)));
    let (mut run, counted) = (first.run, Arc::clone(&tries));
    first.run = Box::new(move |db| {
        counted.fetch_add(1, Ordering::Relaxed);
        run(db)
    });
    setup.set_full(true);
    let batch = vec![first, setup.fact(2)];
    setup.writer.write(batch);
    assert_eq!(
        tries.load(Ordering::Relaxed),
        1,
        "of a locked file each waits"
    );
    setup.set_full(false);
    setup.writer.write(Vec::new());
    assert_eq!(setup.written(), [1, 2]);
}

#[test]
fn a_long_backlog_is_written_in_order() {
    let mut setup = Setup::new();
    let count = i64::try_from(3 * MAX_BATCH).unwrap() + 5;
    setup.set_full(true);
    for number in 0..count {
        let batch = vec![setup.fact(number)];
        setup.writer.write(batch);
    }
    setup.set_full(false);
    setup.writer.write(Vec::new());
    assert_eq!(setup.written(), (0..count).collect::<Vec<_>>());
}

#[test]
fn what_is_behind_is_written_before_the_end() {
    let mut setup = Setup::new();
    setup.set_full(true);
    let batch = vec![setup.fact(1)];
    setup.writer.write(batch);
    setup.set_full(false);
    let (sender, ops) = channel();
    sender.send(setup.fact(2)).unwrap();
    drop(sender);
    setup.writer.work(&ops, Duration::from_secs(3_600), |_| {});
    assert_eq!(setup.written(), [1, 2]);
}

#[test]
fn upkeep_is_done_at_first_and_then_whenever_its_time_has_come() {
    for (every, times) in [(Duration::from_secs(3_600), 1), (Duration::ZERO, 2)] {
        let mut setup = Setup::new();
        let (sender, ops) = channel();
        sender.send(setup.fact(1)).unwrap();
        drop(sender);
        let mut idled = 0;
        setup.writer.work(&ops, every, |_| idled += 1);
        assert_eq!(idled, times, "every {every:?}");
    }
}

#[test]
fn what_has_to_survive_a_power_cut_waits_for_the_disk_and_the_rest_does_not() {
    let mut setup = Setup::new();
    for (number, full) in [(1, 1), (2, 2), (4, 2), (3, 1)] {
        let batch = vec![setup.fact(number)];
        setup.writer.write(batch);
        let mode: i64 = setup
            .writer
            .db()
            .unwrap()
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, full, "of {number}");
    }
}
