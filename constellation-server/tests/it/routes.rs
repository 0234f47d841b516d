//! Rules that map paths to keys, through real HTTP and real workers.

use constellation_testing::{wait::until, websocket::Websocket};
use serde_json::{Value, json};

use crate::{
    binary::Folder,
    cluster::{ADMIN_KEY, Controller},
};

const DATABASES: &str = r#"Routes=[{"Pattern":"/db/{name}/**","Key":"/db/{name}"}]"#;

/// The name of the worker that answers for a path, and the key that it sees.
fn answers(controller: &Controller, path: &str) -> (String, String) {
    let answer = controller.get(path);
    assert_eq!(answer.status, 200, "{answer:?}");
    let report = answer.json();
    let (target, query) = path.split_once('?').unwrap_or((path, ""));
    assert_eq!(report["path"], target, "the path is forwarded as it came");
    assert_eq!(report["query"].as_str().unwrap_or_default(), query);
    let text = |member: &str| report[member].as_str().unwrap().to_owned();
    (text("name"), text("key"))
}

#[test]
fn everything_below_a_database_has_one_owner() {
    let controller = Controller::start_with(&[DATABASES]);
    let _workers = [controller.worker("a"), controller.worker("b")];
    // Round robin: without the rule, the second path would go to the other worker.
    let (owner, key) = answers(&controller, "/db/a");
    assert_eq!(key, "/db/a");
    for path in ["/db/a/rows/1?x=2", "/db/a/", "/db/a//x", "/db/a"] {
        let seen = answers(&controller, path);
        assert_eq!(seen, (owner.clone(), "/db/a".to_owned()), "{path}");
    }
    let (other, key) = answers(&controller, "/db/b/rows");
    assert_eq!(key, "/db/b");
    assert_ne!(other, owner, "another database may have another owner");
    for path in ["/db/", "/db", "/games/a/b"] {
        assert_eq!(answers(&controller, path).1, path, "no rule matches");
    }

    let mut listed: Vec<String> = controller
        .admin("/maps")
        .as_object()
        .unwrap()
        .values()
        .flat_map(|keys| keys.as_array().unwrap())
        .map(|key| key.as_str().unwrap().to_owned())
        .collect();
    listed.sort();
    assert_eq!(listed, ["/db", "/db/", "/db/a", "/db/b", "/games/a/b"]);
}

#[test]
fn what_a_worker_serves_is_compared_with_the_key() {
    let controller = Controller::start_with(&[DATABASES]);
    let _rows = controller.worker_with("rows", &["--serves", "/db/*/rows"]);
    assert_eq!(controller.get("/db/a/rows").status, 502);
    let _databases = controller.worker_with("databases", &["--serves", "/db/*"]);
    assert_eq!(answers(&controller, "/db/a/rows").0, "databases");
}

#[test]
fn the_nodes_own_pages_and_the_admin_paths_come_before_any_rule() {
    let controller = Controller::start_with(&[r#"Routes=[{"Pattern":"/**","Key":"/all"}]"#]);
    let _worker = controller.worker("a");
    assert!(controller.get("/").text().contains("Node is Operational"));
    assert_eq!(
        controller.get("/favicon.ico").header("content-type"),
        Some("image/svg+xml")
    );
    assert_eq!(answers(&controller, "/workers").1, "/all");
    assert_eq!(answers(&controller, "/x/y").1, "/all");
    let maps = controller.admin("/maps");
    let keys: Vec<_> = maps.as_object().unwrap().values().collect();
    assert_eq!(keys, [&json!(["/all"])]);
    assert_eq!(controller.get("/x/../y").status, 400, "paths are checked");
}

#[test]
fn a_worker_of_the_json_dialect_gets_the_path_and_the_key() {
    let controller = Controller::start_with(&[DATABASES]);
    let mut worker = Websocket::open(controller.workers_port, &[]).unwrap();
    controller.has_workers(1);
    let claimed = [("x-constellation-key", "/db/b")];
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| controller.request("GET", "/db/a/rows?x=2", &claimed, b""));
        let request: Value = serde_json::from_slice(&worker.receive().unwrap().payload).unwrap();
        assert_eq!(request["Url"]["PathAndQuery"], "/db/a/rows?x=2");
        assert_eq!(request["Headers"]["x-constellation-key"], "/db/a");
        let response = json!({ "GUID": request["GUID"], "Type": "Response" });
        worker.send(2, response.to_string().as_bytes());
        assert_eq!(asked.join().unwrap().status, 200);
    });
}

