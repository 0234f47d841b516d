//! The admin API: every resource, what it refuses, and who gets in.

use constellation_testing::{
    http::{self, Answer, Connection},
    wait::until,
};
use serde_json::{Value, json};

use crate::{
    binary::{Folder, serve_until_it_listens},
    cluster::{ADMIN_KEY, Controller},
};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// Checks that it is a refusal in the project's form; what it says of this case.
#[track_caller]
fn refusal(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    let members: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["Description", "Error", "Message", "StatusCode"]);
    assert_eq!(body["StatusCode"], status);
    body["Description"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_is_answered_without_an_admin_key() {
    let controller = Controller::start();
    for (method, path) in [
        ("GET", "/v1/workers"),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("PATCH", "/v1/keys"),
        ("PUT", "/v1/rebalance"),
    ] {
        for headers in [&[][..], &[("x-api-key", "wrong")], &[("x-api-key", "")]] {
            let answer = http::request(controller.admin_port, method, path, headers, b"");
            refusal(&answer, 401);
            assert_eq!(answer.json()["Error"], "AuthorizationFailed");
        }
    }
    assert!(!controller.program.written().contains(ADMIN_KEY));
}

#[test]
fn the_key_is_read_from_the_header_of_the_settings() {
    let controller = Controller::start_with(&["Admin.ApiKeyHeader=X-Operator"]);
    refusal(&controller.api("GET", "/v1/workers", ""), 401);
    let headers = [("x-operator", ADMIN_KEY)];
    let answer = http::request(controller.admin_port, "GET", "/v1/workers", &headers, b"");
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "workers": [] }))
    );
}

#[test]
fn the_port_can_be_turned_off() {
    let controller = Controller::start_with(&["Admin.Port=null"]);
    assert!(!controller.program.written().contains("whom=operators"));
    assert_eq!(controller.get("/x").status, 502);
    controller.program.signal("TERM");
    let mut program = controller.program;
    assert_eq!(program.ended(), Some(0));
}

#[test]
fn an_admin_port_beyond_loopback_is_warned_of() {
    let folder = Folder::with_settings(r#"{ "Admin": { "ApiKeys": ["0123456789abcdef"] } }"#);
    let arguments = [
        "serve",
        "--port=0",
        "--websocket-port=0",
        "--set=Admin.Port=0",
        "--set=Admin.Hostname=*",
    ];
    let (_, logged) = serve_until_it_listens(&mut folder.command(&arguments));
    let warned = "Admin.Hostname goes beyond loopback (*)";
    assert!(
        logged.contains("WARN") && logged.contains(warned),
        "{logged}"
    );
}

#[test]
fn the_admin_port_stops_with_the_rest() {
    let controller = Controller::start();
    controller.told("/v1/workers");
    controller.program.signal("TERM");
    let mut program = controller.program;
    assert_eq!(program.ended(), Some(0));
}

#[test]
fn workers_are_told_of_with_all_that_is_known() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    controller.owner("/x");
    let id = controller.id_of("a");
    let worker = controller.told(&format!("/v1/workers/{id}"));
    for (member, wanted) in [
        ("name", json!("a")),
        ("labels", json!({})),
        ("state", json!("live")),
        ("healthy", json!(true)),
        ("cordoned", json!(false)),
        ("leased", json!(true)),
        ("keys", json!(1)),
        ("capacity", Value::Null),
        ("leaving", json!(0)),
        ("tunnels", json!(0)),
        ("draining", Value::Null),
    ] {
        assert_eq!(worker[member], wanted, "{member}: {worker}");
    }
    assert!(worker["leaseLeftMs"].as_u64().unwrap() <= 3_000, "{worker}");
    let address = worker["address"].as_str().unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{worker}");
    for time in ["connectedSince", "lastHeard"] {
        let time = worker[time].as_str().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z'), "{worker}");
    }
    assert!(worker["lastHeardMs"].as_u64().unwrap() < 3_000, "{worker}");
    let said = refusal(
        &controller.api("GET", &format!("/v1/workers/{NOBODY}"), ""),
        404,
    );
    assert_eq!(said, format!("No worker {NOBODY} is known."));
    let said = refusal(&controller.api("GET", "/v1/workers/x", ""), 400);
    assert_eq!(said, "The worker \"x\" is no UUID.");
}

