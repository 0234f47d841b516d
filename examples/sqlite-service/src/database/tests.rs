//! Claims about one database: what it answers, what it refuses, what it leaves behind.

use std::{path::PathBuf, sync::mpsc, thread};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const LIMITS: Limits = Limits {
    rows_max: 1000,
    result_bytes_max: 64 * 1024,
    file_pages_max: 1000,
};

const EPOCH: Epoch = Epoch::new(1_770_000_000_000_000);

/// A folder of its own, and the database in it.
struct Bench {
    folder: TempDir,
    database: Database,
}

impl Bench {
    fn new() -> Self {
        Self::with(LIMITS)
    }

    fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&file(&folder), EPOCH, limits).unwrap();
        Self { folder, database }
    }

    fn try_run(&mut self, sql: &str) -> Result<Value, Failure> {
        let json = self.database.run(sql, &Stop::default())?;
        Ok(serde_json::from_slice(&json).unwrap())
    }

    #[track_caller]
    fn run(&mut self, sql: &str) -> Value {
        self.try_run(sql).unwrap()
    }

    #[track_caller]
    fn refuse(&mut self, sql: &str) -> String {
        match self.try_run(sql) {
            Err(Failure::Refused { reason }) => reason,
            other => panic!("{sql} was not refused: {other:?}"),
        }
    }

    fn reopen(self) -> Self {
        let Self { folder, database } = self;
        drop(database);
        let database = Database::open(&file(&folder), EPOCH, LIMITS).unwrap();
        Self { folder, database }
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().canonicalize().unwrap().join("bench.db")
}

#[test]
fn the_first_table_is_there_on_first_use_and_keeps_its_rows() {
    let mut bench = Bench::new();
    let insert = r#"INSERT INTO customers (name, email) VALUES ("Alice", "alice@example.com")"#;
    assert_eq!(bench.run(insert), json!([]));
    let mut bench = bench.reopen();
    let rows = bench.run("SELECT * FROM customers");
    assert_eq!(rows[0]["id"], 1);
    assert_eq!(rows[0]["name"], "Alice");
    assert_eq!(rows[0]["email"], "alice@example.com");
    assert!(rows[0]["created_at"].is_string(), "{rows}");
}

