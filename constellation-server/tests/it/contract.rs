//! The HTTP contract: what clients and workers see, byte by byte.

use constellation_testing::{
    http::{Answer, Connection},
    program::Program,
};
use serde_json::Value;

use crate::cluster::{ADMIN_KEY, Controller};

/// A controller and one worker that answers.
fn pair(settings: &[&str]) -> (Controller, Program) {
    let controller = Controller::start_with(settings);
    let worker = controller.worker("a");
    (controller, worker)
}

#[test]
fn the_node_shows_its_page_and_icon() {
    let controller = Controller::start();
    let page = controller.get("/");
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(page.text().contains("Node is Operational"));
    let head = controller.request("HEAD", "/", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length").unwrap(),
        page.body.len().to_string()
    );
    assert_eq!(
        controller.get("/favicon.ico").header("content-type"),
        Some("image/svg+xml")
    );
}

#[test]
fn every_answer_names_its_request_and_its_worker() {
    let (controller, _worker) = pair(&[]);
    let first = controller.get("/x");
    let worker = first.json()["worker"].as_str().unwrap().to_owned();
    assert_eq!(first.header("x-worker"), Some(&*worker));
    assert_ne!(
        first.header("x-request"),
        controller.get("/x").header("x-request")
    );
}

#[test]
fn raw_paths_and_any_method_reach_the_worker_as_they_are() {
    let (controller, _worker) = pair(&[]);
    for path in [
        "//a//b/",
        "/a%2Fb%20c;v=1",
        "/~x/!$&'()*+,=:@",
        "/%E2%82%AC",
        "/a.b/..c",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"] {
            let answer = controller.request(method, &format!("{path}?q=1&k=%20"), &[], b"");
            let report = answer.json();
            assert_eq!(report["path"], path);
            assert_eq!(report["key"], path, "the query is no part of the key");
            assert_eq!(report["query"], "q=1&k=%20");
            assert_eq!(report["method"], method);
        }
    }
}

#[test]
fn paths_that_parsers_read_differently_are_refused() {
    let (controller, _worker) = pair(&[]);
    for path in [
        "/a/../b",
        "/./a",
        "/a/%2e%2E",
        "/a%zz",
        "/a%",
        "/a%00",
        "/a\\b",
    ] {
        let answer = controller.get(path);
        assert_eq!(
            (answer.status, &answer.json()["Error"]),
            (400, &"BadRequest".into()),
            "{path}"
        );
    }
    assert_eq!(controller.get("/after").status, 200);
}

/// What the worker of the JSON dialect in the test of the workers sees is checked there; this one
/// asks the binary dialect's worker through what it cannot see.
#[test]
fn a_client_cannot_pretend_to_be_the_controller() {
    let (controller, _worker) = pair(&[]);
    let headers = [
        ("x-constellation-epoch", "99999999999999999"),
        ("x-constellation-key", "/other"),
        ("x-request", "mine"),
        ("x-worker", "mine"),
    ];
    let answer = controller.request("GET", "/x", &headers, b"");
    assert_eq!(answer.json()["key"], "/x");
    assert!(answer.json()["epoch"].as_u64().unwrap() < 99_999_999_999_999_999);
    assert_ne!(answer.header("x-request"), Some("mine"));
}

