//! What the service promises beyond the three commands.

use std::{collections::BTreeSet, process::Command, thread, time::Instant};

use constellation_client::{
    Epoch,
    fence::{
        Fence,
        sqlite::{Error, SqliteFence},
    },
};
use rusqlite::Connection;
use serde_json::json;

use crate::{
    http::{self, PATIENCE},
    program::{Program, command},
};

const ENDLESS: &str = "WITH RECURSIVE e(n) AS (SELECT 1 UNION ALL SELECT n FROM e) \
                       INSERT INTO customers (name) SELECT n FROM e";

#[test]
fn a_killed_service_finds_its_data_when_it_starts_again() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::start(data.path());
    let inserted = program.run(
        "customers",
        r#"INSERT INTO customers (name) VALUES ("Alice")"#,
    );
    assert_eq!(inserted.status, 200, "{inserted:?}");
    program.child.kill().unwrap();
    program.child.wait().unwrap();

    let program = Program::start(data.path());
    let selected = program
        .run("customers", "SELECT name FROM customers")
        .json();
    assert_eq!(selected["results"], json!([{ "name": "Alice" }]));
}

#[test]
fn databases_are_spread_over_the_workers_and_stay() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let owner = |name: &str| {
        program.run(name, "SELECT 1").json()["worker"]
            .as_u64()
            .unwrap()
    };
    let names = ["a", "b", "c"];
    let owners: Vec<u64> = names.iter().map(|name| owner(name)).collect();
    assert_eq!(
        owners.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from([1, 2, 3])
    );
    let again: Vec<u64> = names.iter().map(|name| owner(name)).collect();
    assert_eq!(owners, again);
}

#[test]
fn concurrent_requests_to_one_database_all_count() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let insert = "INSERT INTO customers (name) VALUES ('x')";
    let workers: BTreeSet<u64> = thread::scope(|scope| {
        let requests: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| program.run("c", insert)))
            .collect();
        let answers = requests.into_iter().map(|request| request.join().unwrap());
        answers
            .map(|answer| answer.json()["worker"].as_u64().unwrap())
            .collect()
    });
    assert_eq!(workers.len(), 1, "{workers:?}");
    let count = program
        .run("c", "SELECT count(*) AS n FROM customers")
        .json();
    assert_eq!(count["results"], json!([{ "n": 20 }]));
}

#[test]
fn a_long_statement_holds_up_no_other_database_and_ends_with_its_client() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    // The first statement makes the table, so that only the endless one is waited for below.
    assert_eq!(program.run("slow", "SELECT 1").status, 200);
    let endless = http::send(
        "127.0.0.1",
        program.port,
        "POST",
        "/db/slow",
        ENDLESS.as_bytes(),
    );
    for name in ["a", "b", "c", "d"] {
        assert_eq!(program.run(name, "SELECT 1").status, 200);
    }
    drop(endless);
    let count = program
        .run("slow", "SELECT count(*) AS n FROM customers")
        .json();
    assert_eq!(count["results"], json!([{ "n": 0 }]));
}

#[test]
fn a_statement_over_its_time_is_a_timeout() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start_with(data.path(), &["--statement-seconds-max=1"]);
    let answer = program.run("slow", ENDLESS);
    assert_eq!(answer.status, 504, "{answer:?}");
    assert_eq!(answer.json()["Error"], "Timeout");
}

