//! A notebook changes its owner: its notes stay, and whoever follows it is told to ask again.

use constellation_testing::{program::Program, wait::until};
use serde_json::Value;

use crate::{
    curl::{Answer, curl, listen},
    programs::Controller,
};

const JSON: &str = "content-type: application/json";

fn write(notes: &str, title: &str) -> Answer {
    let body = format!(r#"{{"title":"{title}"}}"#);
    curl(&["--data", &body, "--header", JSON, notes])
}

fn titles(notes: &str) -> Vec<Value> {
    let list = curl(&[notes]).json();
    let notes = list["notes"].as_array().unwrap().iter();
    notes.map(|note| note["title"].clone()).collect()
}

/// Listens until the first event; the epoch under which the notebook is owned.
fn follow(notebook: &str) -> (Program, u64) {
    let events = listen(&format!("{notebook}/events"));
    let epoch = events.line("the first event", |line| {
        let hello: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
        hello["epoch"].as_u64()
    });
    (events, epoch)
}

/// Writes, ends the owner with this signal, and goes on with the other worker.
fn owner_ends(signal: &str) {
    let data = tempfile::tempdir().unwrap();
    let controller = Controller::start();
    let first = controller.worker("first", data.path());
    let notebook = format!("{}/notebooks/diary", controller.url);
    let notes = format!("{notebook}/notes");
    let written = write(&notes, "one");
    assert_eq!(written.status, 201, "{written:?}");
    let (mut events, epoch) = follow(&notebook);
    let _second = controller.worker("second", data.path());

    first.signal(signal);
    events.ended();
    let later = until("another owner", || {
        let later = write(&notes, "two");
        (later.status == 201).then_some(later)
    });
    assert_ne!(later.header("x-worker"), written.header("x-worker"));
    assert_eq!(titles(&notes), ["one", "two"]);
    let (_events, later) = follow(&notebook);
    assert!(later > epoch, "{later} after {epoch}");
}

#[test]
fn a_worker_that_is_told_to_end_hands_its_notebooks_over() {
    owner_ends("TERM");
}

#[test]
fn the_notebooks_of_a_worker_that_is_killed_go_on_elsewhere() {
    owner_ends("KILL");
}
