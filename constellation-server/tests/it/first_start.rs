//! `constellation serve`: the settings file and the admin key of a first start, and the log.

use std::fs;

use serde_json::{Value, json};

use crate::binary::{Folder, outcome, serve_until_it_listens};

const FREE_PORTS: [&str; 4] = [
    "serve",
    "--port=0",
    "--websocket-port=0",
    "--set=Admin.Port=0",
];

fn keys(folder: &Folder) -> Value {
    let document: Value = serde_json::from_str(&folder.read_settings()).unwrap();
    document.pointer("/Admin/ApiKeys").unwrap().clone()
}

#[test]
fn the_first_start_writes_a_file_for_its_owner_and_shows_the_key_once() {
    let folder = Folder::new();
    let (printed, logged) = serve_until_it_listens(&mut folder.command(&FREE_PORTS));
    assert_eq!(folder.mode(), 0o600);
    let keys = keys(&folder);
    let key = keys[0].as_str().unwrap();
    assert_eq!((key.len(), keys.as_array().unwrap().len()), (64, 1));
    let shown = "Admin key, shown only this once and kept in ./constellation.json: ";
    assert_eq!(printed, format!("{shown}{key}\n"));
    assert!(
        logged.contains("settings read file=./constellation.json"),
        "{logged}"
    );
    assert!(!logged.contains(key), "{logged}");
    assert!(!logged.contains("WARN"), "{logged}");

    let before = folder.read_settings();
    let (printed, logged) = serve_until_it_listens(&mut folder.command(&FREE_PORTS));
    assert_eq!(printed, "");
    assert!(!logged.contains(key), "{logged}");
    assert_eq!(folder.read_settings(), before);
    let names = [
        "constellation.db",
        "constellation.db-wal",
        "constellation.json",
    ];
    assert_eq!(folder.names(), names);
}

#[test]
fn the_written_file_differs_from_the_default_document_by_its_key_only() {
    let folder = Folder::new();
    serve_until_it_listens(&mut folder.command(&FREE_PORTS));
    let mut written: Value = serde_json::from_str(&folder.read_settings()).unwrap();
    written["Admin"]["ApiKeys"] = json!([]);
    let default = folder.run(&["config", "default"]).output;
    assert_eq!(written, serde_json::from_str::<Value>(&default).unwrap());
}

#[test]
fn a_key_is_stored_in_a_file_without_one_and_the_rest_stays() {
    let folder = Folder::with_settings(
        "{\n  \"Proxy\": {\n    \"TimeoutMs\": 5000\n  },\n  \"Heartbeat\": {}\n}\n",
    );
    folder.chmod(0o644);
    let (printed, logged) = serve_until_it_listens(&mut folder.command(&FREE_PORTS));
    let key = keys(&folder)[0].as_str().unwrap().to_owned();
    assert!(printed.ends_with(&format!("{key}\n")), "{printed}");
    assert_eq!(
        folder.read_settings(),
        format!(
            "{{\n  \"Proxy\": {{\n    \"TimeoutMs\": 5000\n  }},\n  \"Heartbeat\": {{}},\n  \
             \"Admin\": {{\n    \"ApiKeys\": [\n      \"{key}\"\n    ]\n  }}\n}}\n"
        )
    );
    assert_eq!(folder.mode(), 0o600);
    assert!(!logged.contains("may read it"), "{logged}");
}

#[test]
fn a_link_to_a_settings_file_stays_a_link() {
    let folder = Folder::new();
    fs::write(folder.file("real.json"), "{}").unwrap();
    std::os::unix::fs::symlink("real.json", folder.settings()).unwrap();
    serve_until_it_listens(&mut folder.command(&FREE_PORTS));
    assert!(
        fs::symlink_metadata(folder.settings())
            .unwrap()
            .is_symlink()
    );
    assert!(
        fs::read_to_string(folder.file("real.json"))
            .unwrap()
            .contains("ApiKeys")
    );
}

