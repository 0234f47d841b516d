//! `constellation config`: what it prints and how it ends.

use serde_json::{Value, json};

use crate::binary::{Folder, outcome};

#[test]
fn a_good_file_is_ok() {
    let folder = Folder::with_settings(r#"{ "Admin": { "ApiKeys": ["0123456789abcdef"] } }"#);
    let done = folder.run(&["config", "check", "--config", "constellation.json"]);
    assert_eq!(
        (done.code, done.output.as_str(), done.errors.as_str()),
        (Some(0), "ok\n", "")
    );
}

#[test]
fn checking_changes_nothing() {
    let text = "{ \"Admin\": { \"ApiKeys\": [] } }";
    let folder = Folder::with_settings(text);
    let done = folder.run(&["config", "check"]);
    assert_eq!(
        (done.code, done.output.as_str()),
        (
            Some(0),
            "warning: Admin.ApiKeys is empty: the next start makes a key and shows it once\nok\n"
        )
    );
    assert_eq!(folder.run(&["config", "show"]).code, Some(0));
    assert_eq!(folder.read_settings(), text);
    assert_eq!(folder.names(), ["constellation.json"]);
}

#[test]
fn a_file_that_others_may_read_is_warned_of() {
    for (mode, shown) in [
        (0o644, "mode 0644"),
        (0o640, "mode 0640"),
        (0o604, "mode 0604"),
    ] {
        let folder = Folder::with_settings("{}");
        folder.chmod(mode);
        let done = folder.run(&["config", "check"]);
        assert_eq!(done.code, Some(0));
        assert!(done.output.contains(shown), "{done:?}");
    }
}

#[test]
fn every_fault_of_every_source_is_told_with_exit_code_2() {
    let folder = Folder::with_settings(
        r#"{ "Heartbeat": { "IntervalMS": 2000, "MaxFailures": 0 }, "Prxy": {} }"#,
    );
    let mut command = folder.command(&[
        "config",
        "check",
        "--config=./constellation.json",
        "--port=65536",
        "--set=Proxy.TimeoutMs=1",
    ]);
    command.env("CONSTELLATION__PLACEMENT__STRATEGY", "Random");
    let done = outcome(&mut command);
    assert_eq!((done.code, done.output.as_str()), (Some(2), ""));
    assert_eq!(
        done.errors,
        "error: 6 settings are wrong\n  \
         ./constellation.json: Heartbeat.IntervalMS is not a known setting; \
         did you mean Heartbeat.IntervalMs?\n  \
         ./constellation.json: Heartbeat.MaxFailures is 0; allowed is a whole number \
         from 1 to 100\n  \
         ./constellation.json: Prxy is not a known setting; did you mean Proxy?\n  \
         environment variable CONSTELLATION__PLACEMENT__STRATEGY: Placement.Strategy is \
         \"Random\"; allowed is \"RoundRobin\" or \"LeastPinned\"\n  \
         flag --port: Webserver.Port is 65536; allowed is a whole number from 0 to 65535\n  \
         flag --set: Proxy.TimeoutMs is 1; allowed is a whole number \
         from 1000 to 3600000 milliseconds\n"
    );
}

#[test]
fn a_mistake_in_the_json_is_told_with_line_and_column() {
    let folder = Folder::with_settings("{\n  \"Heartbeat\": {},\n  // a comment\n}\n");
    let done = folder.run(&["config", "check"]);
    assert_eq!(done.code, Some(2));
    assert!(
        done.errors
            .contains("./constellation.json is not JSON: line 3, column 3"),
        "{done:?}"
    );
    assert!(
        done.errors
            .contains("no comments and no comma after the last entry"),
        "{done:?}"
    );
}

#[test]
fn a_missing_file_does_not_pass_a_check() {
    let done = Folder::new().run(&["config", "check", "--config", "other.json"]);
    assert_eq!((done.code, done.output.as_str()), (Some(2), ""));
    assert!(
        done.errors.contains("other.json does not exist"),
        "{done:?}"
    );
}

#[test]
fn a_folder_or_a_huge_file_is_no_settings_file() {
    let folder = Folder::with_settings(&" ".repeat(1024 * 1024 + 1));
    assert_eq!(
        folder.run(&["config", "check", "--config", "."]).code,
        Some(2)
    );
    let done = folder.run(&["config", "check"]);
    assert_eq!(done.code, Some(2));
    assert!(done.errors.contains("more than 1048576 bytes"), "{done:?}");
}

#[test]
fn what_is_shown_is_what_the_last_source_gave_without_secrets() {
    let folder = Folder::with_settings(
        r#"{
            "Webserver": { "Port": 1, "Threads": 1 },
            "Websocket": { "Port": 2, "Tokens": ["a-token-of-a-worker"] },
            "Heartbeat": { "IntervalMs": 1500 },
            "Admin": { "ApiKeys": ["an-admin-key-in-the-file"] }
        }"#,
    );
    let mut command =
        folder.command(&["config", "show", "--port=4", "--set", "Webserver.Threads=9"]);
    command.env("CONSTELLATION__WEBSERVER__PORT", "3");
    command.env("CONSTELLATION__HEARTBEAT__INTERVALMS", "1000");
    command.env("constellation__websocket__hostnames", "127.0.0.1, ::1");
    let done = outcome(&mut command);
    assert_eq!((done.code, done.errors.as_str()), (Some(0), ""));
    let shown: Value = serde_json::from_str(&done.output).unwrap();
    for (member, wanted) in [
        ("/Webserver/Port", json!(4)),
        ("/Webserver/Threads", json!(9)),
        ("/Websocket/Port", json!(2)),
        ("/Websocket/Hostnames", json!(["127.0.0.1", "::1"])),
        ("/Websocket/Tokens", json!(["(redacted)"])),
        ("/Heartbeat/IntervalMs", json!(1000)),
        ("/Ownership/StartupGraceMs", Value::Null),
        ("/Admin/ApiKeys", json!(["(redacted)"])),
    ] {
        assert_eq!(shown.pointer(member), Some(&wanted), "{member}");
    }
    assert!(!done.output.contains("a-token") && !done.output.contains("an-admin"));
}

#[test]
fn the_default_document_passes_its_own_check_and_has_no_key() {
    let folder = Folder::new();
    let default = folder.run(&["config", "default"]);
    assert_eq!((default.code, default.errors.as_str()), (Some(0), ""));
    let document: Value = serde_json::from_str(&default.output).unwrap();
    assert_eq!(document.pointer("/Admin/ApiKeys"), Some(&json!([])));
    assert_eq!(
        document.pointer("/Heartbeat/IntervalMs"),
        Some(&json!(2000))
    );
    let folder = Folder::with_settings(&default.output);
    assert!(folder.run(&["config", "check"]).output.ends_with("\nok\n"));
}

#[test]
fn the_version_is_the_packages() {
    let done = Folder::new().run(&["--version"]);
    assert_eq!(
        done.output,
        concat!("constellation ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_exit_code_2() {
    let folder = Folder::new();
    for arguments in [
        &["serv"][..],
        &["config"],
        &[],
        &["serve", "--set", "Webserver.Port"],
    ] {
        assert_eq!(folder.run(arguments).code, Some(2), "{arguments:?}");
    }
    assert!(folder.names().is_empty());
}
