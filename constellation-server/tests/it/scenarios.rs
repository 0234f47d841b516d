//! The scenarios of the original's test suite, as claims about real programs.

use std::{collections::BTreeMap, thread};

use constellation_testing::{
    http,
    wait::{now, until},
};

use crate::cluster::{ADMIN_KEY, Controller};

#[test]
fn without_workers_a_request_is_a_bad_gateway() {
    let controller = Controller::start();
    let answer = controller.get("/x?y=1");
    assert_eq!(answer.status, 502);
    let problem = answer.json();
    assert_eq!(problem["Error"], "BadGateway");
    assert_eq!(problem["StatusCode"], 502);
    assert_eq!(
        problem["Description"],
        "No workers available for resource /x."
    );
    assert!(answer.header("x-worker").is_none() && answer.header("x-request").is_some());
    assert!(answer.header("retry-after").is_some());
}

#[test]
fn one_worker_answers_for_every_key() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    for key in ["/1", "/2", "/3"] {
        assert_eq!(controller.owner(key).0, "a");
    }
}

#[test]
fn three_workers_take_turns_and_keep_their_keys() {
    let controller = Controller::start();
    let _workers = ["a", "b", "c"].map(|name| controller.worker(name));
    let keys: Vec<_> = (0..9).map(|n| format!("/{n}")).collect();
    let owners: Vec<_> = keys.iter().map(|key| controller.owner(key)).collect();
    for name in ["a", "b", "c"] {
        assert_eq!(owners.iter().filter(|(owner, _)| owner == name).count(), 3);
    }
    let again: Vec<_> = keys.iter().map(|key| controller.owner(key)).collect();
    assert_eq!(again, owners);
}

#[test]
fn the_keys_of_a_killed_worker_move_and_the_others_never_notice() {
    let controller = Controller::start();
    let mut workers = BTreeMap::from(["a", "b"].map(|name| (name, controller.worker(name))));
    let keys: Vec<_> = (0..8).map(|n| format!("/{n}")).collect();
    let before: Vec<_> = keys.iter().map(|key| controller.owner(key)).collect();
    drop(workers.remove("a"));
    let killed = now();

    let mut noticed = 0;
    for (key, owner) in keys
        .iter()
        .zip(&before)
        .filter(|(_, (name, _))| name == "b")
    {
        assert_eq!(&controller.owner(key), owner);
        noticed += 1;
    }
    assert_eq!(noticed, 4);
    assert!(
        killed.elapsed().as_millis() < 1_500,
        "the others waited {:?}",
        killed.elapsed()
    );

    for (key, (_, epoch)) in keys
        .iter()
        .zip(&before)
        .filter(|(_, (name, _))| name == "a")
    {
        let (name, next) = controller.owner(key);
        assert_eq!(name, "b");
        assert!(next > *epoch);
    }
    // Its last renewal may be up to a second older than its end.
    let moved = killed.elapsed().as_millis();
    assert!(
        (1_900..4_000).contains(&moved),
        "the keys moved after {moved} ms"
    );
}

#[test]
fn many_keys_live_on_one_worker() {
    let controller = Controller::start();
    let _worker = controller.worker_with("a", &["--quiet"]);
    let mut connection = http::Connection::open(controller.port);
    for round in 0..2 {
        for n in 0..500 {
            connection.send(&http::bytes("GET", &format!("/key/{n}"), &[], b""));
            let answer = connection.receive(false).unwrap();
            assert_eq!(answer.json()["key"], format!("/key/{n}"), "round {round}");
        }
    }
    let maps = controller.admin("/maps");
    assert_eq!(
        maps.as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        500
    );
}

#[test]
fn a_newcomer_changes_nothing_that_is_pinned() {
    let controller = Controller::start();
    let _first = controller.worker("a");
    let keys: Vec<_> = (0..6).map(|n| format!("/{n}")).collect();
    let before: Vec<_> = keys.iter().map(|key| controller.owner(key)).collect();
    let _second = controller.worker("b");
    let after: Vec<_> = keys.iter().map(|key| controller.owner(key)).collect();
    assert_eq!(after, before);
    assert_eq!(controller.owner("/new").0, "b");
}

#[test]
fn twenty_first_requests_at_once_find_one_owner() {
    let controller = Controller::start();
    let _workers = ["a", "b", "c"].map(|name| controller.worker(name));
    let owners: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| controller.owner("/contended")))
            .collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    assert!(owners.iter().all(|owner| *owner == owners[0]), "{owners:?}");
}

#[test]
fn four_workers_share_evenly() {
    let controller = Controller::start();
    let _workers = ["a", "b", "c", "d"].map(|name| controller.worker(name));
    for n in 0..100 {
        controller.owner(&format!("/{n}"));
    }
    let maps = controller.admin("/maps");
    let counts: Vec<_> = maps
        .as_object()
        .unwrap()
        .values()
        .map(|keys| keys.as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [25; 4]);
}