#[test]
fn a_double_quoted_text_is_a_string_in_a_query() {
    let rows = Bench::new().run(r#"SELECT datetime("now"), date("2026-01-02") AS day"#);
    assert_eq!(rows[0]["day"], "2026-01-02");
    assert_eq!(
        rows[0][r#"datetime("now")"#].as_str().map(str::len),
        Some(19)
    );
}

#[test]
fn values_keep_their_type_and_columns_their_order() {
    let mut bench = Bench::new();
    let sql = "SELECT 9007199254740993 AS i, -0.5 AS f, 2.0 AS g, 'a\"\u{1F600}\n' AS t, \
               x'00ff' AS b, NULL AS n, 9e999 AS inf, CAST(x'41ff' AS TEXT) AS bad";
    let json = bench.database.run(sql, &Stop::default()).unwrap();
    assert_eq!(
        String::from_utf8(json).unwrap(),
        "[{\"i\":9007199254740993,\"f\":-0.5,\"g\":2.0,\"t\":\"a\\\"\u{1F600}\\n\",\
         \"b\":\"AP8=\",\"n\":null,\"inf\":\"Infinity\",\"bad\":\"A\u{FFFD}\"}]"
    );
}

#[test]
fn columns_of_one_name_are_told_apart() {
    let rows = Bench::new().run("SELECT 1 AS a, 2 AS a, 3 AS 'a:1', 4 AS a");
    assert_eq!(rows, json!([{ "a": 1, "a:1": 2, "a:1:1": 3, "a:2": 4 }]));
}

#[test]
fn rows_come_back_from_a_write_that_returns_them() {
    let mut bench = Bench::new();
    let sql = "INSERT INTO customers (name) VALUES ('a'), ('b') RETURNING id, name;";
    assert_eq!(
        bench.run(sql),
        json!([{ "id": 1, "name": "a" }, { "id": 2, "name": "b" }])
    );
}

#[test]
fn a_fault_in_the_sql_is_told_in_sqlites_words() {
    let mut bench = Bench::new();
    for (sql, words) in [
        ("SELEC 1", "near \"SELEC\": syntax error"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        (
            "INSERT INTO customers (name) VALUES (NULL)",
            "NOT NULL constraint failed",
        ),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
        ("SELECT zeroblob(70000)", "too big"),
    ] {
        match bench.try_run(sql) {
            Err(Failure::Sql { message }) => assert!(message.contains(words), "{sql}: {message}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_request_is_exactly_one_statement() {
    let mut bench = Bench::new();
    for sql in [
        "SELECT 1; SELECT 2",
        "SELECT 1;; ; SELECT 2",
        "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        "SELECT 1; nonsense",
    ] {
        assert!(bench.refuse(sql).contains("one statement"), "{sql}");
    }
    assert!(bench.refuse("").contains("no statement"));
    assert!(bench.refuse(" -- nothing").contains("no statement"));
    assert!(bench.refuse("SELECT 1\0; SELECT 2").contains("NUL"));
    assert!(bench.refuse("SELECT ?1").contains("parameters"));
    assert_eq!(bench.run("SELECT 1 AS a; -- done\n ;"), json!([{ "a": 1 }]));
    assert_eq!(
        bench.run("SELECT count(*) AS n FROM sqlite_schema WHERE name = 't'")[0]["n"],
        0
    );
}

#[test]
fn very_many_statements_are_refused_and_not_recursed_into() {
    let sql = "SELECT 1;".repeat(100_000);
    assert!(Bench::new().refuse(&sql).contains("one statement"));
}

#[test]
fn no_statement_reaches_another_file() {
    let mut bench = Bench::new();
    let target = bench.folder.path().join("other.db");
    let path = target.display();
    for sql in [
        format!("ATTACH '{path}' AS other"),
        "ATTACH ':memory:' AS other".to_owned(),
        "DETACH main".to_owned(),
        format!("PRAGMA temp_store_directory = '{path}'"),
        "PRAGMA database_list".to_owned(),
        "SELECT * FROM pragma_database_list".to_owned(),
        format!("SELECT load_extension('{path}')"),
    ] {
        bench.refuse(&sql);
    }
    let vacuum = bench.try_run(&format!("VACUUM INTO '{path}'"));
    assert!(matches!(vacuum, Err(Failure::Sql { .. })), "{vacuum:?}");
    assert!(!target.exists());
}

#[test]
fn no_statement_changes_how_the_connection_works() {
    let mut bench = Bench::new();
    for sql in [
        "BEGIN",
        "COMMIT",
        "SAVEPOINT a",
        "PRAGMA synchronous = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA journal_mode('memory')",
        "PRAGMA writable_schema = ON",
        "PRAGMA max_page_count = 1000000",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA locking_mode = EXCLUSIVE",
        "CREATE TEMP TABLE t (a)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        bench.refuse(sql);
    }
    assert_eq!(
        bench.run("PRAGMA journal_mode"),
        json!([{ "journal_mode": "wal" }])
    );
    assert_eq!(
        bench.run("PRAGMA foreign_keys"),
        json!([{ "foreign_keys": 1 }])
    );
    assert_eq!(
        bench.run("SELECT name FROM pragma_table_info('customers')")[1]["name"],
        "name"
    );
}

#[test]
fn synchronous_is_full() {
    let bench = Bench::new();
    let level: i64 = bench
        .database
        .authority
        .as_service(|| {
            bench
                .database
                .connection
                .pragma_query_value(None, "synchronous", |row| row.get(0))
        })
        .unwrap();
    assert_eq!(level, 2);
}

#[test]
fn a_refusal_does_not_colour_the_next_failure() {
    let mut bench = Bench::new();
    bench.refuse("BEGIN");
    assert!(matches!(bench.try_run("SELEC 1"), Err(Failure::Sql { .. })));
}

/// Counts to the number without a table.
fn series(to: usize) -> String {
    format!(
        "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {to})"
    )
}

#[test]
fn a_result_has_a_most_number_of_rows_and_of_bytes() {
    let mut bench = Bench::new();
    let exactly = bench.run(&format!("{} SELECT n FROM series", series(LIMITS.rows_max)));
    assert_eq!(exactly.as_array().unwrap().len(), LIMITS.rows_max);
    let rows = bench.try_run(&format!(
        "{} SELECT n FROM series",
        series(LIMITS.rows_max + 1)
    ));
    assert!(
        matches!(rows, Err(Failure::TooManyRows { rows_max: 1000 })),
        "{rows:?}"
    );
    let bytes = bench.try_run(&format!(
        "{} SELECT hex(zeroblob(1000)) AS h FROM series",
        series(100)
    ));
    assert!(
        matches!(bytes, Err(Failure::TooManyBytes { .. })),
        "{bytes:?}"
    );
}

#[test]
fn a_write_whose_result_is_too_large_changes_nothing() {
    let mut bench = Bench::new();
    let sql = format!(
        "{} INSERT INTO customers (name) SELECT n FROM series RETURNING name",
        series(LIMITS.rows_max + 1)
    );
    // A WITH clause stands before INSERT, and SQLite computes every change before the first row.
    assert!(matches!(
        bench.try_run(&sql),
        Err(Failure::TooManyRows { .. })
    ));
    assert!(bench.database.is_sound());
    assert_eq!(
        bench.run("SELECT count(*) AS n FROM customers"),
        json!([{ "n": 0 }])
    );
}

#[test]
fn a_failed_commit_changes_nothing_and_leaves_a_sound_connection() {
    let mut bench = Bench::new();
    bench.run("CREATE TABLE child (id REFERENCES customers (id) DEFERRABLE INITIALLY DEFERRED)");
    assert!(matches!(
        bench.try_run("INSERT INTO child VALUES (7)"),
        Err(Failure::Sql { .. })
    ));
    assert!(bench.database.is_sound());
    assert_eq!(
        bench.run("SELECT count(*) AS n FROM child"),
        json!([{ "n": 0 }])
    );
}

#[test]
fn a_file_has_a_most_size() {
    let mut bench = Bench::with(Limits {
        file_pages_max: 30,
        ..LIMITS
    });
    bench.run("CREATE TABLE t (a)");
    let sql = format!(
        "{} INSERT INTO t SELECT zeroblob(60000) FROM series",
        series(10)
    );
    assert!(matches!(bench.try_run(&sql), Err(Failure::Full)));
    assert_eq!(
        bench.run("SELECT count(*) AS n FROM t"),
        json!([{ "n": 0 }])
    );
}

#[test]
fn a_statement_without_end_can_be_stopped_and_is_undone() {
    let Bench {
        folder,
        mut database,
    } = Bench::new();
    let stop = Stop::default();
    let (say, hear) = mpsc::channel();
    let running = thread::spawn({
        let stop = stop.clone();
        move || {
            let endless = "WITH RECURSIVE e(n) AS (SELECT 1 UNION ALL SELECT n FROM e) \
                           INSERT INTO customers (name) SELECT n FROM e LIMIT 100000000000";
            say.send(()).unwrap();
            let outcome = database.run(endless, &stop);
            (database, outcome)
        }
    });
    hear.recv().unwrap();
    stop.stop();
    let (database, outcome) = running.join().unwrap();
    assert!(matches!(outcome, Err(Failure::Stopped)), "{outcome:?}");
    let mut bench = Bench { folder, database };
    assert!(bench.database.is_sound());
    assert_eq!(
        bench.run("SELECT count(*) AS n FROM customers"),
        json!([{ "n": 0 }])
    );
}

#[test]
fn a_file_that_is_no_database_is_a_fault_of_storage() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        file(&folder),
        "not a database, but long enough to be taken for one".repeat(50),
    )
    .unwrap();
    let outcome = Database::open(&file(&folder), EPOCH, LIMITS);
    assert!(matches!(outcome, Err(Failure::Storage(_))), "{outcome:?}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("x.db"), file(&folder)).unwrap();
    let outcome = Database::open(&file(&folder), EPOCH, LIMITS);
    assert!(matches!(outcome, Err(Failure::Storage(_))), "{outcome:?}");
    assert!(!elsewhere.path().join("x.db").exists());
}

/// Another way to the database of a bench, as its owner under this epoch.
fn open_under(bench: &Bench, epoch: Epoch) -> Result<Database, Failure> {
    Database::open(&file(&bench.folder), epoch, LIMITS)
}

#[test]
fn an_owner_after_whom_another_came_neither_writes_nor_reads_nor_opens() {
    let mut bench = Bench::new();
    bench.run("INSERT INTO customers (name) VALUES ('early')");
    let late = open_under(&bench, EPOCH.next()).unwrap();
    for sql in [
        "INSERT INTO customers (name) VALUES ('stale')",
        "DELETE FROM customers",
        "CREATE TABLE stale (a)",
        "PRAGMA user_version = 7",
        "SELECT name FROM customers",
        "SELECT 1",
    ] {
        let outcome = bench.try_run(sql);
        assert!(
            matches!(&outcome, Err(Failure::Superseded(refused))
                if (refused.held(), refused.brought()) == (EPOCH.next(), EPOCH)),
            "{sql}: {outcome:?}"
        );
        assert!(bench.database.is_sound(), "{sql}");
    }
    let reopened = open_under(&bench, EPOCH);
    assert!(
        matches!(reopened, Err(Failure::Superseded(_))),
        "{reopened:?}"
    );
    bench.database = late;
    assert_eq!(
        bench.run("SELECT name FROM customers"),
        json!([{ "name": "early" }])
    );
    assert_eq!(
        bench.run("PRAGMA user_version"),
        json!([{ "user_version": 0 }])
    );
}

#[test]
fn no_statement_reads_or_changes_the_mark_of_the_fence() {
    let mut bench = Bench::new();
    for sql in [
        "SELECT * FROM constellation_fence",
        "SELECT count(*) FROM Constellation_Fence",
        "SELECT name, (SELECT epoch FROM main.\"constellation_fence\") FROM customers",
        "UPDATE constellation_fence SET epoch = 1",
        "INSERT INTO constellation_fence VALUES (1, 1) ON CONFLICT DO UPDATE SET epoch = 1",
        "REPLACE INTO constellation_fence VALUES (1, 1)",
        "DELETE FROM constellation_fence",
        "DROP TABLE constellation_fence",
        "ALTER TABLE constellation_fence RENAME TO other",
        "ALTER TABLE constellation_fence ADD COLUMN other",
        "CREATE INDEX i ON constellation_fence (epoch)",
        "CREATE TRIGGER t BEFORE UPDATE ON constellation_fence BEGIN SELECT RAISE(FAIL, 'no'); END",
        "PRAGMA table_info(constellation_fence)",
        "SELECT * FROM pragma_table_info('constellation_fence')",
        "CREATE TABLE copy AS SELECT * FROM constellation_fence",
    ] {
        let reason = bench.refuse(sql);
        assert!(reason.contains("the service's own"), "{sql}: {reason}");
    }
    // What a view or a trigger would do is judged when it is used.
    bench.run("CREATE VIEW v AS SELECT * FROM constellation_fence");
    bench.refuse("SELECT * FROM v");
    bench.run(
        "CREATE TRIGGER t AFTER INSERT ON customers BEGIN DELETE FROM constellation_fence; END",
    );
    bench.refuse("INSERT INTO customers (name) VALUES ('a')");
    let mut late = open_under(&bench, EPOCH.next()).unwrap();
    assert!(late.run("SELECT 1", &Stop::default()).is_ok());
}

#[test]
fn a_foreign_key_to_the_mark_does_not_keep_the_next_owner_out() {
    let mut bench = Bench::new();
    bench.run("CREATE TABLE evil (a REFERENCES constellation_fence (epoch))");
    bench.run("CREATE TABLE worse (a REFERENCES constellation_fence ON UPDATE CASCADE)");
    bench.refuse("INSERT INTO worse VALUES (1)");
    bench.database = open_under(&bench, EPOCH.next()).unwrap();
    bench.run("INSERT INTO customers (name) VALUES ('late')");
    assert_eq!(
        bench.run("PRAGMA foreign_keys"),
        json!([{ "foreign_keys": 1 }])
    );
}

#[test]
fn statements_about_the_whole_database_go_on_beside_the_fence() {
    let mut bench = Bench::new();
    bench.run("CREATE INDEX i ON customers (name)");
    bench.run("ANALYZE");
    bench.run("REINDEX");
    bench.run("ALTER TABLE customers RENAME COLUMN email TO mail");
    bench.run("ALTER TABLE customers RENAME TO people");
    bench.run("DROP TABLE people");
    assert_eq!(
        bench.run("PRAGMA integrity_check"),
        json!([{ "integrity_check": "ok" }])
    );
}

#[test]
fn a_full_database_from_before_the_fence_gets_one_and_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(file(&folder)).unwrap();
    connection.execute_batch(FIRST_TABLE).unwrap();
    connection
        .execute_batch("INSERT INTO customers (name) VALUES (zeroblob(20000))")
        .unwrap();
    drop(connection);
    let limits = Limits {
        file_pages_max: 1,
        ..LIMITS
    };
    let database = Database::open(&file(&folder), EPOCH, limits).unwrap();
    let mut bench = Bench { folder, database };
    assert_eq!(
        bench.run("SELECT count(*) AS n FROM customers"),
        json!([{ "n": 1 }])
    );
    let stale = open_under(&bench, Epoch::new(1));
    assert!(matches!(stale, Err(Failure::Superseded(_))), "{stale:?}");
}

#[test]
fn an_epoch_that_no_file_can_hold_opens_nothing() {
    let bench = Bench::new();
    let outcome = open_under(&bench, Epoch::new(u64::MAX));
    assert!(matches!(outcome, Err(Failure::Fence(_))), "{outcome:?}");
}
