//! What is opened as a SQLite store, what is refused, and what the refusal says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use constellation_actors::{
    placement::{
        epoch::Epoch,
        key::ResourceKey,
        worker::{Incarnation, WorkerId},
    },
    store::{
        PinRecord, Store,
        sqlite::{OpenError, SqliteStore},
    },
};
use futures::executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

/// Names the file that the other process is to open; only that process has it.
const OTHER: &str = "CONSTELLATION_TEST_OTHER_PROCESS";

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("constellation.db");
    (folder, file)
}

/// Makes a store with so many pins in it and closes it.
fn fill(file: &Path, pins: u64) {
    let mut store = SqliteStore::open(file).unwrap();
    let epoch = block_on(store.load(Duration::ZERO)).unwrap().first_epoch;
    let records = (0..pins).map(|number| PinRecord {
        key: ResourceKey::parse(&format!("/{number}")).unwrap(),
        worker: WorkerId::new(Uuid::from_u128(1)),
        incarnation: Incarnation::new(Uuid::from_u128(2)),
        epoch: Epoch::new(epoch.get() + number),
    });
    for outcome in block_on(store.claim(records.collect())) {
        assert_eq!(outcome, Ok(()));
    }
}

/// The error, if any, that another process gets which opens a file by its name in this folder.
fn opened_by_another_process(folder: &Path, name: &str) -> String {
    let test = "store::opening::\
                another_process_is_refused_also_after_this_one_refused_a_second_store";
    let other = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .current_dir(folder)
        .env(OTHER, name)
        .output();
    let printed = String::from_utf8(other.unwrap().stdout).unwrap();
    let mut lines = printed.lines();
    let answer = lines.find_map(|line| line.split_once("answer: "));
    let (_, answer) = answer.unwrap_or_else(|| panic!("no answer: {printed}"));
    answer.to_owned()
}

#[track_caller]
fn refused(file: &Path) -> OpenError {
    let error = SqliteStore::open(file).unwrap_err();
    let name = file.display().to_string();
    assert!(error.to_string().contains(&name), "{error}");
    error
}

#[test]
fn a_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, file) = folder();
    let _store = SqliteStore::open(&file).unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name());
    }
    assert!(names.iter().any(|name| name == "constellation.db"));
}

#[test]
fn a_closed_store_is_one_file() {
    let (folder, file) = folder();
    let store = SqliteStore::open(&file).unwrap();
    let closed = store.closed();
    drop(store);
    block_on(closed);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(file.is_file());
}

#[test]
fn a_path_that_means_something_to_sqlite_is_a_path() {
    let (folder, _) = folder();
    for name in [":memory:", "file:a?mode=memory", "a b%20c"] {
        assert_eq!(opened_by_another_process(folder.path(), name), "None");
        let metadata = folder.path().join(name).metadata().unwrap();
        assert!(metadata.len() > 0, "{name}");
    }
}

#[test]
fn a_second_store_on_one_file_is_refused_until_the_first_is_dropped() {
    let (_folder, file) = folder();
    let first = SqliteStore::open(&file).unwrap();
    for _ in 0..2 {
        let error = refused(&file);
        assert_eq!(error, OpenError::Locked { file: file.clone() });
    }
    drop(first);
    SqliteStore::open(&file).unwrap();
}

#[test]
fn another_process_is_refused_also_after_this_one_refused_a_second_store() {
    if let Some(file) = std::env::var_os(OTHER) {
        println!("answer: {:?}", SqliteStore::open(file).err());
        return;
    }
    let (folder, file) = folder();
    let asked = || opened_by_another_process(folder.path(), "constellation.db");
    let store = SqliteStore::open(&file).unwrap();
    assert!(asked().starts_with("Some(Locked"));
    // The lock of a process ends when it closes any handle of the file, unless care is taken.
    refused(&file);
    assert!(asked().starts_with("Some(Locked"));
    drop(store);
    assert_eq!(asked(), "None");
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    for content in [&b"{}"[..], &[b'x'; 511], &[b'x'; 100_000]] {
        let (_folder, file) = folder();
        fs::write(&file, content).unwrap();
        let error = refused(&file);
        assert_eq!(error, OpenError::NotADatabase { file: file.clone() });
        assert_eq!(fs::read(&file).unwrap(), content);
    }
}

#[test]
fn a_database_of_another_application_is_refused_and_left_as_it_is() {
    for sql in [
        "CREATE TABLE theirs (a)",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 7",
    ] {
        let (_folder, file) = folder();
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&file).unwrap();
        assert!(!before.is_empty());
        let error = refused(&file);
        assert_eq!(error, OpenError::Foreign { file: file.clone() }, "{sql}");
        assert_eq!(fs::read(&file).unwrap(), before, "{sql}");
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let (_folder, file) = folder();
    fill(&file, 1);
    let newer = "PRAGMA user_version = 2";
    Connection::open(&file)
        .unwrap()
        .execute_batch(newer)
        .unwrap();
    let before = fs::read(&file).unwrap();
    let error = refused(&file);
    let wanted = OpenError::TooNew {
        file: file.clone(),
        found: 2,
        known: 1,
    };
    assert_eq!(error, wanted);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn damage_is_found_at_the_start_and_told_with_what_sqlite_says() {
    let (_folder, file) = folder();
    fill(&file, 10_000);
    let whole = fs::read(&file).unwrap();
    let page = 4096;
    let mut scribbled = whole.clone();
    let middle = whole.len() / page / 2 * page;
    scribbled[middle..middle + page].fill(0x55);
    let truncated = whole[..whole.len() / page / 2 * page].to_vec();
    for damaged in [scribbled, truncated] {
        fs::write(&file, &damaged).unwrap();
        let error = refused(&file);
        let OpenError::Corrupt { reason, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(!reason.is_empty());
        assert!(error.to_string().contains("is damaged: "), "{error}");
    }
    fs::write(&file, whole).unwrap();
    SqliteStore::open(&file).unwrap();
}

#[test]
fn a_path_without_a_folder_or_with_a_folder_at_its_end_is_refused() {
    let (folder, file) = folder();
    let lost = folder.path().join("nowhere/constellation.db");
    assert_eq!(refused(&lost), OpenError::NoFolder { file: lost.clone() });
    let at_a_folder = folder.path().to_owned();
    let error = refused(&at_a_folder);
    assert_eq!(error, OpenError::NotAFile { file: at_a_folder });
    fs::write(&file, "").unwrap();
    let below_a_file = file.join("constellation.db");
    let error = refused(&below_a_file);
    assert_eq!(error, OpenError::NoFolder { file: below_a_file });
}

#[test]
fn a_file_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_folder, file) = folder();
    fill(&file, 1);
    for mode in [0o400, 0o000] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        // To root nothing is denied.
        if fs::OpenOptions::new().write(true).open(&file).is_ok() {
            return;
        }
        let error = refused(&file);
        assert!(matches!(error, OpenError::Denied { .. }), "{error:?}");
    }
}

#[test]
fn an_empty_file_becomes_a_store_with_fresh_epochs() {
    let (_folder, file) = folder();
    fs::write(&file, "").unwrap();
    fill(&file, 1);
    let mut store = SqliteStore::open(&file).unwrap();
    let loaded = block_on(store.load(Duration::ZERO)).unwrap();
    assert_eq!(loaded.pins.len(), 1);
    // Microseconds since 1970, some time after this was written.
    assert!(loaded.first_epoch.get() > 1_700_000_000_000_000);
}