#[test]
fn workers_are_listed_for_a_valid_key_in_the_originals_form() {
    let controller = Controller::start();
    assert_eq!(controller.admin("/workers"), serde_json::json!([]));
    let worker = controller.worker("a");
    let answer = controller.request("GET", "/workers", &[("x-api-key", ADMIN_KEY)], b"");
    let listed = answer.json();
    let listed = listed[0].as_object().unwrap();
    let names: Vec<_> = listed.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "AddedUtc",
            "GUID",
            "Healthy",
            "Ip",
            "LastMessageUtc",
            "Port"
        ]
    );
    assert_eq!(
        (&listed["Healthy"], &listed["Ip"]),
        (&true.into(), &"127.0.0.1".into())
    );
    let added = listed["AddedUtc"].as_str().unwrap();
    assert!(added.len() == 27 && added.ends_with('Z'), "{added}");
    assert!(
        answer.text().starts_with("[\n  {\n    \"GUID\""),
        "{}",
        answer.text()
    );
    drop(worker);
    controller.has_workers(0);
}

#[test]
fn maps_are_listed_for_a_valid_key_in_the_originals_form() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    assert_eq!(controller.admin("/maps"), serde_json::json!({}));
    controller.owner("/one");
    controller.owner("/two");
    let worker = controller.admin("/workers")[0]["GUID"]
        .as_str()
        .unwrap()
        .to_owned();
    let maps = controller.admin("/maps");
    assert_eq!(maps, serde_json::json!({ worker: ["/one", "/two"] }));
}

#[test]
fn a_wrong_admin_key_is_refused_on_workers() {
    refuses_a_wrong_key("/workers");
}

#[test]
fn a_wrong_admin_key_is_refused_on_maps() {
    refuses_a_wrong_key("/maps");
}

fn refuses_a_wrong_key(path: &str) {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    let answer = controller.request("GET", path, &[("x-api-key", "wrong")], b"");
    assert_eq!(
        (answer.status, &answer.json()["Error"]),
        (401, &"AuthorizationFailed".into())
    );
}

#[test]
fn without_an_admin_key_workers_is_an_ordinary_resource() {
    is_an_ordinary_resource("/workers");
}

#[test]
fn without_an_admin_key_maps_is_an_ordinary_resource() {
    is_an_ordinary_resource("/maps");
}

fn is_an_ordinary_resource(path: &str) {
    let controller = Controller::start();
    assert_eq!(controller.get(path).status, 502);
    let _worker = controller.worker("a");
    assert_eq!(controller.owner(path).0, "a");
}

/// No stale answer: what a former owner says reaches nobody.
#[test]
fn the_answer_of_a_worker_that_slept_through_its_lease_reaches_nobody() {
    let controller = Controller::start();
    let sleeper = controller.worker("sleeper");
    let (_, epoch) = controller.owner("/x");
    let mut connection = http::Connection::open(controller.port);
    connection.send(b"POST /x?sleep-ms=300 HTTP/1.1\r\nhost: a\r\n\r\n");
    sleeper.line("the request", |line| line.contains("POST /x").then_some(()));
    sleeper.signal("STOP");
    let _next = controller.worker("next");
    let answer = connection.receive(false).unwrap();
    assert_eq!(
        (answer.status, answer.header("x-constellation-delivery")),
        (502, Some("unknown"))
    );
    let owner = controller.owner("/x");
    assert!(owner.0 == "next" && owner.1 > epoch);

    sleeper.signal("CONT");
    controller.has_workers(2);
    assert_eq!(controller.owner("/x"), owner);
}

#[test]
fn a_short_pause_moves_nothing_and_fails_nothing() {
    let controller = Controller::start();
    let sleeper = controller.worker("sleeper");
    let _other = controller.worker("other");
    let before = controller.owner("/x");
    assert_eq!(before.0, "sleeper");
    sleeper.signal("STOP");
    let (paused, asked) = (now(), http::Connection::open(controller.port));
    let mut asked = asked;
    asked.send(b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
    until("a second's pause", || {
        (paused.elapsed().as_millis() > 1_000).then_some(())
    });
    sleeper.signal("CONT");
    let answer = asked.receive(false).unwrap();
    assert_eq!(
        (answer.status, &answer.json()["name"]),
        (200, &"sleeper".into())
    );
    assert_eq!(controller.owner("/x"), before);
}

#[test]
fn a_worker_that_is_told_to_end_hands_its_keys_over_without_an_error() {
    let controller = Controller::start();
    let mut first = controller.worker("a");
    let before: Vec<_> = (0..20)
        .map(|n| controller.owner(&format!("/{n}")))
        .collect();
    let _second = controller.worker("b");
    first.signal("TERM");
    for (n, (_, before)) in before.iter().enumerate() {
        let (_, epoch) = controller.owner(&format!("/{n}"));
        assert!(epoch >= *before);
    }
    assert_eq!(first.ended(), Some(0));
    controller.has_workers(1);
    let owner = until("the new owner", || {
        let owner = controller.owner("/0");
        (owner.0 == "b").then_some(owner)
    });
    assert!(owner.1 > before[0].1);
}