#[test]
fn a_head_request_gets_the_length_and_no_body() {
    let (controller, _worker) = pair(&[]);
    let mut connection = Connection::open(controller.port);
    connection.send(b"HEAD /x HTTP/1.1\r\nhost: a\r\n\r\n");
    let head = connection.receive(true).unwrap();
    assert!(
        head.header("content-length")
            .unwrap()
            .parse::<usize>()
            .unwrap()
            > 50
    );
    connection.send(b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(connection.receive(false).unwrap().json()["method"], "GET");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (controller, _worker) = pair(&[]);
    let mut connection = Connection::open(controller.port);
    let requests: String = (0..20)
        .map(|n| format!("GET /{n} HTTP/1.1\r\nhost: a\r\n\r\n"))
        .collect();
    connection.send(requests.as_bytes());
    for n in 0..20 {
        assert_eq!(
            connection.receive(false).unwrap().json()["key"],
            format!("/{n}")
        );
    }
}

#[test]
fn a_chunked_body_arrives_whole() {
    let (controller, _worker) = pair(&[]);
    let mut connection = Connection::open(controller.port);
    connection.send(
        b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    let report = connection.receive(false).unwrap().json();
    assert_eq!(
        (&report["body"], &report["body_bytes"]),
        (&"abcde".into(), &5.into())
    );
}

#[test]
fn a_client_that_asks_to_continue_is_told_to() {
    let (controller, _worker) = pair(&[]);
    let mut connection = Connection::open(controller.port);
    connection
        .send(b"POST /x HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(connection.receive(true).unwrap().status, 100);
    connection.send(b"hello");
    assert_eq!(connection.receive(false).unwrap().json()["body"], "hello");
}

#[test]
fn an_answer_that_does_not_come_is_a_gateway_timeout() {
    let (controller, _worker) = pair(&["Proxy.TimeoutMs=1000"]);
    let answer = controller.get("/x?sleep-ms=20000");
    assert_eq!(
        (answer.status, &answer.json()["Error"]),
        (504, &"Timeout".into())
    );
    assert_eq!(answer.header("x-constellation-delivery"), Some("unknown"));
    assert!(answer.header("x-worker").is_some());
    assert_eq!(controller.get("/x").status, 200, "the key goes on");
}

#[test]
fn a_body_over_the_limit_is_too_large_declared_or_not() {
    let (controller, _worker) = pair(&["Proxy.MaxBodyBytes=1000"]);
    let declared = controller.request("POST", "/x", &[], &[b'x'; 1001]);
    assert_eq!(
        (declared.status, &declared.json()["Error"]),
        (413, &"TooLarge".into())
    );
    let mut connection = Connection::open(controller.port);
    connection.send(b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..3 {
        connection.send(format!("190\r\n{}\r\n", "x".repeat(0x190)).as_bytes());
    }
    let undeclared = connection.receive(false).unwrap();
    let delivery = |answer: &Answer| answer.header("x-constellation-delivery").map(str::to_owned);
    assert_eq!(undeclared.status, 413);
    assert_eq!(
        delivery(&undeclared).as_deref(),
        Some("unknown"),
        "a part went out"
    );
    assert_eq!(delivery(&declared), None);
    assert_eq!(
        controller.request("POST", "/x", &[], &[b'x'; 1000]).status,
        200
    );
}

#[test]
fn a_request_whose_worker_dies_is_marked_as_maybe_delivered() {
    let (controller, worker) = pair(&[]);
    let mut connection = Connection::open(controller.port);
    connection.send(b"POST /x?sleep-ms=20000 HTTP/1.1\r\nhost: a\r\n\r\n");
    worker.line("the request", |line| line.contains("POST /x").then_some(()));
    drop(worker);
    let answer = connection.receive(false).unwrap();
    assert_eq!(
        (answer.status, &answer.json()["Error"]),
        (502, &"BadGateway".into())
    );
    assert_eq!(answer.header("x-constellation-delivery"), Some("unknown"));
}

#[test]
fn a_safe_request_whose_worker_dies_is_answered_by_the_next_owner() {
    let (controller, worker) = pair(&[]);
    let mut connection = Connection::open(controller.port);
    connection.send(b"GET /x?sleep-ms=500 HTTP/1.1\r\nhost: a\r\n\r\n");
    worker.line("the request", |line| line.contains("GET /x").then_some(()));
    let _next = controller.worker("b");
    drop(worker);
    let answer = connection.receive(false).unwrap();
    assert_eq!((answer.status, &answer.json()["name"]), (200, &"b".into()));
}

#[test]
fn a_browser_on_another_site_may_read_the_admin_paths() {
    let (controller, _worker) = pair(&[]);
    let asked = [
        ("origin", "http://dashboard.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "x-api-key"),
    ];
    let preflight = controller.request("OPTIONS", "/workers", &asked, b"");
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-headers"), Some("*"));
    let answer = controller.request("GET", "/workers", &[("x-api-key", ADMIN_KEY)], b"");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[test]
fn an_upgrade_to_anything_but_a_websocket_is_refused_and_the_connection_closed() {
    let (controller, _worker) = pair(&[]);
    let upgrade = [
        ("connection", "upgrade, http2-settings"),
        ("upgrade", "h2c"),
    ];
    let answer = controller.request("GET", "/x", &upgrade, b"");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn keys_go_only_to_workers_that_serve_them() {
    let controller = Controller::start();
    let _databases = controller.worker_with("db", &["--serves", "/db/**"]);
    assert_eq!(controller.get("/games/1").status, 502);
    assert_eq!(controller.owner("/db/x").0, "db");
    let _games = controller.worker_with("games", &["--serves", "/games/*"]);
    assert_eq!(controller.owner("/games/1").0, "games");
    assert_eq!(controller.owner("/db/y").0, "db");
}

#[test]
fn after_a_start_without_memory_keys_wait_for_the_grace() {
    let (controller, _worker) = pair(&["Ownership.StartupGraceMs=2000"]);
    let start = constellation_testing::wait::now();
    let answer = controller.get("/x");
    assert_eq!(answer.status, 200);
    assert!(start.elapsed().as_millis() > 500, "{:?}", start.elapsed());
    assert!(matches!(answer.json()["epoch"], Value::Number(_)));
}