#[test]
fn a_rule_that_means_nothing_stops_the_start_with_what_is_wrong() {
    let folder = Folder::with_settings(&format!(
        r#"{{
            "Admin": {{ "ApiKeys": ["{ADMIN_KEY}"] }},
            "Routes": [
                {{ "Pattern": "/db/{{name}}/**", "Key": "/db/{{name}}" }},
                {{ "Pattern": "/db/system/**", "Key": "/system" }}
            ]
        }}"#
    ));
    let done = folder.run(&["serve", "--port", "0", "--websocket-port", "0"]);
    assert_eq!((done.code, done.output.as_str()), (Some(2), ""));
    assert_eq!(
        done.errors,
        "error: a setting is wrong\n  \
         ./constellation.json: Routes.1.Pattern is \"/db/system/**\", which never applies: \
         Routes.0.Pattern, which is \"/db/{name}/**\", comes first and matches all of its paths; \
         put it before that one or leave it out\n"
    );
}

#[test]
fn a_rule_by_a_flag_is_checked_with_those_of_the_file() {
    let folder = Folder::with_settings(
        r#"{ "Routes": [{ "Pattern": "/db/{name}/**", "Key": "/db/{name}" }] }"#,
    );
    let check = |rule: &str| folder.run(&["config", "check", "--set", rule]);
    let good = check(r#"Routes.1={"Pattern":"/backup/{name}","Key":"/db/{name}"}"#);
    assert_eq!(good.code, Some(0), "{good:?}");
    let incomplete = check(r#"Routes.1={"Pattern":"/a"}"#);
    let mapped_on = check(r#"Routes.1={"Pattern":"/backup/{name}","Key":"/db/{name}/old"}"#);
    assert_eq!(
        (incomplete.errors.as_str(), mapped_on.errors.as_str()),
        (
            "error: a setting is wrong\n  \
             flag --set: Routes.1 is an object without Key; \
             allowed is an object with the texts Pattern and Key\n",
            "error: a setting is wrong\n  \
             flag --set: Routes.1.Key gives the key /db/{name}/old, but Routes.0 maps the path \
             /db/{name}/old to the key /db/{name}, so one resource would have two owners; \
             make both agree, or put an entry that maps /db/{name}/old to itself before Routes.0\n"
        )
    );
}

#[test]
fn rules_are_shown_as_they_are_in_force() {
    let folder = Folder::with_settings("{}");
    let done = folder.run(&["config", "show", "--set", DATABASES]);
    let shown: Value = serde_json::from_str(&done.output).unwrap();
    assert_eq!(
        shown["Routes"],
        json!([{ "Pattern": "/db/{name}/**", "Key": "/db/{name}" }])
    );
    let written: Value = serde_json::from_str(&folder.run(&["config", "default"]).output).unwrap();
    assert_eq!(written["Routes"], json!([]));
}

/// The owner of a key goes; whatever path asks next finds the new one, and no other path's.
#[test]
fn all_paths_of_a_key_move_together() {
    let controller = Controller::start_with(&[DATABASES]);
    let first = controller.worker("first");
    let (_, epoch) = controller.owner("/db/a/rows");
    let _next = controller.worker("next");
    drop(first);
    let (name, moved) = until("the next owner", || {
        let owner = controller.owner("/db/a");
        (owner.0 == "next").then_some(owner)
    });
    assert!(moved > epoch);
    assert_eq!(controller.owner("/db/a/rows"), (name, moved));
}
