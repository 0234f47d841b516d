//! Runs the program as people do: its verdict on sound runs, on a run without the fence, and that it
//! leaves no process behind.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use constellation_testing::{
    program::{Program, sibling},
    wait::until,
};

const BINARY: &str = env!("CARGO_BIN_EXE_faults");

fn faults(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).args([
        "--controller".as_ref(),
        sibling(BINARY, "constellation").as_os_str(),
    ]);
    command
}

fn run(arguments: &[&str]) -> Output {
    faults(arguments).output().unwrap()
}

#[track_caller]
fn holds(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}\n{text}\n{errors}");
    text
}

#[test]
fn every_claim_holds_under_faults_of_every_kind() {
    let text = holds(&["run", "--seed=1", "--faults=20", "--seconds=40"]);
    assert!(text.contains("violations: 0"), "{text}");
}

#[test]
fn without_the_fence_a_stopped_owner_is_found_out() {
    let one_pause = ["--faults=1", "--seconds=1", "--only=pause-before-write"];
    let mut arguments = vec!["run"];
    arguments.extend(one_pause);
    holds(&arguments);

    arguments.push("--without-fence");
    let output = run(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("\n  fence: key"), "{text}");
    // The evidence is kept, where it says.
    let (_, folder) = text.trim_end().rsplit_once(' ').unwrap();
    assert!(Path::new(folder).join("journal-0").exists(), "{text}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn no_process_outlives_a_run_that_ends_by_itself_or_is_killed() {
    for signal in ["TERM", "KILL"] {
        let mut program = Program::start(&mut faults(&["run", "--faults=1", "--seconds=20"]));
        let runner = program.id();
        let children = until("four processes", || {
            let children = children_of(runner);
            (children.len() == 4).then_some(children)
        });
        program.signal(signal);
        program.ended();
        until("their end", || {
            children
                .iter()
                .all(|child| !is_running(*child))
                .then_some(())
        });
    }
}

/// The processes that a process has started.
fn children_of(process: u32) -> Vec<u32> {
    let file = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace()
        .map(|child| child.parse().unwrap())
        .collect()
}

fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    // What has ended and was not yet asked for by its parent is no process any more.
    status
        .lines()
        .any(|line| line.starts_with("State:") && !line.contains('Z'))
}