#[test]
fn a_suspended_worker_is_told_of_as_such() {
    let controller = Controller::start();
    let worker = controller.worker("a");
    let id = controller.id_of("a");
    drop(worker);
    let told = until("the suspension", || {
        let told = controller.told(&format!("/v1/workers/{id}"));
        (told["state"] == "suspended").then_some(told)
    });
    assert_eq!(
        (&told["address"], &told["healthy"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(told["connectedSince"], Value::Null);
}

#[test]
fn pages_of_keys_follow_each_other_and_can_be_narrowed() {
    let controller = Controller::start();
    let _workers = ["a", "b"].map(|name| controller.worker(name));
    for n in 10..35 {
        controller.owner(&format!("/p/{n}"));
    }
    controller.owner("/other+one");
    let (mut seen, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page = controller.told(&format!("/v1/keys?prefix=/p/&limit=10{after}"));
        let keys = page["keys"].as_array().unwrap();
        seen.extend(keys.iter().map(|it| it["key"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let wanted: Vec<_> = (10..35).map(|n| format!("/p/{n}")).collect();
    assert_eq!((seen, pages), (wanted, 3));

    let id = controller.id_of("a");
    let of_a = controller.told(&format!("/v1/keys?worker={id}"));
    let of_a = of_a["keys"].as_array().unwrap();
    assert_eq!(of_a.len(), 13);
    assert!(
        of_a.iter()
            .all(|listed| listed["worker"] == *id && listed["leaving"] == false)
    );
    let plus = controller.told("/v1/keys?prefix=/other%2Bone");
    assert_eq!(plus["keys"].as_array().unwrap().len(), 1);
    for (query, wanted) in [
        (
            "limit=0",
            "The parameter limit is no whole number from 1 to 10000.",
        ),
        (
            "limit=10001",
            "The parameter limit is no whole number from 1 to 10000.",
        ),
        ("worker=a", "The parameter worker is no UUID."),
        (
            "limits=1",
            "The query has no parameter \"limits\" here; known: prefix, worker, after, limit.",
        ),
    ] {
        let answer = controller.api("GET", &format!("/v1/keys?{query}"), "");
        assert_eq!(refusal(&answer, 400), wanted);
    }
}

#[test]
fn a_key_is_explained_whether_it_has_an_owner_or_not() {
    let controller = Controller::start();
    let worker = controller.worker("a");
    let a = controller.id_of("a");
    let free = controller.told("/v1/key?key=/x");
    let wanted = json!({
        "key": "/x", "owner": null, "waiting": 0, "next": a, "history": []
    });
    assert_eq!(free, wanted);
    let (_, epoch) = controller.owner("/x");
    let held = controller.told("/v1/key?key=/x");
    let owner = &held["owner"];
    assert_eq!(
        (&owner["worker"], &owner["epoch"]),
        (&json!(a), &json!(epoch))
    );
    assert_eq!(
        (&owner["stage"], &owner["state"]),
        (&json!("held"), &json!("live"))
    );
    assert!(owner["unusedMs"].as_u64().unwrap() < 5_000, "{held}");
    assert!(owner["leaseLeftMs"].as_u64().unwrap() <= 3_000, "{held}");

    let mut busy = Connection::open(controller.port);
    busy.send(b"POST /x?sleep-ms=2000 HTTP/1.1\r\nhost: a\r\n\r\n");
    worker.line("the request", |line| line.contains("POST /x").then_some(()));
    let _other = controller.worker("b");
    let b = controller.id_of("b");
    let moved = controller.api(
        "POST",
        "/v1/key/move",
        &json!({ "key": "/x", "worker": b }).to_string(),
    );
    assert_eq!(moved.status, 202, "{moved:?}");
    assert_eq!(moved.json()["owner"]["stage"], "leaving");
    assert_eq!(
        moved.json()["owner"]["leaving"],
        json!({ "cause": "move", "to": b })
    );
    let listed = controller.told("/v1/keys");
    assert_eq!(listed["keys"][0]["leaving"], true);
    let again = controller.api("POST", "/v1/key/move", r#"{"key":"/x"}"#);
    assert_eq!(
        refusal(&again, 409),
        "/x is changing its owner at this moment."
    );
    assert_eq!(busy.receive(false).unwrap().status, 200);

    for (query, wanted) in [
        ("", "The parameter key is missing."),
        (
            "key=x",
            "The parameter key is no key: a resource key begins with a slash.",
        ),
        (
            "key=/%20",
            "The parameter key is no key: a resource key is printable ASCII, but byte 1 is 0x20.",
        ),
    ] {
        let answer = controller.api("GET", &format!("/v1/key?{query}"), "");
        assert_eq!(refusal(&answer, 400), wanted);
    }
}

#[test]
fn a_move_that_cannot_be_is_refused_and_changes_nothing() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    let a = controller.id_of("a");
    let before = controller.owner("/x");
    let ordered = |path: &str, body: Value| controller.api("POST", path, &body.to_string());
    let moved = |body: Value| ordered("/v1/key/move", body);
    let said = refusal(&moved(json!({ "key": "/x", "worker": a })), 409);
    assert_eq!(said, format!("{a} owns /x already."));
    let said = refusal(&moved(json!({ "key": "/x", "worker": NOBODY })), 404);
    assert_eq!(said, format!("No worker {NOBODY} is known."));
    let said = refusal(&moved(json!({ "key": "/x", "worker": null })), 409);
    assert_eq!(said, "No other worker can get /x.");
    let said = refusal(&moved(json!({ "key": "/y" })), 404);
    assert_eq!(said, "Nobody owns /y.");
    refusal(&ordered("/v1/key/unpin", json!({ "key": "/y" })), 404);
    let _other = controller.worker_with("b", &["--serves", "/db/**"]);
    let b = controller.id_of("b");
    let said = refusal(&moved(json!({ "key": "/x", "worker": b })), 409);
    assert_eq!(said, format!("{b} cannot get /x: it does not serve it."));
    assert_eq!(controller.owner("/x"), before);
}

#[test]
fn a_body_that_cannot_be_read_is_refused_with_the_place() {
    let controller = Controller::start();
    for (method, path, body, wanted) in [
        (
            "POST",
            "/v1/key/move",
            "",
            "The body is not as it should be: EOF while parsing a value at line 1 column 0.",
        ),
        (
            "POST",
            "/v1/key/move",
            r#"{"key":1}"#,
            "The body is not as it should be: invalid type: integer `1`, expected a string at line 1 column 8.",
        ),
        (
            "POST",
            "/v1/key/move",
            r#"{"key":"x"}"#,
            "The body's member key is no key: a resource key begins with a slash.",
        ),
        (
            "POST",
            "/v1/key/unpin",
            r#"{"kye":"/x"}"#,
            "The body is not as it should be: unknown field `kye`, expected `key` at line 1 column 6.",
        ),
        (
            "PUT",
            "/v1/rebalance",
            r#"{"mode":"pause"}"#,
            "The body is not as it should be: unknown variant `pause`, expected one of `off`, `on`, `paused` at line 1 column 15.",
        ),
    ] {
        assert_eq!(refusal(&controller.api(method, path, body), 400), wanted);
    }
    let long = "x".repeat(64 * 1024 + 1);
    let said = refusal(&controller.api("POST", "/v1/key/unpin", &long), 413);
    assert_eq!(said, "A body may have at most 65536 bytes here.");
}

#[test]
fn unknown_paths_and_methods_are_refused() {
    let controller = Controller::start();
    for path in ["/", "/v1", "/v2/workers", "/workers", "/v1/key/moves"] {
        let said = refusal(&controller.api("GET", path, ""), 404);
        assert_eq!(said, format!("There is no {path} here."));
    }
    for (method, path, allowed) in [
        ("POST", "/v1/workers", "GET, HEAD"),
        ("GET", &format!("/v1/workers/{NOBODY}/drain"), "POST"),
        ("DELETE", "/v1/key", "GET, HEAD"),
        ("GET", "/v1/key/move", "POST"),
        ("POST", "/v1/rebalance", "GET, HEAD, PUT"),
    ] {
        let answer = controller.api(method, path, "");
        refusal(&answer, 405);
        assert_eq!(answer.header("allow"), Some(allowed));
    }
    let head = controller.api("HEAD", "/v1/workers", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn workers_are_cordoned_uncordoned_and_drained() {
    let controller = Controller::start();
    let _workers = ["a", "b"].map(|name| controller.worker(name));
    let a = controller.id_of("a");
    let order = |verb: &str| controller.api("POST", &format!("/v1/workers/{a}/{verb}"), "");
    let cordoned = order("cordon");
    assert_eq!(
        (cordoned.status, &cordoned.json()["cordoned"]),
        (200, &json!(true))
    );
    for n in 0..4 {
        assert_eq!(controller.owner(&format!("/{n}")).0, "b");
    }
    let free = order("uncordon");
    assert_eq!(
        (free.status, &free.json()["cordoned"]),
        (200, &json!(false))
    );
    let names: Vec<_> = (4..8)
        .map(|n| controller.owner(&format!("/{n}")).0)
        .collect();
    assert!(names.contains(&"a".to_owned()), "{names:?}");
    let drained = order("drain");
    assert_eq!(drained.status, 202);
    assert!(
        drained.json()["draining"]["total"].as_u64().unwrap() > 0,
        "{drained:?}"
    );
    until("the drain", || {
        let worker = controller.told(&format!("/v1/workers/{a}"));
        (worker["draining"]["left"] == 0 && worker["keys"] == 0).then_some(())
    });
    for verb in ["cordon", "uncordon", "drain"] {
        let answer = controller.api("POST", &format!("/v1/workers/{NOBODY}/{verb}"), "");
        refusal(&answer, 404);
    }
}

#[test]
fn a_key_that_is_unpinned_finds_an_owner_at_its_next_request() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    let (_, epoch) = controller.owner("/x");
    let answer = controller.api("POST", "/v1/key/unpin", r#"{"key":"/x"}"#);
    assert_eq!(answer.status, 202, "{answer:?}");
    let free = until("the release", || {
        let report = controller.told("/v1/key?key=/x");
        report["owner"].is_null().then_some(report)
    });
    let past = &free["history"][0];
    assert_eq!(
        (&past["ending"], &past["reason"]),
        (&json!("unpinned"), &json!("unpinned"))
    );
    assert!(past["ended"].as_str().unwrap().ends_with('Z'));
    assert!(controller.owner("/x").1 > epoch);
}

#[test]
fn rebalancing_is_shown_changed_and_begun_by_the_settings() {
    let controller = Controller::start_with(&["Placement.Rebalance=On"]);
    assert_eq!(controller.told("/v1/rebalance"), json!({ "mode": "on" }));
    for mode in ["paused", "off", "on"] {
        let mode = json!({ "mode": mode });
        let answer = controller.api("PUT", "/v1/rebalance", &mode.to_string());
        assert_eq!((answer.status, answer.json()), (200, mode.clone()));
        assert_eq!(controller.told("/v1/rebalance"), mode);
    }
    assert_eq!(
        Controller::start().told("/v1/rebalance"),
        json!({ "mode": "off" })
    );
}

#[test]
fn the_settings_of_rebalancing_are_in_force() {
    let controller = Controller::start_with(&[
        "Placement.Rebalance=On",
        "Placement.RebalanceIntervalSeconds=1",
        "Placement.RebalanceBudget=2",
        "Placement.RebalanceMinGain=2",
        "Placement.RebalanceCooldownSeconds=0",
    ]);
    let _first = controller.worker("a");
    for n in 0..6 {
        controller.owner(&format!("/{n}"));
    }
    let _second = controller.worker("b");
    until("balance", || {
        let told = controller.told("/v1/workers");
        let workers = told["workers"].as_array().unwrap();
        workers
            .iter()
            .all(|worker| worker["keys"] == 3)
            .then_some(())
    });
}

#[test]
fn idle_keys_are_released_unless_they_never_are() {
    let controller =
        Controller::start_with(&["Placement.IdleSeconds=1", "Placement.IdleNever=/games/**"]);
    let _worker = controller.worker("a");
    controller.owner("/games/1");
    controller.owner("/x");
    let released = until("the release", || {
        let report = controller.told("/v1/key?key=/x");
        report["owner"].is_null().then_some(report)
    });
    assert_eq!(released["history"][0]["ending"], "idle");
    let kept = controller.told("/v1/key?key=/games/1");
    assert_eq!(kept["owner"]["stage"], "held", "{kept}");
}
