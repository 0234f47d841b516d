//! Claims about the SQLite fence within one process. What stopping a process does is shown with
//! real ones in the integration tests.

use std::{panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::fence::conformance::{self, Subject};

const FIRST: Epoch = Epoch::new(1);
const SECOND: Epoch = Epoch::new(2);
const NONE: [i64; 0] = [];

/// A database in a file, and the ways of several owners to it.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { folder };
        let connection = bench.connect();
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
        connection.execute_batch("CREATE TABLE t (n)").unwrap();
        bench
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("bench.db")
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open(self.file()).unwrap();
        connection.busy_timeout(Duration::ZERO).unwrap();
        connection
    }

    fn fence(&self) -> SqliteFence<Connection> {
        SqliteFence::new(self.connect())
    }

    fn numbers(&self) -> Vec<i64> {
        let connection = self.connect();
        let mut statement = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
        let numbers = statement.query_map([], |row| row.get(0)).unwrap();
        numbers.map(Result::unwrap).collect()
    }
}

fn insert(connection: &Connection, number: i64) -> Result<(), Error> {
    connection.execute("INSERT INTO t VALUES (?1)", [number])?;
    Ok(())
}

impl Subject for Bench {
    type Fence = SqliteFence<Connection>;

    fn open(&mut self) -> Self::Fence {
        self.fence()
    }

    fn put(connection: &mut Connection, number: u64) -> Result<(), Error> {
        connection.execute_batch("DELETE FROM t")?;
        insert(connection, i64::try_from(number).unwrap())
    }

    fn get(connection: &mut Connection) -> Result<Option<u64>, Error> {
        let query = connection.query_row("SELECT n FROM t", [], |row| row.get::<_, i64>(0));
        Ok(query.optional()?.map(i64::unsigned_abs))
    }

    fn refusal(error: &Error) -> Option<&Refused> {
        match error {
            Error::Refused(refused) => Some(refused),
            _ => None,
        }
    }
}

#[test]
fn it_is_a_fence() {
    conformance::check(&mut Bench::new());
}

#[test]
fn a_failed_act_a_panic_and_an_ended_transaction_change_nothing() {
    let bench = Bench::new();
    let mut owner = bench.fence().enter(FIRST).unwrap();
    let failed = owner.write(|connection| {
        insert(connection, 1)?;
        connection.execute_batch("nonsense")?;
        Ok::<_, Error>(())
    });
    assert!(matches!(failed, Err(Error::Sqlite(_))), "{failed:?}");
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _never: Result<(), Error> = owner.write(|connection| {
            insert(connection, 2)?;
            panic!("on purpose");
        });
    }));
    assert!(panicked.is_err());
    let ended = owner.write(|connection| {
        insert(connection, 3)?;
        connection.execute_batch("ROLLBACK")?;
        Ok::<_, Error>(())
    });
    assert!(matches!(ended, Err(Error::Ended)), "{ended:?}");
    assert_eq!(bench.numbers(), NONE);
    owner.write(|connection| insert(connection, 4)).unwrap();
    assert_eq!(bench.numbers(), [4]);
}

#[test]
fn an_epoch_beyond_sqlites_integers_is_an_error_and_raises_nothing() {
    let bench = Bench::new();
    let highest = Epoch::new(i64::MAX.unsigned_abs());
    bench.fence().raise(highest).unwrap();
    let outcome = bench.fence().raise(highest.next());
    assert!(
        matches!(outcome, Err(Error::TooHigh { epoch }) if epoch == highest.next()),
        "{outcome:?}"
    );
    bench.fence().check(highest).unwrap();
    let refused = bench.fence().check(FIRST);
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[test]
fn a_mark_that_is_no_epoch_lets_nobody_in() {
    let bench = Bench::new();
    bench.fence().raise(FIRST).unwrap();
    for mark in ["'one'", "-1", "x'01'"] {
        let update = format!("UPDATE {TABLE} SET epoch = {mark}");
        bench.connect().execute_batch(&update).unwrap();
        let outcome = bench.fence().raise(SECOND);
        assert!(
            matches!(outcome, Err(Error::Damaged)),
            "{mark}: {outcome:?}"
        );
    }
}

#[test]
fn a_deleted_row_is_no_mark_and_a_write_puts_it_back() {
    let bench = Bench::new();
    let mut owner = bench.fence().enter(SECOND).unwrap();
    bench
        .connect()
        .execute_batch(&format!("DELETE FROM {TABLE}"))
        .unwrap();
    bench.fence().check(FIRST).unwrap();
    owner.write(|connection| insert(connection, 1)).unwrap();
    let refused = bench.fence().check(FIRST);
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[test]
fn a_reader_that_knew_the_database_before_it_had_a_mark_is_refused() {
    let bench = Bench::new();
    let mut early = bench.fence();
    early.check(FIRST).unwrap();
    bench.fence().raise(SECOND).unwrap();
    let refused = early.check(FIRST);
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[test]
fn a_lock_that_is_not_to_be_had_is_told_as_such_and_can_be_tried_again() {
    let bench = Bench::new();
    let mut early = bench.fence().enter(FIRST).unwrap();
    early
        .write(|connection| {
            // The lock is held from the beginning, and not from the first change on.
            let locked = bench.fence().raise(SECOND).unwrap_err();
            assert!(matches!(locked, Error::Locked(_)) && locked.is_retryable());
            insert(connection, 1)
        })
        .unwrap();
    bench.fence().raise(SECOND).unwrap();
    assert_eq!(bench.numbers(), [1]);
}

#[test]
fn a_read_that_turns_into_a_write_after_another_owner_came_is_overtaken() {
    let bench = Bench::new();
    let mut early = bench.fence().enter(FIRST).unwrap();
    let overtaken = early.read(|connection| {
        bench.fence().raise(SECOND)?;
        insert(connection, 1)
    });
    assert!(
        matches!(overtaken, Err(Error::Overtaken(_))),
        "{overtaken:?}"
    );
    assert_eq!(bench.numbers(), NONE);
}

#[test]
fn a_foreign_key_to_the_mark_keeps_no_owner_out() {
    let bench = Bench::new();
    let connection = bench.connect();
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    let mut fence = SqliteFence::new(&connection);
    fence.raise(FIRST).unwrap();
    let evil = format!("CREATE TABLE evil (a REFERENCES {TABLE} (epoch))");
    connection.execute_batch(&evil).unwrap();
    fence.raise(SECOND).unwrap();
    let enforced: bool = connection
        .pragma_query_value(None, "foreign_keys", |row| row.get(0))
        .unwrap();
    assert!(enforced, "the setting is as it was");
}

#[test]
fn a_temporary_table_of_the_same_name_is_not_the_mark() {
    let bench = Bench::new();
    let mut early = bench.fence();
    let shadow = format!("CREATE TEMP TABLE {TABLE} (id, epoch)");
    early.connection().execute_batch(&shadow).unwrap();
    bench.fence().raise(SECOND).unwrap();
    let refused = early.check(FIRST);
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}
