//! The three commands of the README, run by the real `curl`, word for word but for the port.

use std::process::Command;

use serde_json::{Value, json};

use crate::program::Program;

const INSERT: &str = r#"curl -X POST http://localhost:8000/db/customers \
  -H "Content-Type: application/json" \
  -d '{"query":"INSERT INTO customers (name, email) VALUES (\"Alice\", \"alice@example.com\")"}'"#;

const SELECT: &str = r#"curl -X POST http://localhost:8000/db/customers \
  -H "Content-Type: application/json" \
  -d '{"query":"SELECT * FROM customers"}'"#;

const NOW: &str = r#"curl -X POST http://localhost:8000/db/orders \
  -H "Content-Type: application/json" \
  -d '{"query":"SELECT datetime(\"now\")"}'"#;

/// Runs the command in a shell and returns what it prints.
#[track_caller]
fn shell(program: &Program, command: &str) -> Value {
    let command = command.replace(":8000/", &format!(":{}/", program.port));
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{command}: {error} in {output:?}"))
}

fn has_curl() -> bool {
    Command::new("curl")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn the_readmes_commands_answer_as_shown() {
    if !has_curl() {
        eprintln!("there is no curl here; the same requests are made without it elsewhere");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());

    let inserted = shell(&program, INSERT);
    let worker = inserted["worker"].as_u64().unwrap();
    assert!((1..=3).contains(&worker), "{inserted}");
    assert_eq!(
        inserted,
        json!({ "worker": worker, "database": "customers", "results": [] })
    );

    let selected = shell(&program, SELECT);
    let created_at = selected["results"][0]["created_at"].clone();
    assert_eq!(
        created_at.as_str().map(str::len),
        Some("2026-01-02 03:04:05".len())
    );
    let row = json!({
        "id": 1, "name": "Alice", "email": "alice@example.com", "created_at": created_at
    });
    assert_eq!(
        selected,
        json!({ "worker": worker, "database": "customers", "results": [row] })
    );

    let now = shell(&program, NOW);
    assert_eq!(now["database"], "orders");
    assert_ne!(now["worker"], worker, "a new key goes to the next worker");
    assert!(now["results"][0][r#"datetime("now")"#].is_string(), "{now}");
}
