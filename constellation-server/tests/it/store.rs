//! The store of the real binary: one file, one controller, and what is said when that fails.

use std::fs;

use constellation_testing::program::Program;

use crate::binary::{Folder, Outcome, serve_until_it_listens};

const SETTINGS: &str = r#"{
    "Webserver": { "Port": 0 },
    "Websocket": { "Port": 0 },
    "Admin": { "ApiKeys": ["0123456789abcdef"] }
}"#;

fn running(folder: &Folder) -> Program {
    let program = Program::start(&mut folder.command(&["serve"]));
    program.line("the last port", |line| {
        line.contains("listening whom=workers").then_some(())
    });
    program
}

#[track_caller]
fn fails_to_start(folder: &Folder, because: &str) {
    let Outcome {
        code,
        output,
        errors,
    } = folder.run(&["serve"]);
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    let wanted = format!("error: the controller failed\n  because: {because}");
    assert!(errors.contains(&wanted), "{errors}");
    assert!(!errors.contains("listening"), "{errors}");
}

#[test]
fn a_second_controller_on_one_file_is_refused_with_the_files_name() {
    let folder = Folder::with_settings(SETTINGS);
    let first = running(&folder);
    fails_to_start(
        &folder,
        "another controller uses ./constellation.db, or another program has it open",
    );
    // The first one has lost nothing by it.
    fails_to_start(&folder, "another controller uses ./constellation.db");
    first.signal("KILL");
    drop(first);
    running(&folder);
}

#[test]
fn a_controller_that_is_told_to_stop_leaves_one_closed_file() {
    let folder = Folder::with_settings(SETTINGS);
    let mut program = running(&folder);
    assert!(folder.file("constellation.db-wal").exists());
    program.signal("TERM");
    assert_eq!(program.ended(), Some(0));
    assert_eq!(folder.names(), ["constellation.db", "constellation.json"]);
}

#[test]
fn a_file_that_is_damaged_or_no_database_stops_the_start_and_is_named() {
    let folder = Folder::with_settings(SETTINGS);
    let file = folder.file("constellation.db");
    fs::write(&file, "not a database").unwrap();
    fails_to_start(&folder, "./constellation.db is not a SQLite database");
    assert_eq!(fs::read(&file).unwrap(), b"not a database");

    fs::remove_file(&file).unwrap();
    let mut program = running(&folder);
    program.signal("TERM");
    assert_eq!(program.ended(), Some(0));
    let mut bytes = fs::read(&file).unwrap();
    assert!(bytes.len() > 8192, "the log was not written into the file");
    bytes[4096..8192].fill(0x55);
    fs::write(&file, bytes).unwrap();
    fails_to_start(&folder, "./constellation.db is damaged: ");
}

#[test]
fn a_file_whose_folder_is_missing_stops_the_start() {
    let folder = Folder::with_settings(SETTINGS);
    let mut command = folder.command(&["serve", "--set=Store.File=nowhere/c.db"]);
    let (_, logged) = serve_until_it_listens(&mut command);
    let wanted = "because: the folder of nowhere/c.db does not exist";
    assert!(logged.contains(wanted), "{logged}");
}

#[test]
fn a_store_in_memory_leaves_no_file() {
    let folder = Folder::with_settings(SETTINGS);
    let mut command = folder.command(&["serve", "--set=Store.Kind=Memory"]);
    let (_, logged) = serve_until_it_listens(&mut command);
    assert!(logged.contains("listening whom=workers"), "{logged}");
    assert_eq!(folder.names(), ["constellation.json"]);
}

#[test]
fn a_kind_of_store_that_is_not_known_does_not_pass_a_check() {
    let folder = Folder::with_settings(r#"{ "Store": { "Kind": "sqlite", "File": "" } }"#);
    let done = folder.run(&["config", "check"]);
    assert_eq!(done.code, Some(2));
    let wanted = "./constellation.json: Store.Kind is \"sqlite\"; \
                  allowed is \"SQLite\" or \"Memory\"\n  \
                  ./constellation.json: Store.File is \"\"; allowed is a path of 1 to 8192 bytes";
    assert!(done.errors.contains(wanted), "{done:?}");
    assert_eq!(folder.names(), ["constellation.json"]);
}

#[test]
fn the_written_settings_name_the_file() {
    let folder = Folder::new();
    let ports = ["serve", "--port=0", "--websocket-port=0"];
    serve_until_it_listens(&mut folder.command(&ports));
    let written: serde_json::Value = serde_json::from_str(&folder.read_settings()).unwrap();
    let wanted = serde_json::json!({ "Kind": "SQLite", "File": "./constellation.db" });
    assert_eq!(written["Store"], wanted);
}