#[test]
fn no_key_is_made_when_the_environment_gives_one() {
    let folder = Folder::new();
    let mut command = folder.command(&FREE_PORTS);
    command.env("CONSTELLATION__ADMIN__APIKEYS", "a-key-of-the-environment");
    let (printed, logged) = serve_until_it_listens(&mut command);
    assert_eq!(printed, "");
    assert_eq!(keys(&folder), json!([]));
    assert!(!logged.contains("a-key-of-the"), "{logged}");
}

#[test]
fn wrong_settings_leave_the_disk_as_it_was() {
    let folder = Folder::new();
    let done = folder.run(&["serve", "--threads=0"]);
    assert_eq!((done.code, done.output.as_str()), (Some(2), ""));
    assert!(
        done.errors
            .contains("flag --threads: Webserver.Threads is 0"),
        "{done:?}"
    );
    assert!(folder.names().is_empty());
}

#[test]
fn a_file_that_cannot_be_written_stops_the_start_without_showing_a_key() {
    let folder = Folder::new();
    let done = folder.run(&["serve", "--config=nowhere/constellation.json"]);
    assert_eq!((done.code, done.output.as_str()), (Some(2), ""));
    assert!(
        done.errors
            .contains("cannot write nowhere/constellation.json"),
        "{done:?}"
    );
    assert!(done.errors.contains("because: "), "{done:?}");
}

#[test]
fn workers_from_elsewhere_without_a_token_are_warned_of_at_every_start() {
    let folder = Folder::with_settings(r#"{ "Admin": { "ApiKeys": ["0123456789abcdef"] } }"#);
    let mut arguments = FREE_PORTS.to_vec();
    arguments.push("--websocket-hostname=*");
    for _ in 0..2 {
        let (_, logged) = serve_until_it_listens(&mut folder.command(&arguments));
        assert!(logged.contains("WARN"), "{logged}");
        assert!(logged.contains("Websocket.Tokens is empty"), "{logged}");
    }
}

#[test]
fn the_log_goes_to_a_file_when_one_is_named() {
    let folder = Folder::with_settings(r#"{ "Admin": { "ApiKeys": ["0123456789abcdef"] } }"#);
    let mut arguments = FREE_PORTS.to_vec();
    arguments.push("--set=Logging.LogFilename=./c.log");
    for starts in 1..=2 {
        serve_until_it_listens(&mut folder.command(&arguments));
        let log = fs::read_to_string(folder.file("logs/c.log")).unwrap();
        assert_eq!(log.matches("settings read").count(), starts, "{log}");
    }
}

#[test]
fn the_console_stays_silent_when_it_is_off_or_filtered() {
    let folder = Folder::with_settings(r#"{ "Admin": { "ApiKeys": ["0123456789abcdef"] } }"#);
    // A taken port ends the start, so that the run ends by itself.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--port={}", taken.local_addr().unwrap().port());
    let arguments = ["serve", &port, "--hostname=127.0.0.1", "--websocket-port=0"];
    let done = folder.run(&arguments);
    assert_eq!(done.code, Some(1));
    assert!(done.errors.contains("settings read"), "{done:?}");
    let complaint = "error: the controller failed\n  because: cannot listen on 127.0.0.1";
    assert!(done.errors.contains(complaint), "{done:?}");
    let done = outcome(folder.command(&arguments).env("RUST_LOG", "error"));
    assert!(done.errors.starts_with(complaint), "{done:?}");
    let mut off = arguments.to_vec();
    off.push("--set=Logging.ConsoleLogging=false");
    assert!(folder.run(&off).errors.starts_with(complaint));
}

#[test]
fn a_rewritten_file_keeps_its_owner() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let folder = Folder::with_settings("{}");
    // Only root can give a file away, and only root could take one over by rewriting it.
    if chown(folder.settings(), Some(4321), Some(4322)).is_err() {
        return;
    }
    serve_until_it_listens(&mut folder.command(&FREE_PORTS));
    let owner = fs::metadata(folder.settings()).unwrap();
    assert!(folder.read_settings().contains("ApiKeys"));
    assert_eq!((owner.uid(), owner.gid()), (4321, 4322));
}
