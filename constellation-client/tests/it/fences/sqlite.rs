//! The SQLite fence, with an earlier owner that is stopped at every place that makes a difference.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use constellation_client::{
    Epoch,
    fence::{
        Entered, Fence,
        sqlite::{Error, SqliteFence},
    },
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::PARTS;
use crate::support::{
    companion::{Companion, halt, say},
    until,
};

const FIRST: Epoch = Epoch::new(1_770_000_000_000_001);
const SECOND: Epoch = Epoch::new(1_770_000_000_000_002);

/// Says how an act ended.
pub(super) fn tell(outcome: Result<(), Error>) {
    say(match outcome {
        Ok(()) => "committed",
        Err(Error::Refused(_)) => "refused",
        Err(Error::Locked(_)) => "locked",
        Err(Error::Overtaken(_)) => "overtaken",
        Err(error) => panic!("{error:?}"),
    });
}

pub(super) fn connect(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_millis(50)).unwrap();
    connection
}

pub(super) fn insert(connection: &Connection, word: &str) -> Result<(), Error> {
    connection.execute("INSERT INTO t VALUES (?1)", [word])?;
    Ok(())
}

/// A part: writes three times, and halts before, inside of, and after the second one.
pub(super) fn write(file: &Path) {
    let mut owner = SqliteFence::new(connect(file)).enter(FIRST).unwrap();
    tell(owner.write(|connection| insert(connection, "early 1")));
    halt("before");
    tell(owner.write(|connection| {
        insert(connection, "early 2")?;
        halt("inside");
        Ok(())
    }));
    halt("after");
    tell(owner.write(|connection| insert(connection, "early 3")));
}

/// A part: reads, halts with its snapshot, reads again, and then wants to write.
pub(super) fn read(file: &Path) {
    let mut owner = SqliteFence::new(connect(file)).enter(FIRST).unwrap();
    tell(owner.read(|connection| {
        halt("inside");
        let select = "SELECT count(*) FROM t";
        let rows: i64 = connection.query_row(select, [], |row| row.get(0))?;
        say(&format!("{rows} rows"));
        insert(connection, "early")
    }));
    tell(owner.read(|_| Ok(())));
}

/// A database, and a companion that owns it under the first epoch.
struct Bench {
    folder: TempDir,
    early: Companion,
}

impl Bench {
    fn new(part: &str) -> Self {
        Self::with("WAL", part)
    }

    fn with(journal: &str, part: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bench.db");
        let connection = connect(&file);
        connection
            .pragma_update(None, "journal_mode", journal)
            .unwrap();
        connection.execute_batch("CREATE TABLE t (word)").unwrap();
        let early = Companion::start(PARTS, part, &file);
        Self { folder, early }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("bench.db")
    }

    fn enter(&self) -> Result<Entered<SqliteFence<Connection>>, Error> {
        SqliteFence::new(connect(&self.file())).enter(SECOND)
    }

    /// Enters as the later owner, and writes.
    fn take_over(&self) {
        let mut late = self.enter().unwrap();
        late.write(|connection| insert(connection, "late")).unwrap();
    }

    fn words(&self) -> Vec<String> {
        let connection = connect(&self.file());
        let mut statement = connection.prepare("SELECT word FROM t").unwrap();
        let words = statement.query_map([], |row| row.get(0)).unwrap();
        words.map(Result::unwrap).collect()
    }

    /// Lets the companion halt inside of its second write, and stops it there.
    async fn stop_inside_a_write(&mut self) {
        self.early.says("committed").await;
        self.early.says("before").await;
        self.early.pass();
        self.early.says("inside").await;
        self.early.stop();
    }
}

#[actix_rt::test]
async fn a_process_stopped_before_its_transaction_is_refused() {
    let mut bench = Bench::new("sqlite writer");
    bench.early.says("committed").await;
    bench.early.says("before").await;
    bench.early.stop();
    bench.take_over();
    bench.early.go_on();
    bench.early.says("refused").await;
    assert_eq!(bench.words(), ["early 1", "late"]);
}

#[actix_rt::test]
async fn a_process_stopped_after_its_transaction_is_refused_the_next_one() {
    let mut bench = Bench::new("sqlite writer");
    bench.early.says("committed").await;
    bench.early.says("before").await;
    bench.early.pass();
    bench.early.says("inside").await;
    bench.early.pass();
    bench.early.says("committed").await;
    bench.early.says("after").await;
    bench.early.stop();
    bench.take_over();
    bench.early.go_on();
    bench.early.says("refused").await;
    assert_eq!(bench.words(), ["early 1", "early 2", "late"]);
}

#[actix_rt::test]
async fn a_process_stopped_with_the_write_lock_keeps_others_out_and_comes_before_them() {
    let mut bench = Bench::new("sqlite writer");
    bench.stop_inside_a_write().await;
    let kept_out = bench.enter().unwrap_err();
    assert!(matches!(kept_out, Error::Locked(_)), "{kept_out:?}");
    assert_eq!(bench.words(), ["early 1"]);

    bench.early.go_on();
    bench.early.says("committed").await;
    bench.early.says("after").await;
    bench.take_over();
    bench.early.pass();
    bench.early.says("refused").await;
    assert_eq!(bench.words(), ["early 1", "early 2", "late"]);
}

#[actix_rt::test]
async fn a_process_killed_with_the_write_lock_leaves_nothing_and_keeps_nobody_out() {
    let mut bench = Bench::new("sqlite writer");
    bench.stop_inside_a_write().await;
    bench.early.kill();
    bench.take_over();
    assert_eq!(bench.words(), ["early 1", "late"]);
}

#[actix_rt::test]
async fn a_process_stopped_while_it_reads_cannot_write_what_it_made_of_it() {
    let mut bench = Bench::new("sqlite reader");
    bench.early.says("inside").await;
    bench.early.stop();
    bench.take_over();
    bench.early.go_on();
    bench.early.says("0 rows").await;
    bench.early.says("overtaken").await;
    bench.early.says("refused").await;
    assert_eq!(bench.words(), ["late"]);
}

#[actix_rt::test]
async fn without_wal_a_process_stopped_while_it_reads_keeps_others_out() {
    let mut bench = Bench::with("DELETE", "sqlite reader");
    bench.early.says("inside").await;
    bench.early.stop();
    let kept_out = bench.enter().unwrap_err();
    assert!(matches!(kept_out, Error::Locked(_)), "{kept_out:?}");
    bench.early.go_on();
    bench.early.says("0 rows").await;
    // Nobody came in between, so what it read is still true.
    bench.early.says("committed").await;
    until("the later owner's entry", async || bench.enter().ok()).await;
    assert_eq!(bench.words(), ["early"]);
}
