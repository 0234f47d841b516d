//! Runs every measurement once, small, and demands what does not depend on the machine's time.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

use std::process::Command;

#[track_caller]
fn measured(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bench-streams"))
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{errors}");
    assert!(!told.contains("NOT MET"), "{told}");
    told
}

#[test]
fn a_large_body_comes_back_as_it_was_sent() {
    let told = measured(&["large", "--mib", "16"]);
    assert!(told.contains("met:     every byte came back"), "{told}");
}

#[test]
fn small_exchanges_are_measured_beside_transfers_that_move() {
    let told = measured(&[
        "bulk",
        "--seconds",
        "1",
        "--rate",
        "20",
        "--ratio-max",
        "1e9",
    ]);
    assert!(told.contains("beside 4 transfers"), "{told}");
}

#[test]
fn every_event_is_counted() {
    let flags = [
        "--clients",
        "20",
        "--events",
        "5",
        "--delay-ms-max",
        "60000",
    ];
    let told = measured(&[&["events"], &flags[..]].concat());
    assert!(told.contains("100 of 100 events came, in order"), "{told}");
}

#[test]
fn a_demand_that_is_not_met_is_the_exit_code() {
    let run = Command::new(env!("CARGO_BIN_EXE_bench-streams"))
        .args([
            "events",
            "--clients",
            "1",
            "--events",
            "1",
            "--delay-ms-max",
            "0",
        ])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1), "{run:?}");
}
