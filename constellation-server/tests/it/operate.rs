//! The operator's commands against a real controller with real workers.

use std::{
    fs,
    net::TcpListener,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use constellation_testing::{
    http::{self, Connection},
    wait::until,
};
use serde_json::{Value, json};

use crate::{
    binary::{Folder, Outcome, outcome},
    cluster::{ADMIN_KEY, Controller},
};

/// Checks that a command failed with this code; what it said.
#[track_caller]
fn failure(outcome: Outcome, code: i32) -> String {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    assert_eq!(outcome.output, "", "{outcome:?}");
    outcome.errors
}

#[track_caller]
fn parsed(printed: &str) -> Value {
    assert_eq!(printed.lines().count(), 1, "{printed}");
    serde_json::from_str(printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

#[test]
fn workers_are_shown_as_a_table_or_as_json() {
    let controller = Controller::start();
    assert_eq!(controller.operated(&["workers"]), "There are no workers.\n");
    let _workers = ["a", "b"].map(|name| controller.worker(name));
    controller.owner("/x");
    let table = controller.operated(&["workers"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    let head = [
        "NAME", "ID", "STATE", "KEYS", "TUNNELS", "LEASE", "HEARD", "UP", "ADDRESS",
    ];
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), head);
    let id = controller.id_of("a");
    assert!(
        lines[1].starts_with(&format!("a     {}  live   1", &id[..8])),
        "{table}"
    );
    assert!(lines.iter().all(|line| line.len() <= 100), "{table}");
    let told = parsed(&controller.operated(&["workers", "--json"]));
    assert_eq!(told["workers"][0]["id"], *id);
}

#[test]
fn keys_are_listed_in_part_or_all_of_them() {
    let controller = Controller::start();
    assert_eq!(controller.operated(&["keys"]), "There are no such keys.\n");
    let _workers = ["a", "b"].map(|name| controller.worker(name));
    for n in 0..9 {
        controller.owner(&format!("/p/{n}"));
    }
    controller.owner("/q%20");
    let table = controller.operated(&["keys", "--prefix=/p/", "--limit=4"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 6, "{table}");
    let first: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!((first[0], first[2], first[3]), ("a", "held", "/p/0"));
    assert_eq!(lines[5], "There are more: --all, or --after /p/3");
    let rest = controller.operated(&["keys", "--prefix=/p/", "--after=/p/3", "--json"]);
    let rest = parsed(&rest);
    assert_eq!(
        (&rest["keys"][0]["key"], &rest["next"]),
        (&json!("/p/4"), &Value::Null)
    );
    assert_eq!(rest["keys"].as_array().unwrap().len(), 5);
    let all = parsed(&controller.operated(&["keys", "--all", "--json"]));
    assert_eq!(all["keys"].as_array().unwrap().len(), 10);
    let of_b = parsed(&controller.operated(&["keys", "--worker=b", "--json"]));
    assert_eq!(of_b["keys"].as_array().unwrap().len(), 5);
    let escaped = parsed(&controller.operated(&["keys", "--prefix=/q%20", "--json"]));
    assert_eq!(escaped["keys"][0]["key"], "/q%20");
    for usage in [&["keys", "--limit=0"][..], &["keys", "--all", "--limit=5"]] {
        failure(controller.operate(usage), 2);
    }
}

#[test]
fn a_worker_is_meant_by_name_id_or_the_beginning_of_its_id() {
    let controller = Controller::start();
    let one = "abc00000-0000-4000-8000-000000000001";
    let two = "abd00000-0000-4000-8000-000000000002";
    let _one = controller.worker_with("same", &["--id", one]);
    let _two = controller.worker_with("same", &["--id", two]);
    for (text, id) in [("abc", one), (two, two), ("ABD0", two)] {
        let told = parsed(&controller.operated(&["cordon", text, "--json"]));
        assert_eq!((&told["id"], &told["cordoned"]), (&json!(id), &json!(true)));
    }
    for text in ["same", "ab"] {
        let said = failure(controller.operate(&["cordon", text]), 1);
        assert!(said.contains(one) && said.contains(two), "{said}");
        assert!(said.contains("may be one of several workers"), "{said}");
    }
    let said = failure(controller.operate(&["drain", "nobody"]), 1);
    assert!(said.contains("no worker is called \"nobody\""), "{said}");
    let unknown = "00000000-0000-4000-8000-000000000000";
    let said = failure(controller.operate(&["cordon", unknown]), 1);
    assert_eq!(
        said,
        format!("error: the controller refused (404): No worker {unknown} is known.\n")
    );
}

#[test]
fn a_cordon_survives_a_restart_of_the_worker() {
    let controller = Controller::start();
    let id = "abc00000-0000-4000-8000-000000000001";
    let worker = controller.worker_with("a", &["--id", id]);
    let _other = controller.worker("b");
    assert_eq!(
        controller.operated(&["cordon", "a"]),
        "a gets no new keys; it has 0 keys\n"
    );
    drop(worker);
    controller.has_workers(1);
    let _again = controller.worker_with("a", &["--id", id]);
    for n in 0..4 {
        assert_eq!(controller.owner(&format!("/{n}")).0, "b");
    }
    assert!(controller.operated(&["workers"]).contains("live, cordoned"));
    assert_eq!(
        controller.operated(&["uncordon", "a"]),
        "a gets keys again\n"
    );
    let names: Vec<_> = (4..8)
        .map(|n| controller.owner(&format!("/{n}")).0)
        .collect();
    assert!(names.contains(&"a".to_owned()), "{names:?}");
}

/// Sends requests to keys one after the other until it is told to stop; how many failed.
fn load(port: u16, first: usize, keys: usize, stop: &AtomicBool, sent: &AtomicU64) -> Vec<String> {
    let mut connection = Connection::open(port);
    let mut failed = Vec::new();
    let methods = ["GET", "POST"].into_iter().cycle();
    for (n, method) in (first..).zip(methods) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let path = format!("/k/{}?sleep-ms=2", n % keys);
        connection.send(&http::bytes(method, &path, &[], b""));
        match connection.receive(false) {
            Some(answer) if answer.status == 200 => {}
            answer => failed.push(format!("{method} {path}: {answer:?}")),
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
    failed
}

#[test]
fn a_drain_under_load_fails_no_request_and_leaves_the_worker_empty() {
    const KEYS: usize = 200;
    let controller = Controller::start_with(&["Placement.DrainParallel=16"]);
    let _workers = ["a", "b"].map(|name| controller.worker_with(name, &["--quiet"]));
    for n in 0..KEYS {
        controller.owner(&format!("/k/{n}"));
    }
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let (printed, failed) = thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|n| n * KEYS / 4)
            .map(|first| {
                scope.spawn({
                    let (port, stop, sent) = (controller.port, &stop, &sent);
                    move || load(port, first, KEYS, stop, sent)
                })
            })
            .collect();
        let more = |than: u64| {
            until("requests", || {
                (sent.load(Ordering::Relaxed) > than).then_some(())
            });
        };
        more(20);
        let drained = controller.operate(&["drain", "a"]);
        more(sent.load(Ordering::Relaxed) + 200);
        stop.store(true, Ordering::Relaxed);
        let failed: Vec<_> = clients
            .into_iter()
            .flat_map(|it| it.join().unwrap())
            .collect();
        assert_eq!(drained.code, Some(0), "{drained:?}");
        (drained.output, failed)
    });
    assert_eq!(failed, [""; 0]);
    let last = printed.lines().last().unwrap();
    assert!(
        last.starts_with("a is empty: 100 keys moved in "),
        "{printed}"
    );
    let left = parsed(&controller.operated(&["keys", "--worker=a", "--json"]));
    assert_eq!(left["keys"], json!([]));
    for n in 0..KEYS {
        assert_eq!(controller.owner(&format!("/k/{n}")).0, "b");
    }
}

#[test]
fn a_drain_shows_its_progress_and_can_be_called_off() {
    let controller = Controller::start_with(&["Placement.DrainParallel=1"]);
    let first = controller.worker("a");
    for key in ["/0", "/1", "/2"] {
        controller.owner(key);
    }
    let _other = controller.worker("b");
    let mut busy = Connection::open(controller.port);
    busy.send(b"POST /1?sleep-ms=3000 HTTP/1.1\r\nhost: a\r\n\r\n");
    first.line("the request", |line| line.contains("POST /1").then_some(()));
    let drained = thread::scope(|scope| {
        let drain = scope.spawn(|| controller.operate(&["drain", "a"]));
        until("the drain", || {
            let told = controller.told("/v1/workers");
            (!told["workers"][0]["draining"].is_null()).then_some(())
        });
        let told = controller.operated(&["workers"]);
        assert!(told.contains("live, drained "), "{told}");
        controller.operated(&["uncordon", "a"]);
        drain.join().unwrap()
    });
    assert_eq!(drained.code, Some(1), "{drained:?}");
    assert!(
        drained
            .errors
            .contains("the drain of a was called off; it has "),
        "{drained:?}"
    );
    assert_eq!(busy.receive(false).unwrap().status, 200);
    let begun = controller.operated(&["drain", "a", "--no-wait"]);
    assert!(begun.starts_with("a is drained of "), "{begun}");
    let done = parsed(&controller.operated(&["drain", "a", "--json"]));
    assert_eq!((&done["keys"], &done["name"]), (&json!(0), &json!("a")));
}

#[test]
fn a_moved_key_is_explained_with_the_reasons_of_its_past() {
    let controller = Controller::start();
    let first = controller.worker("a");
    let (_, epoch) = controller.owner("/x");
    let _other = controller.worker("b");
    let said = controller.operated(&["move", "/x"]);
    let b = controller.id_of("b");
    let owner = controller.owner("/x");
    assert!(owner.0 == "b" && owner.1 > epoch);
    let wanted = format!("/x is held by b ({b}) under epoch {}, after ", owner.1);
    assert!(
        said.starts_with(&wanted) && said.ends_with(" ms\n"),
        "{said}"
    );
    let back = parsed(&controller.operated(&["move", "/x", "a", "--json"]));
    assert_eq!(back["owner"]["worker"], *controller.id_of("a"));
    // With kill -9.
    drop(first);
    assert_eq!(controller.owner("/x").0, "b");
    let explained = controller.operated(&["explain", "/x"]);
    let lines: Vec<_> = explained.lines().collect();
    assert_eq!(lines[0], "/x");
    assert_eq!(lines[1], format!("  owner       b ({b}), live"));
    let heading = lines
        .iter()
        .position(|line| line.starts_with("Earlier owners"));
    let past: Vec<_> = lines[heading.unwrap() + 2..].to_vec();
    assert_eq!(past.len(), 3, "{explained}");
    assert!(past[0].ends_with("the worker's lease ended"), "{explained}");
    assert!(
        past[1].contains("b ") && past[1].ends_with("moved"),
        "{explained}"
    );
    assert!(past[2].ends_with("moved"), "{explained}");
    let json = parsed(&controller.operated(&["explain", "/x", "--json"]));
    let endings: Vec<_> = (0..3)
        .map(|n| json["history"][n]["ending"].clone())
        .collect();
    assert_eq!(endings, ["leaseEnded", "moved", "moved"]);
    let nobody = controller.operated(&["explain", "/nobody"]);
    assert!(nobody.contains("  owner       none\n"), "{nobody}");
    assert!(
        nobody.contains("No earlier owner is remembered."),
        "{nobody}"
    );
}

#[test]
fn an_order_that_is_refused_says_what_the_controller_said() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    controller.owner("/x");
    for (arguments, said) in [
        (&["move", "/x"][..], "(409): No other worker can get /x."),
        (&["move", "/y", "a"], "(404): Nobody owns /y."),
        (&["unpin", "/y"], "(404): Nobody owns /y."),
        (
            &["explain", "y"],
            "(400): The parameter key is no key: a resource key begins with a slash.",
        ),
    ] {
        let errors = failure(controller.operate(arguments), 1);
        assert_eq!(errors, format!("error: the controller refused {said}\n"));
    }
    let begun = controller.operated(&["unpin", "/x"]);
    assert_eq!(
        begun,
        "/x is taken from its owner; its next request finds it one\n"
    );
    until("the release", || {
        controller.told("/v1/key?key=/x")["owner"]
            .is_null()
            .then_some(())
    });
    let _other = controller.worker("b");
    controller.owner("/z");
    let begun = parsed(&controller.operated(&["move", "/z", "--no-wait", "--json"]));
    assert_eq!(begun["key"], "/z");
    for usage in [
        &["move"][..],
        &["rebalance", "sideways"],
        &["workers", "--timeout=0"],
    ] {
        failure(controller.operate(usage), 2);
    }
}

#[test]
fn rebalancing_is_shown_and_changed() {
    let controller = Controller::start();
    assert_eq!(controller.operated(&["rebalance"]), "rebalancing is off\n");
    assert_eq!(
        controller.operated(&["rebalance", "on"]),
        "rebalancing is on\n"
    );
    assert_eq!(
        controller.operated(&["rebalance", "pause"]),
        "rebalancing is paused\n"
    );
    assert_eq!(
        parsed(&controller.operated(&["rebalance", "--json"])),
        json!({ "mode": "paused" })
    );
    assert_eq!(
        controller.operated(&["rebalance", "off"]),
        "rebalancing is off\n"
    );
}

#[test]
fn what_happened_is_counted() {
    let controller = Controller::start();
    assert_eq!(controller.get("/key").status, 502);
    let counters = parsed(&controller.operated(&["counters", "--json"]));
    assert_eq!(counters["counters"]["no_worker"], json!(1), "{counters}");
    let table = controller.operated(&["counters"]);
    let line = table.lines().find(|line| line.starts_with("no_worker "));
    let count = line.and_then(|line| line.split_whitespace().nth(1));
    assert_eq!(count, Some("1"), "{table}");
}

#[test]
fn on_the_controllers_machine_no_flag_is_needed() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let controller = Controller::start_with(&[&format!("Admin.Port={port}")]);
    // The file says what the flag said.
    let text = controller.folder.read_settings();
    let text = text.replace(
        r#""Admin": { "Port": 0"#,
        &format!(r#""Admin": {{ "Port": {port}"#),
    );
    fs::write(controller.folder.settings(), text).unwrap();
    let told = controller.folder.run(&["workers"]);
    assert_eq!(
        (told.code, told.output.as_str()),
        (Some(0), "There are no workers.\n"),
        "{told:?}"
    );
}

#[test]
fn the_key_comes_from_a_file_the_environment_or_the_settings() {
    let controller = Controller::start();
    let elsewhere = Folder::new();
    let url = format!("http://127.0.0.1:{}", controller.admin_port);
    let asked = ["workers", "--admin", &url];
    let said = failure(elsewhere.run(&asked), 2);
    assert!(
        said.contains("there is no admin key") && said.contains("does not exist"),
        "{said}"
    );
    let mut command = elsewhere.command(&asked);
    assert_eq!(
        outcome(command.env("CONSTELLATION_ADMIN_KEY", ADMIN_KEY)).code,
        Some(0)
    );
    fs::write(elsewhere.file("key"), format!("{ADMIN_KEY}\n")).unwrap();
    let with_file = [&asked[..], &["--admin-key-file", "key"]].concat();
    assert_eq!(elsewhere.run(&with_file).code, Some(0));
    // The file wins.
    let mut command = elsewhere.command(&with_file);
    assert_eq!(
        outcome(command.env("CONSTELLATION_ADMIN_KEY", "wrong")).code,
        Some(0)
    );
    let mut command = elsewhere.command(&asked);
    let wrong = outcome(command.env("CONSTELLATION_ADMIN_KEY", "not-the-key"));
    let said = failure(wrong, 1);
    assert!(
        said.contains("the controller lets nobody in with this admin key"),
        "{said}"
    );
    assert!(!said.contains("not-the-key"), "{said}");
    let said = failure(
        elsewhere.run(&[&asked[..], &["--admin-key-file=none"]].concat()),
        2,
    );
    assert!(said.contains("cannot read the admin key in none"), "{said}");
    // The settings leave the port open, and say so.
    let said = failure(controller.folder.run(&["workers"]), 2);
    assert!(
        said.contains("lets the controller take any free admin port"),
        "{said}"
    );
    let said = failure(elsewhere.run(&["workers", "--admin=localhost"]), 2);
    assert!(said.contains("is not an address"), "{said}");
}

#[test]
fn a_controller_that_does_not_answer_is_not_waited_for_longer_than_wanted() {
    let folder = Folder::new();
    fs::write(folder.file("key"), ADMIN_KEY).unwrap();
    // It accepts, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let asked = [
        "workers",
        "--admin-key-file=key",
        "--timeout=1",
        "--admin",
        &url,
    ];
    let said = failure(folder.run(&asked), 1);
    let wanted = format!("error: the controller at {url} did not answer within 1 s");
    assert!(said.starts_with(&wanted), "{said}");
    drop(silent);
    let said = failure(folder.run(&asked), 1);
    assert!(
        said.starts_with(&format!("error: cannot reach a controller at {url}")),
        "{said}"
    );
    assert!(said.contains("because: "), "{said}");
}

#[test]
fn help_names_every_command() {
    let help = Folder::new().run(&["--help"]).output;
    for command in [
        "serve",
        "config",
        "workers",
        "keys",
        "explain",
        "drain",
        "cordon",
        "uncordon",
        "move",
        "unpin",
        "rebalance",
    ] {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command}: {help}"
        );
    }
}