#[test]
fn what_is_wrong_is_said_in_the_one_form_of_errors() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let large = vec![b' '; 3 << 20];
    for (method, path, body, status, error) in [
        (
            "POST",
            "/db/x",
            &b"SELECT * FROM nowhere"[..],
            400,
            "BadRequest",
        ),
        (
            "POST",
            "/db/x",
            b"ATTACH '/tmp/y.db' AS y",
            400,
            "BadRequest",
        ),
        ("POST", "/db/x", b"", 400, "RequestBodyMissing"),
        ("POST", "/db/x", b"{\"sql\":1}", 400, "DeserializationError"),
        ("POST", "/db/x", &large, 413, "TooLarge"),
        ("GET", "/db/x", b"", 405, "MethodNotAllowed"),
        ("POST", "/db/..", b"SELECT 1", 400, "BadRequest"),
        ("POST", "/db/..%2fx", b"SELECT 1", 400, "BadRequest"),
        ("POST", "/db/X", b"SELECT 1", 400, "BadRequest"),
        ("POST", "/db/x/y", b"SELECT 1", 404, "NotFound"),
        ("POST", "/other", b"SELECT 1", 404, "NotFound"),
    ] {
        let answer = program.request(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        let problem = answer.json();
        assert_eq!(problem["Error"], error, "{method} {path}");
        assert_eq!(problem["StatusCode"], status, "{method} {path}");
        assert!(problem["Description"].is_string(), "{problem}");
    }
    let files: BTreeSet<String> = std::fs::read_dir(data.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        files
            .iter()
            .all(|file| file.starts_with("x.db") || file == ".lock"),
        "{files:?}"
    );
}

#[test]
fn a_statement_after_another_owner_came_is_refused_and_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let insert = "INSERT INTO customers (name) VALUES ('x')";
    assert_eq!(program.run("a", insert).status, 200);

    // This process comes as the later owner, as one would to whom another controller gave the key.
    let connection = Connection::open(data.path().join("a.db")).unwrap();
    let later = Epoch::new(i64::MAX.unsigned_abs());
    let mut later = SqliteFence::new(connection).enter(later).unwrap();
    for sql in [insert, "SELECT 1", "DROP TABLE customers"] {
        let answer = program.run("a", sql);
        assert_eq!(answer.status, 503, "{sql}: {answer:?}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.json()["Error"], "OwnerChanged");
        assert_eq!(answer.json()["StatusCode"], 503);
    }
    assert_eq!(program.run("b", insert).status, 200, "another database");
    let rows: Result<i64, Error> = later.read(|connection| {
        let select = "SELECT count(*) FROM customers";
        Ok(connection.query_row(select, [], |row| row.get(0))?)
    });
    assert_eq!(rows.unwrap(), 1);
}

#[test]
fn a_query_string_does_not_make_another_database() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    program.run("a", "INSERT INTO customers (name) VALUES ('x')");
    let answer = program
        .request("POST", "/db/a?b=c", b"SELECT name FROM customers")
        .json();
    assert_eq!(answer["results"], json!([{ "name": "x" }]));
}

#[test]
fn both_addresses_of_localhost_answer() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let mut hosts = vec!["127.0.0.1"];
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        hosts.push("::1");
    }
    for host in hosts {
        let answer = http::receive(http::send(host, program.port, "GET", "/", b""));
        assert_eq!(answer.status, 200, "{host}");
        assert!(answer.head.contains("text/html"), "{answer:?}");
    }
}

#[test]
fn a_folder_in_use_stops_the_start_with_a_reason() {
    let data = tempfile::tempdir().unwrap();
    let _program = Program::start(data.path());
    let output = command(data.path())
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("used by another process"), "{words}");
}

#[cfg(unix)]
#[test]
fn a_polite_end_is_soon_and_leaves_no_log_file_behind() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::start(data.path());
    assert_eq!(
        program
            .run("a", "INSERT INTO customers (name) VALUES ('x')")
            .status,
        200
    );
    assert!(data.path().join("a.db-wal").exists());
    let asked = Command::new("kill")
        .arg(program.child.id().to_string())
        .status()
        .unwrap();
    assert!(asked.success());
    #[expect(
        clippy::disallowed_methods,
        reason = "a deadline for a process that may not end"
    )]
    let started = Instant::now();
    let status = program.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    assert!(
        !data.path().join("a.db-wal").exists(),
        "the database was not closed"
    );
}
